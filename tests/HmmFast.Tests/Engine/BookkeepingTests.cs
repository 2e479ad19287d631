namespace HmmFast.Tests.Engine;

/// <summary>Nothing leaks: frames, device pages, slots and native memory all come back.</summary>
public sealed class BookkeepingTests
{
    [Fact]
    public void Exit_AfterEveryKindOfPage_GivesAllFramesBack()
    {
        using EngineWorld world = new();
        ulong before = world.Memory.FreeSystemFrameCount;
        IAddressSpace space = world.Memory.CreateAddressSpace();
        space.Map(EngineWorld.Pages(0, 2048), Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.Map(EngineWorld.Pages(2048, 64), Protection.ReadWrite, MappingKind.SharedAnonymous, FileId.None, 0);
        space.Map(EngineWorld.Pages(2112, 16), Protection.ReadWrite, MappingKind.DriverMixed, FileId.None, 0);
        space.Advise(EngineWorld.Pages(0, 1024), Advice.HugePage);
        space.CpuWrite(EngineWorld.Pages(0, 2128), 1, 1, default);
        space.Advise(EngineWorld.Pages(1024, 40), Advice.PageOut);
        space.Advise(EngineWorld.Pages(2048, 8), Advice.PageOut);
        space.MakeDeviceExclusive(EngineWorld.Pages(1100, 8), EngineWorld.Owner0, new Pfn[8], out _);
        IAddressSpace child = space.Fork();
        child.CpuWrite(EngineWorld.Pages(500, 100), 5, 1, default);
        child.CpuRead(EngineWorld.Pages(1024, 20), default, default);
        space.Dispose();
        child.CpuWrite(EngineWorld.Pages(1000, 100), 5, 1, default);
        child.Dispose();
        Assert.Equal(before, world.Memory.FreeSystemFrameCount);

        // Every swap slot is free again too.
        world.Map(0, 64);
        world.Write(0, 64);
        world.Space.Advise(EngineWorld.Pages(0, 64), Advice.PageOut);
        Assert.Equal(63UL, world.Observe(63).SwapSlot);
    }

    [Fact]
    public void Unmap_DevicePages_TellsTheDriverOnceEach()
    {
        using EngineWorld world = new();
        var freed = new FreedPages();
        DeviceId device = world.Memory.AddDevice(new DeviceOptions { Name = "told", PageCount = 32, Owner = new OwnerId(9), Ops = freed });
        world.Map(0, 16);
        Assert.Equal(16, world.MigrateToDevice(device, 0, 16));
        world.Read(3);
        Assert.Equal(1, freed.Count);
        Assert.Equal(1, freed.BroughtBack);
        world.Space.Unmap(EngineWorld.Pages(0, 16));
        Assert.Equal(16, freed.Count);
        Assert.Equal(32UL, world.Memory.FreeDevicePageCount(device));
    }

    [Fact]
    public void Pin_KeepsAFrameUntilTheLastReferenceGoes()
    {
        using EngineWorld world = new();
        world.Map(0, 1);
        world.Write(0, 1, tag: 5);
        Pfn frame = world.Observe(0).Frame;
        world.Memory.Pin(frame);
        Assert.Equal(0, world.MigrateToDevice(world.Gpu0, 0, 1));
        world.Space.Unmap(EngineWorld.Pages(0, 1));
        Assert.True(world.Memory.ObserveFrame(frame).InUse);
        world.Memory.Unpin(frame);
        Assert.False(world.Memory.ObserveFrame(frame).InUse);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MakeDeviceExclusive_PinnedPageFromTheSwapCache_LeavesItThere(bool onReference)
    {
        // Dropping the reference that taking the page held is no reason to give its slot up.
        var options = new MemorySystemOptions { SystemFrameCount = 64, SwapSlotCount = 8, Window = new VpnRange(new Vpn(0), 512) };
        using IMemorySystem memory = onReference ? new HmmFast.Reference.ReferenceMemorySystem(options) : new MemorySystem(options);
        using IAddressSpace space = memory.CreateAddressSpace();
        var page = new VpnRange(new Vpn(3), 1);
        space.Map(page, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.CpuWrite(page, 1, 0, default);
        var seen = new PageObservation[1];
        space.Observe(page, seen);
        Pfn frame = seen[0].Frame;
        memory.Pin(frame);
        space.Advise(page, Advice.PageOut);
        Assert.Equal(HmmStatus.Ok, space.MakeDeviceExclusive(page, new OwnerId(1), new Pfn[1], out ulong faulted));
        Assert.Equal(1UL, faulted);
        space.CpuRead(page, default, default);
        space.Observe(page, seen);
        Assert.Equal(frame, seen[0].Frame);
        Assert.True(seen[0].IsInSwapCache);
        memory.Unpin(frame);
    }

    [Fact]
    public void Dispose_WithProcessesAlive_FreesAllNativeMemory()
    {
        EngineWorld world = new();
        world.Map(0, 100);
        world.Write(0, 100);
        _ = world.Space.Fork();
        world.Dispose();
        Assert.Equal(0, world.Ledger.LiveRanges);
    }

    private sealed class FreedPages : IDevicePagemapOps
    {
        public int Count { get; private set; }

        public int BroughtBack { get; private set; }

        public void MigratedToRam(IAddressSpace space, Vpn vpn, Pfn devicePage, Pfn systemPage) => BroughtBack++;

        public void PageFreed(Pfn devicePage) => Count++;
    }
}
