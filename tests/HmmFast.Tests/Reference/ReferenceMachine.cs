using HmmFast.Reference;

namespace HmmFast.Tests.Reference;

/// <summary>A small machine on the reference: one address space, one device with private memory.</summary>
internal sealed class ReferenceMachine : IDisposable
{
    public const ulong Base = 1024;

    public static readonly OwnerId Owner = new(7);

    public ReferenceMachine(ulong systemFrames = 64, ulong devicePages = 64, ulong swapSlots = 64)
    {
        Memory = new ReferenceMemorySystem(new MemorySystemOptions
        {
            SystemFrameCount = systemFrames,
            SwapSlotCount = swapSlots,
            TrackContent = true,
            Window = new VpnRange(new Vpn(0), 1UL << 22),
        });
        Device = Memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = devicePages, Owner = Owner });
        Space = Memory.CreateAddressSpace();
    }

    public ReferenceMemorySystem Memory { get; }

    public DeviceId Device { get; }

    public IAddressSpace Space { get; }

    public static VpnRange Pages(ulong page, ulong count) => new(new Vpn(Base + page), count);

    public void MapAnonymous(ulong page, ulong count, Protection protection = Protection.ReadWrite) =>
        Assert.Equal(HmmStatus.Ok, Space.Map(Pages(page, count), protection, MappingKind.PrivateAnonymous, FileId.None, 0));

    public CpuAccessResult Write(ulong page, ulong tag) => Space.CpuWrite(Pages(page, 1), tag, 0, default);

    public CpuAccessResult Read(ulong page, out ulong tag)
    {
        ulong[] tags = new ulong[1];
        CpuAccessResult result = Space.CpuRead(Pages(page, 1), tags, default);
        tag = tags[0];
        return result;
    }

    public PageObservation Look(ulong page, IAddressSpace? space = null)
    {
        PageObservation[] seen = new PageObservation[1];
        (space ?? Space).Observe(Pages(page, 1), seen);
        return seen[0];
    }

    public HmmStatus Fault(ulong page, ulong count, HmmRequestFlags flags, OwnerId owner, FaultHabit habit, out HmmPfn[] words)
    {
        using IMmuIntervalNotifier notifier = Space.InsertNotifier(Pages(page, count), null);
        words = new HmmPfn[count];
        return Space.RangeFault(
            new HmmRange
            {
                Range = Pages(page, count),
                Notifier = notifier,
                NotifierSequence = notifier.ReadBegin(),
                DefaultFlags = flags,
                Owner = owner,
                FaultHabit = habit,
            },
            words);
    }

    /// <summary>Moves what can be moved of a range to the device, with contents; returns how many pages setup collected.</summary>
    public ulong ToDevice(ulong page, ulong count)
    {
        MigrateVma migration = new(Pages(page, count), MigrateVmaFlags.SelectSystem, Owner);
        Assert.Equal(HmmStatus.Ok, Space.MigrateVmaSetup(migration));
        for (int i = 0; i < (int)count; i++)
        {
            MigratePfn source = migration.Source[i];
            if (source.IsMigrating && Memory.TryAllocateDevicePage(Device, out Pfn taken) == HmmStatus.Ok)
            {
                Memory.WriteContent(taken, source.IsValid ? Memory.ReadContent(source.Pfn) : 0);
                migration.Destination[i] = MigratePfn.Of(taken, migrating: true, source.IsWritable);
            }
        }

        Space.MigrateVmaPages(migration);
        Space.MigrateVmaFinalize(migration);
        return migration.CollectedPageCount;
    }

    public void Dispose() => Memory.Dispose();
}
