namespace HmmFast.Properties.Equivalence;

/// <summary>Every request over two neighbouring pages in every pair of simple states: a space small enough to try all of it.</summary>
public static class SmallSpaces
{
    private const int StateCount = 5;
    private static readonly OwnerId Own = new(1);
    private static readonly VpnRange Window = new(new Vpn(PageOrder.PagesPerGibibyte), PageOrder.PagesPerGibibyte);
    private static readonly Protection[] Protections = [Protection.ReadWrite, Protection.Read, Protection.None];

    private static readonly HmmRequestFlags[] Requests =
        [HmmRequestFlags.None, HmmRequestFlags.Fault, HmmRequestFlags.Write, HmmRequestFlags.Fault | HmmRequestFlags.Write];

    private enum PageState
    {
        None,
        Zero,
        Written,
        Private,
        PrivateReadOnly,
    }

    /// <summary>The check.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new("range-fault-exhaustive", "every request over two pages in every pair of states answers alike on the engine and the reference", 1, _ => Hold()),
    ];

    private static void Hold()
    {
        var words = new List<ulong>[] { [], [] };
        using IMemorySystem reference = Make(Subject.Reference);
        using IMemorySystem engine = Make(Subject.Engines[0]);
        foreach (bool isHole in new[] { true, false })
        {
            foreach (Protection protection in Protections)
            {
                for (int states = 0; states < (isHole ? 1 : StateCount * StateCount); states++)
                {
                    for (int form = 0; form < 16 * 4 * 3 * 3 * 2; form++)
                    {
                        // One memory system for all cases, each of which leaves its block unmapped: reserving memory would take most of the time.
                        Case(reference, words[0], isHole, protection, states, form);
                        Case(engine, words[1], isHole, protection, states, form);
                        if (!words[0].SequenceEqual(words[1]))
                        {
                            throw new CheckFailedException(
                                $"hole {isHole}, {protection}, states {(PageState)(states % StateCount)} {(PageState)(states / StateCount)}, form {form}: "
                                + $"[{string.Join(' ', words[0].Select(word => $"{word:x}"))}] and [{string.Join(' ', words[1].Select(word => $"{word:x}"))}]");
                        }
                    }
                }
            }
        }
    }

    private static IMemorySystem Make(Subject subject)
    {
        IMemorySystem memory = subject.Make(new MemorySystemOptions { SystemFrameCount = 64, SwapSlotCount = 0, Window = Window, TrackContent = true });
        memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = 8, Owner = Own });
        memory.CreateAddressSpace();
        return memory;
    }

    private static void Case(IMemorySystem memory, List<ulong> answer, bool isHole, Protection protection, int states, int form)
    {
        answer.Clear();
        IAddressSpace space = memory.AddressSpaces[0];
        var block = new VpnRange(Window.Start + PageOrder.PagesPerBlock, 8);
        var pair = new VpnRange(block.Start + 3, 2);
        space.Map(block, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        if (!isHole)
        {
            space.CpuWrite(new VpnRange(block.Start, 1), 7, 0, []);
            Put(memory, space, pair.Start, (PageState)(states % StateCount));
            Put(memory, space, pair.Start + 1, (PageState)(states / StateCount));
        }

        space.Protect(block, protection);
        Ask(memory, space, pair, form, answer);
        var pages = new PageObservation[block.PageCount];
        space.Observe(block, pages);
        foreach (PageObservation page in pages)
        {
            answer.Add(((ulong)page.Kind << 8) | (page.IsWritable ? 1UL : 0));
            answer.Add(page.Frame.Value);
        }

        space.Unmap(block);
        answer.Add(memory.FreeSystemFrameCount);
    }

    private static void Put(IMemorySystem memory, IAddressSpace space, Vpn vpn, PageState state)
    {
        var page = new VpnRange(vpn, 1);
        switch (state)
        {
            case PageState.Zero:
                space.CpuRead(page, [], []);
                break;
            case PageState.Written:
                space.CpuWrite(page, vpn.Value, 0, []);
                break;
            case PageState.Private:
            case PageState.PrivateReadOnly:
                var migration = new MigrateVma(page, MigrateVmaFlags.SelectSystem, Own);
                space.MigrateVmaSetup(migration);
                memory.TryAllocateDevicePage(new DeviceId(0), out Pfn pfn);
                migration.Destination[0] = MigratePfn.Of(pfn, migrating: false, writable: true);
                space.MigrateVmaPages(migration);
                space.MigrateVmaFinalize(migration);
                if (state == PageState.PrivateReadOnly)
                {
                    // Protection that comes back does not give a private entry its write permission again.
                    space.Protect(page, Protection.Read);
                    space.Protect(page, Protection.ReadWrite);
                }

                break;
            default:
                break;
        }
    }

    private static void Ask(IMemorySystem memory, IAddressSpace space, VpnRange pair, int form, List<ulong> answer)
    {
        HmmPfnLayout layout = memory.Options.Layout;
        HmmPfn[] words = [new(layout.Encode(Requests[form % 4]) | 0xA5), new(layout.Encode(Requests[form / 4 % 4]) | 0x5A | layout.DmaMappedBit)];
        using IMmuIntervalNotifier notifier = space.InsertNotifier(pair, null);
        for (int tries = 0; tries < 4; tries++)
        {
            HmmStatus status = space.RangeFault(
                new HmmRange
                {
                    Range = pair,
                    Notifier = notifier,
                    NotifierSequence = notifier.ReadBegin(),
                    DefaultFlags = Requests[form / 16 % 4],
                    PfnFlagsMask = (form / 64 % 3) switch { 0 => HmmRequestFlags.All, 1 => HmmRequestFlags.Fault, _ => HmmRequestFlags.None },
                    Owner = (form / 192 % 3) switch { 0 => Own, 1 => OwnerId.Null, _ => new OwnerId(2) },
                    FaultHabit = form / 576 == 0 ? FaultHabit.RunForward : FaultHabit.OnlyAsked,
                },
                words);
            answer.Add((ulong)status);
            if (status != HmmStatus.Busy)
            {
                break;
            }
        }

        answer.Add(words[0].Raw);
        answer.Add(words[1].Raw);
    }
}
