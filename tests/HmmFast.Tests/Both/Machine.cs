using HmmFast.Reference;

namespace HmmFast.Tests.Both;

/// <summary>A small machine for a scenario that the engine and the reference must play alike: one process, two devices with private memory.</summary>
internal sealed class Machine : IDisposable
{
    public const ulong Base = 1024;

    public static readonly OwnerId Owner = new(7);
    public static readonly OwnerId OtherOwner = new(8);

    public Machine(string implementation, ulong systemFrames = 1600)
    {
        var options = new MemorySystemOptions { SystemFrameCount = systemFrames, SwapSlotCount = 64, TrackContent = true, Window = new VpnRange(new Vpn(0), 1UL << 20) };
        Memory = implementation == "engine" ? new MemorySystem(options) : new ReferenceMemorySystem(options);
        Device = Memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = 64, Owner = Owner });
        Memory.AddDevice(new DeviceOptions { Name = "gpu1", PageCount = 64, Owner = OtherOwner });
        Space = Memory.CreateAddressSpace();
    }

    /// <summary>Both of them.</summary>
    public static TheoryData<string> All => ["engine", "reference"];

    public IMemorySystem Memory { get; }

    public DeviceId Device { get; }

    public IAddressSpace Space { get; }

    public static VpnRange Pages(ulong page, ulong count = 1) => new(new Vpn(Base + page), count);

    public void Map(ulong page, ulong count, MappingKind kind = MappingKind.PrivateAnonymous, Protection protection = Protection.ReadWrite) =>
        Assert.Equal(HmmStatus.Ok, Space.Map(Pages(page, count), protection, kind, FileId.None, 0));

    /// <summary>Page i of those written holds <paramref name="tag"/> + i.</summary>
    public void Write(ulong page, ulong count, ulong tag) => Assert.Equal(CpuAccessResult.Ok, Space.CpuWrite(Pages(page, count), tag, 1, default));

    public CpuAccessResult Read(ulong page, out ulong tag, IAddressSpace? space = null)
    {
        ulong[] tags = new ulong[1];
        CpuAccessResult result = (space ?? Space).CpuRead(Pages(page), tags, default);
        tag = tags[0];
        return result;
    }

    public PageObservation Look(ulong page, IAddressSpace? space = null)
    {
        var seen = new PageObservation[1];
        (space ?? Space).Observe(Pages(page), seen);
        return seen[0];
    }

    /// <summary>One range fault; words begin as the number of their page, so that what was not answered shows.</summary>
    public HmmStatus Fault(ulong page, ulong count, HmmRequestFlags flags, out HmmPfn[] words, IAddressSpace? space = null)
    {
        space ??= Space;
        using IMmuIntervalNotifier notifier = space.InsertNotifier(Pages(page, count), null);
        words = [.. Enumerable.Range(0, (int)count).Select(i => new HmmPfn(page + (ulong)i))];
        return space.RangeFault(
            new HmmRange { Range = Pages(page, count), Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = flags, Owner = Owner },
            words);
    }

    /// <summary>What a range fault answers that asks for nothing: '0' not there, 'E' error, 'R' and 'W' valid.</summary>
    public string Snapshot(ulong page, ulong count, IAddressSpace? space = null)
    {
        HmmPfnLayout layout = Memory.Options.Layout;
        Assert.Equal(HmmStatus.Ok, Fault(page, count, HmmRequestFlags.None, out HmmPfn[] words, space));
        return string.Concat(words.Select(word => layout.IsError(word) ? 'E' : !layout.IsValid(word) ? '0' : (word.Raw & layout.WriteBit) != 0 ? 'W' : 'R'));
    }

    public MigrateVma Begin(ulong page, ulong count, MigrateVmaFlags select = MigrateVmaFlags.SelectSystem)
    {
        var migration = new MigrateVma(Pages(page, count), select, Owner);
        Assert.Equal(HmmStatus.Ok, Space.MigrateVmaSetup(migration));
        return migration;
    }

    /// <summary>Gives every collected page one of the device's, with its content.</summary>
    public void Give(MigrateVma migration)
    {
        for (int i = 0; i < migration.Source.Length; i++)
        {
            MigratePfn source = migration.Source[i];
            if (source.IsMigrating && Memory.TryAllocateDevicePage(Device, out Pfn page) == HmmStatus.Ok)
            {
                Memory.WriteContent(page, source.IsValid ? Memory.ReadContent(source.Pfn) : 0);
                migration.Destination[i] = MigratePfn.Of(page, migrating: true, source.IsWritable || !source.IsValid);
            }
        }
    }

    public void Finish(MigrateVma migration)
    {
        Space.MigrateVmaPages(migration);
        Space.MigrateVmaFinalize(migration);
    }

    public void Dispose() => Memory.Dispose();
}
