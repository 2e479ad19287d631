namespace HmmFast.Tests.Engine;

/// <summary>No managed allocation per call, whatever the call finds and does.</summary>
public sealed class RangeFaultAllocationTests
{
    private const int Calls = 50;

    [Theory]
    [InlineData(HmmRequestFlags.None, HmmRequestFlags.None)]
    [InlineData(HmmRequestFlags.Fault, HmmRequestFlags.None)]
    [InlineData(HmmRequestFlags.None, HmmRequestFlags.All)]
    public void RangeFault_MixedMemory_AllocatesNothing(HmmRequestFlags defaults, HmmRequestFlags mask)
    {
        using EngineWorld world = Mixed();
        long bytes = Measure(world, defaults, mask, static _ => { });
        Assert.Equal(0, bytes);
    }

    [Fact]
    public void RangeFault_FaultsInEmptyMemory_AllocatesNothing()
    {
        using EngineWorld world = Mixed();
        long bytes = Measure(
            world,
            HmmRequestFlags.Fault | HmmRequestFlags.Write,
            HmmRequestFlags.None,
            static world => world.Space.Advise(EngineWorld.Pages(0, 2000), Advice.DontNeed));
        Assert.Equal(0, bytes);
    }

    [Fact]
    public void RangeFault_CopiesZeroPages_AllocatesNothing()
    {
        using EngineWorld world = Mixed();
        long bytes = Measure(
            world,
            HmmRequestFlags.Fault | HmmRequestFlags.Write,
            HmmRequestFlags.None,
            static world =>
            {
                world.Space.Advise(EngineWorld.Pages(0, 2000), Advice.DontNeed);
                world.Space.CpuRead(EngineWorld.Pages(0, 2000), default, default);
            });
        Assert.Equal(0, bytes);
    }

    [Fact]
    public void RangeFault_BringsForeignPagesBack_AllocatesNothing()
    {
        using EngineWorld world = Mixed();
        var words = new HmmPfn[600];
        VpnRange range = EngineWorld.Pages(0, 600);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(range, null);
        long bytes = AllocationMeter.LargestOf(
            warmups: 3,
            calls: 3,
            () => Assert.Equal(600, world.MigrateToDevice(world.Gpu0, 0, 600)),
            () =>
            {
                HmmStatus status;
                do
                {
                    status = world.Space.RangeFault(
                        new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = HmmRequestFlags.Fault }, words);
                }
                while (status == HmmStatus.Busy);
            });
        Assert.Equal(0, bytes);
    }

    /// <summary>The meter itself: one object a call shows.</summary>
    [Fact]
    public void AllocationMeter_CallThatAllocates_ShowsIt() =>
        Assert.InRange(AllocationMeter.LargestOf(2, 3, static () => { }, static () => GC.KeepAlive(new byte[100])), 100, 200);

    private static EngineWorld Mixed()
    {
        var world = new EngineWorld();
        world.Map(0, 2000);
        world.Write(0, 700);
        world.Map(300, 50, Protection.Read);
        Assert.Equal(HmmStatus.Ok, world.Space.Unmap(EngineWorld.Pages(300, 50)));
        world.Map(300, 50);
        return world;
    }

    private static long Measure(EngineWorld world, HmmRequestFlags defaults, HmmRequestFlags mask, Action<EngineWorld> prepare)
    {
        var words = new HmmPfn[2000];
        VpnRange range = EngineWorld.Pages(0, 2000);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(range, null);
        return AllocationMeter.LargestOf(
            warmups: 5,
            Calls - 5,
            () => prepare(world),
            () =>
            {
                HmmStatus status = world.Space.RangeFault(
                    new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = defaults, PfnFlagsMask = mask }, words);
                Assert.True(status is HmmStatus.Ok or HmmStatus.Busy);
            });
    }
}
