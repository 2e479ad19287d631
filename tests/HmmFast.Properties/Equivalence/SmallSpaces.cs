namespace HmmFast.Properties.Equivalence;

/// <summary>Every request over two neighbouring pages in every pair of states: a space small enough to try all of it.</summary>
public static class SmallSpaces
{
    // Words, defaults, masks, owners, habits.
    private const int FormCount = 16 * 4 * 3 * 3 * 2;

    // Coprime to the number of forms, so that every form meets many pairs of states, and every pair many forms.
    private const int SampledForms = 11;

    private static readonly OwnerId Own = new(1);
    private static readonly OwnerId Other = new(2);
    private static readonly VpnRange Window = new(new Vpn(PageOrder.PagesPerGibibyte), PageOrder.PagesPerGibibyte);
    private static readonly Protection[] Protections = [Protection.ReadWrite, Protection.Read, Protection.None];

    private static readonly HmmRequestFlags[] Requests =
        [HmmRequestFlags.None, HmmRequestFlags.Fault, HmmRequestFlags.Write, HmmRequestFlags.Fault | HmmRequestFlags.Write];

    private static readonly PageState[] PageStates =
    [
        PageState.None, PageState.Zero, PageState.Written, PageState.Private, PageState.PrivateReadOnly, PageState.Foreign, PageState.Swapped,
        PageState.Exclusive, PageState.Migrating, PageState.Poisoned,
    ];

    /// <summary>What stands under the two pages.</summary>
    private enum Ground
    {
        /// <summary>No page table.</summary>
        Hole,

        /// <summary>A page table: each page has a state of its own.</summary>
        Pages,

        /// <summary>A driver's mapping: each page is the driver's, without struct page, or not there.</summary>
        Driver,

        /// <summary>A 2 MiB entry: zero, written, or written and read-only.</summary>
        Huge,
    }

    private enum PageState
    {
        None,
        Zero,
        Written,
        Private,
        PrivateReadOnly,
        Foreign,
        Swapped,
        Exclusive,
        Migrating,
        Poisoned,
    }

    /// <summary>The check for the widest kernels with every request, and for each width with a part of them.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new("range-fault-exhaustive", "every request over two pages in every pair of states answers alike on the engine and the reference", 1, _ => Hold(Subject.Engines[0], 1)),
        .. Subject.Engines.Select(subject => new NamedCheck(
            $"range-fault-exhaustive-{subject.Name}",
            $"requests over two pages in every pair of states answer alike on the engine ({subject.Name}) and the reference",
            1,
            _ => Hold(subject, SampledForms))),
    ];

    private static void Hold(Subject subject, int step)
    {
        var words = new List<ulong>[] { [], [] };
        using IMemorySystem reference = Make(Subject.Reference);
        using IMemorySystem engine = Make(subject);
        int turn = 0;
        foreach (Ground ground in Enum.GetValues<Ground>())
        {
            foreach (Protection protection in Protections)
            {
                for (int states = 0; states < StatesOn(ground); states++)
                {
                    // A poisoned page costs a frame for good, and the reference counts frames one by one.
                    int every = ground == Ground.Pages && HasPoison(states) ? SampledForms : step;
                    for (int form = turn++ % every; form < FormCount; form += every)
                    {
                        // One memory system for all cases, each of which leaves its block unmapped: reserving memory would take most of the time.
                        Case(reference, words[0], ground, protection, states, form);
                        Case(engine, words[1], ground, protection, states, form);
                        if (!words[0].SequenceEqual(words[1]))
                        {
                            throw new CheckFailedException(
                                $"{ground}, {protection}, states {states}, form {form}: "
                                + $"[{string.Join(' ', words[0].Select(word => $"{word:x}"))}] and [{string.Join(' ', words[1].Select(word => $"{word:x}"))}]");
                        }
                    }
                }
            }
        }
    }

    private static int StatesOn(Ground ground) => ground switch
    {
        Ground.Pages => PageStates.Length * PageStates.Length,
        Ground.Driver => 9,
        Ground.Huge => 3,
        _ => 1,
    };

    private static bool HasPoison(int states) => StateOf(states, 0) == PageState.Poisoned || StateOf(states, 1) == PageState.Poisoned;

    private static PageState StateOf(int states, int page) => PageStates[page == 0 ? states % PageStates.Length : states / PageStates.Length];

    private static IMemorySystem Make(Subject subject)
    {
        IMemorySystem memory = subject.Make(new MemorySystemOptions { SystemFrameCount = 16384, SwapSlotCount = 16, Window = Window, TrackContent = true });
        memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = 8, Owner = Own });
        memory.AddDevice(new DeviceOptions { Name = "gpu1", PageCount = 8, Owner = Other });
        memory.CreateAddressSpace();
        return memory;
    }

    private static void Case(IMemorySystem memory, List<ulong> answer, Ground ground, Protection protection, int states, int form)
    {
        answer.Clear();
        IAddressSpace space = memory.AddressSpaces[0];
        var block = new VpnRange(Window.Start + PageOrder.PagesPerBlock, ground == Ground.Huge ? (ulong)PageOrder.PagesPerBlock : 8);
        var pair = new VpnRange(block.Start + 3, 2);
        space.Map(block, Protection.ReadWrite, ground == Ground.Driver ? MappingKind.DriverMixed : MappingKind.PrivateAnonymous, FileId.None, 0);
        var migrations = new List<MigrateVma>();
        switch (ground)
        {
            case Ground.Pages:
                space.CpuWrite(new VpnRange(block.Start, 1), 7, 0, []);
                Put(memory, space, pair.Start, StateOf(states, 0), migrations);
                Put(memory, space, pair.Start + 1, StateOf(states, 1), migrations);
                break;
            case Ground.Driver:
                PutDriver(space, pair.Start, states % 3);
                PutDriver(space, pair.Start + 1, states / 3);
                break;
            case Ground.Huge:
                PutHuge(space, block, states);
                break;
        }

        space.Protect(block, protection);
        Ask(memory, space, pair, form, answer);
        foreach (MigrateVma migration in migrations)
        {
            space.MigrateVmaPages(migration);
            space.MigrateVmaFinalize(migration);
        }

        var seen = new VpnRange(block.Start, 8);
        var pages = new PageObservation[seen.PageCount];
        space.Observe(seen, pages);
        foreach (PageObservation page in pages)
        {
            answer.Add(((ulong)page.Kind << 8) | (page.IsWritable ? 1UL : 0) | (page.IsHugeMapped ? 2UL : 0));
            answer.Add(page.Frame.Value);
        }

        space.Unmap(block);
        answer.Add(memory.FreeSystemFrameCount);
        answer.Add(memory.Counters.Faults);
    }

    private static void Put(IMemorySystem memory, IAddressSpace space, Vpn vpn, PageState state, List<MigrateVma> migrations)
    {
        var page = new VpnRange(vpn, 1);
        if (state is not (PageState.None or PageState.Zero))
        {
            space.CpuWrite(page, vpn.Value, 0, []);
        }

        switch (state)
        {
            case PageState.Zero:
                space.CpuRead(page, [], []);
                break;
            case PageState.Private:
                Migrate(memory, space, page, 0);
                break;
            case PageState.PrivateReadOnly:
                Migrate(memory, space, page, 0);

                // Protection that comes back does not give a private entry its write permission again.
                space.Protect(page, Protection.Read);
                space.Protect(page, Protection.ReadWrite);
                break;
            case PageState.Foreign:
                Migrate(memory, space, page, 1);
                break;
            case PageState.Swapped:
                space.Advise(page, Advice.PageOut);
                break;
            case PageState.Exclusive:
                space.MakeDeviceExclusive(page, Own, new Pfn[1], out _);
                break;
            case PageState.Migrating:
                var migration = new MigrateVma(page, MigrateVmaFlags.SelectSystem, Own);
                space.MigrateVmaSetup(migration);
                migrations.Add(migration);
                break;
            case PageState.Poisoned:
                space.Poison(vpn);
                break;
        }
    }

    private static void Migrate(IMemorySystem memory, IAddressSpace space, VpnRange page, int device)
    {
        var migration = new MigrateVma(page, MigrateVmaFlags.SelectSystem, Own);
        space.MigrateVmaSetup(migration);
        memory.TryAllocateDevicePage(new DeviceId(device), out Pfn pfn);
        migration.Destination[0] = MigratePfn.Of(pfn, migrating: false, writable: true);
        space.MigrateVmaPages(migration);
        space.MigrateVmaFinalize(migration);
    }

    /// <summary>The driver's own page, one without struct page, or nothing.</summary>
    private static void PutDriver(IAddressSpace space, Vpn vpn, int state)
    {
        var page = new VpnRange(vpn, 1);
        if (state > 0)
        {
            space.Advise(page, Advice.DontNeed);
        }

        if (state == 1)
        {
            space.InsertMixed(page, new Pfn(0x4000_0000));
        }
    }

    private static void PutHuge(IAddressSpace space, VpnRange block, int state)
    {
        space.Advise(block, Advice.HugePage);
        var first = new VpnRange(block.Start, 1);
        if (state == 0)
        {
            space.CpuRead(first, [], []);
            return;
        }

        space.CpuWrite(first, 7, 0, []);
        if (state == 2)
        {
            space.ClearSoftDirty();
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
                    Owner = (form / 192 % 3) switch { 0 => Own, 1 => OwnerId.Null, _ => Other },
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
