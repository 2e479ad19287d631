using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Tests.Engine;

/// <summary>A small engine for one test: a process, two private devices, content kept, everything checked for leaks at the end.</summary>
internal sealed class EngineWorld : IDisposable
{
    public const ulong First = PageOrder.PagesPerGibibyte;

    public EngineWorld(ulong systemFrames = 4096, ulong swapSlots = 64, string? width = null, bool trackContent = true)
    {
        Memory = new MemorySystem(
            new MemorySystemOptions
            {
                SystemFrameCount = systemFrames,
                SwapSlotCount = swapSlots,
                Window = new VpnRange(new Vpn(First), 8192),
                TrackContent = trackContent,
            },
            width is null ? null : KernelSet.Choose(width),
            Ledger);
        Gpu0 = Memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = 1024, Owner = Owner0 });
        Gpu1 = Memory.AddDevice(new DeviceOptions { Name = "gpu1", PageCount = 1024, Owner = Owner1 });
        Space = Memory.CreateAddressSpace();
    }

    public static OwnerId Owner0 => new(1);

    public static OwnerId Owner1 => new(2);

    public NativeMemoryLedger Ledger { get; } = new();

    public MemorySystem Memory { get; }

    public DeviceId Gpu0 { get; }

    public DeviceId Gpu1 { get; }

    public IAddressSpace Space { get; }

    public static VpnRange Pages(ulong first, ulong count) => new(new Vpn(First + first), count);

    public void Map(ulong first, ulong count, Protection protection = Protection.ReadWrite) =>
        Assert.Equal(HmmStatus.Ok, Space.Map(Pages(first, count), protection, MappingKind.PrivateAnonymous, FileId.None, 0));

    public void Write(ulong first, ulong count, ulong tag = 100) =>
        Assert.Equal(CpuAccessResult.Ok, Space.CpuWrite(Pages(first, count), tag, 1, default));

    /// <summary>One range fault under a notifier of its own, repeated while Busy unless told otherwise.</summary>
    public HmmStatus Fault(ulong first, HmmPfn[] words, HmmRequestFlags defaults, OwnerId owner = default, HmmRequestFlags mask = default, bool retries = true)
    {
        VpnRange range = Pages(first, (ulong)words.Length);
        using IMmuIntervalNotifier notifier = Space.InsertNotifier(range, null);
        HmmStatus status;
        do
        {
            status = Space.RangeFault(
                new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = defaults, PfnFlagsMask = mask, Owner = owner },
                words);
        }
        while (status == HmmStatus.Busy && retries);
        return status;
    }

    /// <summary>Migrates pages to a device; answers how many moved (none where the range is not inside one VMA).</summary>
    public int MigrateToDevice(DeviceId device, ulong first, ulong count)
    {
        var migration = new MigrateVma(Pages(first, count), MigrateVmaFlags.SelectSystem, Memory.OwnerOf(device));
        if (Space.MigrateVmaSetup(migration) != HmmStatus.Ok)
        {
            return 0;
        }

        for (int i = 0; i < migration.Source.Length; i++)
        {
            MigratePfn source = migration.Source[i];
            if (source.IsMigrating && Memory.TryAllocateDevicePage(device, out Pfn page) == HmmStatus.Ok)
            {
                Memory.WriteContent(page, source.IsValid ? Memory.ReadContent(source.Pfn) : 0);
                migration.Destination[i] = MigratePfn.Of(page, migrating: true, writable: true);
            }
        }

        Space.MigrateVmaPages(migration);
        int moved = migration.Source.Count(source => source.IsMigrating);
        Space.MigrateVmaFinalize(migration);
        return moved;
    }

    public PageObservation Observe(ulong page)
    {
        var pages = new PageObservation[1];
        Space.Observe(Pages(page, 1), pages);
        return pages[0];
    }

    public ulong Read(ulong page)
    {
        ulong[] tags = [0];
        Assert.Equal(CpuAccessResult.Ok, Space.CpuRead(Pages(page, 1), tags, default));
        return tags[0];
    }

    public void Dispose()
    {
        Memory.Dispose();
        Ledger.ThrowIfUnbalanced();
    }
}
