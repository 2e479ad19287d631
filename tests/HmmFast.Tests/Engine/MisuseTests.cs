namespace HmmFast.Tests.Engine;

/// <summary>Misuse throws before anything is written, and says the value and the bound.</summary>
public sealed class MisuseTests
{
    [Fact]
    public void Calls_OutsideTheWindow_ThrowWithRangeAndWindow()
    {
        using EngineWorld world = new();
        var outside = new VpnRange(new Vpn(EngineWorld.First - 1), 2);
        Assert.Contains("window", Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.Unmap(outside)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.Map(outside, Protection.Read, MappingKind.PrivateAnonymous, FileId.None, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.Protect(outside, Protection.Read));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.Advise(outside, Advice.DontNeed));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.CpuRead(outside, default, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.Remap(EngineWorld.Pages(0, 2), new Vpn(EngineWorld.First + 8191)));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Space.Observe(outside, new PageObservation[2]));
        Assert.Empty(world.Space.Vmas);
    }

    [Fact]
    public void RangeFault_WrongArrayOrNotifier_ThrowsAndWritesNothing()
    {
        using EngineWorld world = new();
        world.Map(0, 8);
        VpnRange range = EngineWorld.Pages(0, 8);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(range, null);
        using IAddressSpace other = world.Memory.CreateAddressSpace();
        using IMmuIntervalNotifier foreign = other.InsertNotifier(range, null);
        using IMmuIntervalNotifier small = world.Space.InsertNotifier(EngineWorld.Pages(0, 7), null);
        IMmuIntervalNotifier removed = world.Space.InsertNotifier(range, null);
        removed.Dispose();
        HmmRange With(IMmuIntervalNotifier watched) => new()
        {
            Range = range,
            Notifier = watched,
            NotifierSequence = 1,
            DefaultFlags = HmmRequestFlags.Fault | HmmRequestFlags.Write,
        };
        Assert.Contains("7 entries for the 8 pages", Assert.Throws<ArgumentException>(() => world.Space.RangeFault(With(notifier), new HmmPfn[7])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => world.Space.RangeFault(With(foreign), new HmmPfn[8]));
        Assert.Throws<ArgumentException>(() => world.Space.RangeFault(With(small), new HmmPfn[8]));
        Assert.Throws<ArgumentException>(() => world.Space.RangeFault(With(removed), new HmmPfn[8]));
        Assert.Equal(0UL, world.Memory.Counters.RangeFaultCalls);
        Assert.Equal(PageEntryKind.None, world.Observe(0).Kind);
    }

    [Fact]
    public void AddressSpace_AfterExit_Throws()
    {
        using EngineWorld world = new();
        IAddressSpace gone = world.Memory.CreateAddressSpace();
        IMmuIntervalNotifier notifier = gone.InsertNotifier(EngineWorld.Pages(0, 1), null);
        gone.Dispose();
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => gone.Unmap(EngineWorld.Pages(0, 1)));
        Assert.Throws<ObjectDisposedException>(() => gone.Fork());
        Assert.Throws<ObjectDisposedException>(() => gone.Vmas);
        Assert.Throws<ObjectDisposedException>(() => notifier.ReadBegin());
        Assert.Throws<ObjectDisposedException>(() => gone.RangeFault(new HmmRange { Range = EngineWorld.Pages(0, 1), Notifier = notifier, NotifierSequence = 1 }, new HmmPfn[1]));
    }

    [Fact]
    public void MemorySystem_AfterDispose_Throws()
    {
        var memory = new MemorySystem(new MemorySystemOptions { Window = new VpnRange(new Vpn(0), 512) });
        IAddressSpace space = memory.CreateAddressSpace();
        memory.Dispose();
        memory.Dispose();
        memory.Ledger.ThrowIfUnbalanced();
        Assert.Throws<ObjectDisposedException>(() => memory.CreateAddressSpace());
        Assert.Throws<ObjectDisposedException>(() => memory.FreeSystemFrameCount);
        Assert.Throws<ObjectDisposedException>(() => space.Vmas);
        space.Dispose();
    }

    [Fact]
    public void Frames_NotInUseOrNotThere_AreRefused()
    {
        using EngineWorld world = new(systemFrames: 100);
        Assert.Throws<InvalidOperationException>(() => world.Memory.ReleasePage(new Pfn(5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Memory.ObserveFrame(new Pfn(1UL << 40)));
        Assert.Throws<InvalidOperationException>(() => world.Memory.Unpin(new Pfn(5)));
        Assert.Throws<InvalidOperationException>(() => world.Memory.WriteContent(new Pfn(0), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Memory.OwnerOf(new DeviceId(7)));
        Assert.Throws<ArgumentException>(() => world.Memory.AddDevice(new DeviceOptions { Name = "x", PageCount = 1, Owner = OwnerId.Null }));
        Assert.Throws<ArgumentException>(() => world.Memory.AddDevice(new DeviceOptions { Name = "x", PageCount = 1UL << 33, Owner = EngineWorld.Owner0 }));
    }

    [Fact]
    public void MemorySystem_SizesWithoutRoom_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySystem(new MemorySystemOptions { SystemFrameCount = 1UL << 33 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySystem(new MemorySystemOptions { SystemFrameCount = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySystem(new MemorySystemOptions { Window = new VpnRange(new Vpn(0), 0) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySystem(new MemorySystemOptions { SwapSlotCount = 1UL << 40 }));
    }

    [Fact]
    public void MigrateVma_PagesWithoutSetup_Throws()
    {
        using EngineWorld world = new();
        world.Map(0, 4);
        var migration = new MigrateVma(EngineWorld.Pages(0, 4), MigrateVmaFlags.SelectSystem, EngineWorld.Owner0);
        Assert.Throws<InvalidOperationException>(() => world.Space.MigrateVmaPages(migration));
        Assert.Throws<InvalidOperationException>(() => world.Space.MigrateVmaFinalize(migration));
        Assert.Equal(HmmStatus.Invalid, world.Space.MigrateVmaSetup(new MigrateVma(EngineWorld.Pages(2, 4), MigrateVmaFlags.SelectSystem, EngineWorld.Owner0)));
    }
}
