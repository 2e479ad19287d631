using System.Runtime.InteropServices;
using HmmFast.Kernels;
using HmmFast.Memory;
using HmmFast.Reference;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// One process over two private devices of different owners, in the engine or the reference, with a result array of its own. Everything in it is made by public
/// operations, so that what is measured is what a user would meet.
/// </summary>
internal sealed class EngineWorld : IDisposable
{
    /// <summary>The first page: a 1 GiB border.</summary>
    public const ulong First = PageOrder.PagesPerGibibyte;

    /// <summary>The owner in whose name ranges are asked for.</summary>
    public static readonly OwnerId Near = new(1);

    private static readonly OwnerId Far = new(2);
    private const int MigrationChunk = 1 << 16;

    private readonly NativeMemoryLedger _ledger = new();
    private readonly NativeColumn<ulong> _words;

    /// <param name="pageCount">Pages mapped.</param>
    /// <param name="kernels">The engine at this width; null for the best.</param>
    /// <param name="isReference">The reference instead.</param>
    /// <param name="windowPages">Pages of the address space; 0 for twice the pages mapped.</param>
    /// <param name="frameCount">System frames; 0 for twice the pages mapped.</param>
    public EngineWorld(ulong pageCount, KernelSet? kernels = null, bool isReference = false, ulong windowPages = 0, ulong frameCount = 0)
    {
        PageCount = pageCount;
        All = Pages(0, pageCount);
        var options = new MemorySystemOptions
        {
            SystemFrameCount = Math.Max(frameCount, (pageCount * 2) + 1024),
            SwapSlotCount = pageCount + 1024,
            Window = new VpnRange(new Vpn(First), Math.Max(windowPages, pageCount * 2)),
        };
        Memory = isReference ? new ReferenceMemorySystem(options) : new MemorySystem(options, kernels);
        Gpu0 = Memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = pageCount + 1024, Owner = Near });
        Gpu1 = Memory.AddDevice(new DeviceOptions { Name = "gpu1", PageCount = pageCount + 1024, Owner = Far });
        Space = Memory.CreateAddressSpace();
        _words = new NativeColumn<ulong>("result words", (long)pageCount, _ledger, HugePagePolicy.Prefer);
        Map(All);
        Notifier = Space.InsertNotifier(All, null);
    }

    public ulong PageCount { get; }

    public VpnRange All { get; }

    public IMemorySystem Memory { get; }

    public IAddressSpace Space { get; }

    public IColumnAddressSpace Columns => (IColumnAddressSpace)Space;

    public DeviceId Gpu0 { get; }

    public DeviceId Gpu1 { get; }

    public IMmuIntervalNotifier Notifier { get; }

    /// <summary>The result array, one word a page.</summary>
    public Span<HmmPfn> Words => MemoryMarshal.Cast<ulong, HmmPfn>(_words.Span(0, (int)PageCount));

    public static VpnRange Pages(ulong first, ulong count) => new(new Vpn(First + first), count);

    /// <summary>The request of one call.</summary>
    public HmmRange Request(VpnRange range, HmmRequestFlags defaults = HmmRequestFlags.None, HmmRequestFlags mask = HmmRequestFlags.None, FaultHabit habit = FaultHabit.RunForward) => new()
    {
        Range = range,
        Notifier = Notifier,
        NotifierSequence = Notifier.ReadBegin(),
        DefaultFlags = defaults,
        PfnFlagsMask = mask,

        // Nothing in the array counts unless requests do: a device that asks for the first time.
        IgnoresWords = mask == HmmRequestFlags.None,
        Owner = Near,
        FaultHabit = habit,
    };

    /// <summary>One call over everything; must end well.</summary>
    public void Snapshot() => Must(Space.RangeFault(Request(All), Words), "snapshot");

    /// <summary>A range fault, repeated while it answers Busy; must end well.</summary>
    public void Fault(VpnRange range, HmmRequestFlags defaults, HmmRequestFlags mask = HmmRequestFlags.None, FaultHabit habit = FaultHabit.RunForward)
    {
        Span<HmmPfn> words = Words.Slice((int)(range.Start.Value - First), (int)range.PageCount);
        HmmStatus status;
        do
        {
            status = Space.RangeFault(Request(range, defaults, mask, habit), words);
        }
        while (status == HmmStatus.Busy);
        Must(status, "fault");
    }

    public void Map(VpnRange range, Protection protection = Protection.ReadWrite) =>
        Must(Space.Map(range, protection, MappingKind.PrivateAnonymous, FileId.None, 0), "map");

    /// <summary>Unmaps and maps again: nothing is there.</summary>
    public void Empty() => Must(Space.Advise(All, Advice.DontNeed), "empty");

    public void Write(VpnRange range)
    {
        CpuAccessResult result = Space.CpuWrite(range, 0, 0, default);
        if (result != CpuAccessResult.Ok)
        {
            throw new InvalidOperationException($"Writing {range} answered {result}.");
        }
    }

    /// <summary>
    /// Fills the mapping with what a process that shares memory with two devices may hold, every page's kind drawn by itself: of 16 pages on average 6 writable,
    /// 2 read-only (shared by a fork once), 1 of the zero page, 4 on devices (1 of them read-only, half of them another owner's), 1 exclusive to a device, 1 swapped
    /// out and 1 empty.
    /// </summary>
    public void Mix()
    {
        byte[] kinds = new byte[PageCount];
        new Random(7).NextBytes(kinds);
        FaultWhere(kinds, static kind => (kind & 15) switch { 0 => 0, 7 => Fault1, _ => Fault1 | Write1 });
        Space.Fork().Dispose();
        FaultWhere(kinds, static kind => (kind & 15) is >= 10 or (>= 4 and <= 6) ? Fault1 | Write1 : 0);
        Migrate(kinds);
        Span<Pfn> one = stackalloc Pfn[1];
        for (ulong i = 0; i < PageCount; i++)
        {
            switch (kinds[i] & 15)
            {
                case 1:
                    Must(Space.Advise(Pages(i, 1), Advice.PageOut), "page out");
                    break;
                case 2:
                    Must(Space.MakeDeviceExclusive(Pages(i, 1), Near, one, out _), "make exclusive");
                    break;
            }
        }

        _words.Span(0, (int)PageCount).Clear();
    }

    /// <summary>Fills the mapping with runs of 1 to 127 pages, alternately in system memory and on gpu0.</summary>
    public void MixInRuns()
    {
        Write(All);
        var random = new Random(11);
        bool onDevice = false;
        for (ulong at = 0; at < PageCount;)
        {
            ulong run = Math.Min((ulong)random.Next(1, 128), PageCount - at);
            if (onDevice)
            {
                var migration = new MigrateVma(Pages(at, run), MigrateVmaFlags.SelectSystem, Near);
                MigrateTo(migration, _ => Gpu0);
            }

            onDevice = !onDevice;
            at += run;
        }

        _words.Span(0, (int)PageCount).Clear();
    }

    /// <summary>setup, one destination page each, pages, finalize.</summary>
    /// <param name="migration">What is to move.</param>
    /// <param name="deviceOf">Which device an index of the migration goes to; null leaves the page.</param>
    /// <param name="writable">Whether its entry will be writable; null: all are.</param>
    public void MigrateTo(MigrateVma migration, Func<int, DeviceId?> deviceOf, Func<int, bool>? writable = null)
    {
        Must(Space.MigrateVmaSetup(migration), "migration setup");
        for (int i = 0; i < (int)migration.Range.PageCount; i++)
        {
            if (migration.Source[i].IsMigrating && deviceOf(i) is { } device)
            {
                Must(Memory.TryAllocateDevicePage(device, out Pfn page), "device page");
                migration.Destination[i] = MigratePfn.Of(page, migrating: true, writable?.Invoke(i) ?? true);
            }
        }

        Space.MigrateVmaPages(migration);
        Space.MigrateVmaFinalize(migration);
    }

    public void Dispose()
    {
        Memory.Dispose();
        _words.Dispose();
        _ledger.ThrowIfUnbalanced();
    }

    public static void Must(HmmStatus status, string what)
    {
        if (status != HmmStatus.Ok)
        {
            throw new InvalidOperationException($"The benchmark's {what} answered {status}.");
        }
    }

    private const ulong Fault1 = 1UL << 63;
    private const ulong Write1 = 1UL << 62;

    private void FaultWhere(byte[] kinds, Func<byte, ulong> request)
    {
        // Only what is asked: the kernel's habit of faulting on would leave nothing mixed.
        const ulong Chunk = 1 << 20;
        for (ulong at = 0; at < PageCount; at += Chunk)
        {
            ulong count = Math.Min(Chunk, PageCount - at);
            Span<ulong> words = _words.Span((long)at, (int)count);
            for (int i = 0; i < words.Length; i++)
            {
                words[i] = request(kinds[at + (ulong)i]);
            }

            HmmStatus status;
            do
            {
                // A word that was answered and is now looked at again asks for what it has: nothing more is faulted.
                status = Space.RangeFault(Request(Pages(at, count), mask: HmmRequestFlags.Fault | HmmRequestFlags.Write, habit: FaultHabit.OnlyAsked), MemoryMarshal.Cast<ulong, HmmPfn>(words));
            }
            while (status == HmmStatus.Busy);
            Must(status, "mix");
        }
    }

    private void Migrate(byte[] kinds)
    {
        var migration = new MigrateVma(Pages(0, Math.Min(PageCount, MigrationChunk)), MigrateVmaFlags.SelectSystem, Near);
        for (ulong at = 0; at < PageCount; at += MigrationChunk)
        {
            ulong start = at;
            migration.Reset(Pages(at, Math.Min(PageCount - at, MigrationChunk)), MigrateVmaFlags.SelectSystem, Near);
            MigrateTo(
                migration,
                i => (kinds[start + (ulong)i] & 15) is >= 3 and <= 6 ? (kinds[start + (ulong)i] & 16) != 0 ? Gpu0 : Gpu1 : null,
                i => (kinds[start + (ulong)i] & 15) != 3);
        }
    }
}
