using HmmFast.Drivers.Devices;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;

namespace HmmFast.Tests.Policies;

/// <summary>The NIC and the GPU that are written on top of the library, on engine and reference.</summary>
public class DriverTests
{
    public static TheoryData<string> Subjects => [.. PolicyBench.Subjects];

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Gpu_MemoryFull_EvictsOtherRangesAndMovesIn(string subject)
    {
        // The client has 8 pages of memory, faults 32 in ranges of 4, and migrates each before it maps it.
        using PolicyBench bench = new(subject, OwnerOnlyPolicy.Instance, new PolicyBench.Setup { ClientHasMemory = true, ClientPages = 8 }, pageCount: 32);
        using SvmGpu gpu = new(
            bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range, new SvmGpuOptions { RangePageCount = 4, MigratesOnFault = true });
        Assert.Equal(HmmStatus.Ok, gpu.Access(bench.Range));
        Assert.Equal(8UL, gpu.Faults);
        Assert.Equal(32UL, gpu.PagesMovedIn);
        Assert.Equal(24UL, gpu.PagesMovedOut);
        Assert.Equal(6UL, gpu.Evictions);
        Assert.Equal(0UL, bench.System.FreeDevicePageCount(bench.Fabric.DeviceOf(1)!.Value));

        // What was evicted left its table; the last two ranges are local.
        Assert.Equal(8, gpu.Importer.Outcomes.Count(PageOutcome.Local));
        bench.CheckContent();
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Gpu_NoEvictionAllowed_MapsSystemMemoryInstead(string subject)
    {
        using PolicyBench bench = new(subject, OwnerOnlyPolicy.Instance, new PolicyBench.Setup { ClientHasMemory = true, ClientPages = 8 }, pageCount: 32);
        using SvmGpu gpu = new(
            bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range, new SvmGpuOptions { RangePageCount = 4, MigratesOnFault = true, EvictLimit = 0 });
        Assert.Equal(HmmStatus.Ok, gpu.Access(bench.Range));
        Assert.Equal(8, gpu.Importer.Outcomes.Count(PageOutcome.Local));
        Assert.Equal(24, gpu.Importer.Outcomes.Count(PageOutcome.System));
        Assert.Equal(6UL, gpu.FailedMigrations);
        Assert.Equal(HmmStatus.Ok, gpu.EvictToRam(bench.Range));
        Assert.Equal(8UL, bench.System.FreeDevicePageCount(bench.Fabric.DeviceOf(1)!.Value));
        bench.CheckContent();
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Gpu_OneTryAtMigrating_MapsSystemMemoryAndLeavesTheRoomToTheNextRange(string subject)
    {
        // Ranges 3, 5 and 7 of 8 find the memory full, make room and do not try again; the ranges behind them move in. Range 3 is mapped in system memory,
        // and loses that mapping when the hand comes by for a victim: a migration's set-up invalidates what it looks at.
        using PolicyBench bench = new(subject, OwnerOnlyPolicy.Instance, new PolicyBench.Setup { ClientHasMemory = true, ClientPages = 8 }, pageCount: 32);
        using SvmGpu gpu = new(
            bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range, new SvmGpuOptions { RangePageCount = 4, MigratesOnFault = true, MigrationTryLimit = 1 });
        Assert.Equal(HmmStatus.Ok, gpu.Access(bench.Range));
        Assert.Equal((3UL, 3UL), (gpu.FailedMigrations, gpu.Evictions));
        Assert.Equal((20UL, 12UL), (gpu.PagesMovedIn, gpu.PagesMovedOut));
        Assert.Equal(8, gpu.Importer.Outcomes.Count(PageOutcome.System));
        Assert.True(gpu.Importer.Words[8..12].IndexOfAnyExcept(default(HmmPfn)) < 0);
        bench.CheckContent();
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Gpu_NoTryAtMigrating_MapsEverythingWhereItIs(string subject)
    {
        using PolicyBench bench = new(subject, OwnerOnlyPolicy.Instance, new PolicyBench.Setup { ClientHasMemory = true, ClientPages = 8 }, pageCount: 32);
        using SvmGpu gpu = new(
            bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range, new SvmGpuOptions { RangePageCount = 4, MigratesOnFault = true, MigrationTryLimit = 0 });
        Assert.Equal(HmmStatus.Ok, gpu.Access(bench.Range));
        Assert.Equal((0UL, 0UL), (gpu.FailedMigrations, gpu.PagesMovedIn));
        Assert.Equal(32, gpu.Importer.Outcomes.Count(PageOutcome.System));
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Nic_PieceHeldAlready_DoesNotFaultAgain(string subject)
    {
        using PolicyBench bench = new(subject, new CoreDistancePolicy(), new PolicyBench.Setup(), pageCount: 32);
        bench.Place(0, 0, 32);
        using OnDemandNic nic = new(bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range, chunkPageCount: 8);
        Assert.Equal(HmmStatus.Ok, nic.Access(bench.Range));
        Assert.Equal(4UL, nic.Faults);
        Assert.Equal(HmmStatus.Ok, nic.Access(bench.Range));
        Assert.Equal(4UL, nic.Faults);

        // The CPU takes one page back: one piece faults again, its other aliases keep their mapping.
        Assert.Equal(CpuAccessResult.Ok, bench.Space.CpuRead(new VpnRange(bench.Range.Start + 9, 1), [], []));
        Assert.Equal(HmmStatus.Ok, nic.Access(bench.Range));
        Assert.Equal(5UL, nic.Faults);
        Assert.Equal(31, nic.Importer.Outcomes.Count(PageOutcome.AliasBus));
        Assert.Equal(7UL, nic.Importer.DmaCounters.Kept);
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Importer_EndlessInvalidations_GivesUpAtItsRetryLimit(string subject)
    {
        using PolicyBench bench = new(subject, new CoreDistancePolicy(), new PolicyBench.Setup(), pageCount: 8);
        bench.Place(0, 0, 8);
        using PageImporter importer = new(bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range, new ImporterOptions { RetryLimit = 5 });
        importer.BetweenFaultAndMap = () => bench.Space.Invalidate(bench.Range, InvalidationEvent.Clear, OwnerId.Null);
        Assert.Equal(HmmStatus.Busy, importer.Resolve(bench.Range));
        Assert.Equal(6UL, importer.Counters.BusyRetries);
        Assert.Equal(1UL, importer.Counters.FailedRequests);
        Assert.Equal(8, importer.Outcomes.Count(PageOutcome.Failed));
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void TwoClients_DifferentReach_TheOneWithoutTakesThePagesFromTheOther(string subject)
    {
        using PolicyBench bench = new(subject, new CoreDistancePolicy(), new PolicyBench.Setup(), pageCount: 8);
        bench.Place(0, 0, 8);
        using PageImporter near = new(bench.Space, bench.Fabric, 1, bench.NewDma(new()), bench.Range);
        using PageImporter far = new(bench.Space, bench.Fabric, 2, bench.NewDma(new(), member: 2), bench.Range);
        Assert.Equal(HmmStatus.Ok, near.Resolve(bench.Range));
        Assert.Equal(8, near.Outcomes.Count(PageOutcome.AliasBus));
        Assert.Equal(HmmStatus.Ok, far.Resolve(bench.Range));
        Assert.Equal(8, far.Outcomes.Count(PageOutcome.System));

        // The aliases died before their private pages did.
        Assert.Equal(8, near.Outcomes.Count(PageOutcome.None));
        Assert.False(near.Words.ContainsAnyExcept(default(HmmPfn)));
        bench.CheckContent();
    }

    [Fact]
    public void Importer_DeviceThatWouldNeedBouncing_IsRefused()
    {
        using PolicyBench bench = new(PolicyBench.Engine, OwnerOnlyPolicy.Instance, new PolicyBench.Setup());
        NotSupportedException thrown = Assert.Throws<NotSupportedException>(() =>
            new PageImporter(bench.Space, bench.Fabric, 1, bench.NewDma(new() { UsesIommu = false, MaskBits = 16 }), bench.Range));
        Assert.Contains("16 bits", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.NewDma(new() { MaskBits = 8 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => bench.Importer.Resolve(new VpnRange(bench.Range.Start, 5)));
        Assert.Throws<InvalidOperationException>(() => bench.Fabric.Plug(0));
    }

    [Fact]
    public void Plan_WhatDoesNotFit_IsRefusedByName()
    {
        FabricPlan plan = new PolicyBench.Setup().Plan(4);
        Assert.Contains("\"gpu0\"", Refused(plan with { Members = [plan.Members[0], plan.Members[0]] }), StringComparison.Ordinal);
        Assert.Contains("members 0 and 9", Refused(plan with { Links = [new FabricLink(0, 9, new PathEstimate(1, 1))] }), StringComparison.Ordinal);
        Assert.Contains("[0, 0, 1]", Refused(plan with { ProbeOrder = [0, 0, 1] }), StringComparison.Ordinal);
        Assert.Contains("over no memory", Refused(plan with { Members = [new FabricMember { Name = "nic", WindowPageCount = 512 }] }), StringComparison.Ordinal);
    }

    private static string Refused(FabricPlan plan) => Assert.Throws<ArgumentException>(plan.Validate).Message;
}
