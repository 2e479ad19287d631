using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Costs;

namespace HmmFast.Tests.Policies;

/// <summary>What a comparison counts: checks of each call, per pair, by whose owner, and what a scenario file can say of it.</summary>
public class CallCountTests
{
    // One 2 MiB range of 330 pages of gpu0, 1 of gpu1 that nic0 cannot reach, 165 of gpu0, 16 of system memory.
    private static PolicyScenario OneRange(params string[] edits) =>
        ScenarioLimitTests.Edited("mixed-ranges", ["\"memory\": \"256MiB\"", "\"memory\": \"2MiB\"", "\"rounds\": 2", "\"rounds\": 1", .. edits]);

    [Fact]
    public void Checks_CoreDistance_AreThoseOfEveryCall()
    {
        PolicyResult run = Result(OneRange(), new CoreDistancePolicy());

        // The callback and the look-up for 331 pages in two runs; EBUSY; then for the 330 that the fault did not take along.
        Assert.Equal((331UL + 330, 2UL + 1), run.ChecksOf(PolicyChecks.ExporterCallback));
        Assert.Equal((331UL + 330, 2UL + 1), run.ChecksOf(PolicyChecks.DistanceLookup));
        Assert.Equal(2UL, run.Importers.RangeFaultCalls);
        PolicyResult asked = Result(OneRange(), new CoreDistancePolicy(), FaultHabit.OnlyAsked);
        Assert.Equal((331UL + 495, 2UL + 2), asked.ChecksOf(PolicyChecks.ExporterCallback));
    }

    [Fact]
    public void Checks_PerPageRetry_SecondAndStaleCallsArePaidToo()
    {
        PolicyResult run = Result(OneRange(), new AliasOnRequestPolicy(MapFailureAnswer.PerPage));

        // All 496 aliases in three runs; the failing page falls after 330 asked again, which ends in EBUSY; 330 once more.
        Assert.Equal((496UL + 330 + 330, 3UL + 1 + 1), run.ChecksOf(PolicyChecks.ExporterCallback));
        Assert.Equal(1UL, run.Importers.SecondCalls);
        Assert.Equal(1UL, run.Importers.BusyRetries);
        Assert.Equal(1UL, run.Pairs.Single(pair => pair.Provider == 1 && pair.Client == 2).MapFailures);
    }

    [Fact]
    public void Checks_PagesThatAreHeld_AreNotChargedAgain()
    {
        PolicyScenario once = OneRange();
        PolicyScenario twice = OneRange("{ \"do\": \"fault\", \"by\": \"nic0\" }", "{ \"do\": \"fault\", \"by\": \"nic0\" }, { \"do\": \"fault\", \"by\": \"nic0\" }");
        PolicyResult first = Result(once, new CoreDistancePolicy());
        PolicyResult second = Result(twice, new CoreDistancePolicy());
        Assert.Equal(first.ChecksOf(PolicyChecks.ExporterCallback), second.ChecksOf(PolicyChecks.ExporterCallback));
    }

    [Fact]
    public void Checks_WindowThatShowsAPart_IsJudgedPageByPage()
    {
        PolicyScenario scenario = ScenarioLimitTests.Edited(
            "small-bar", "\"memory\": \"256MiB\"", "\"memory\": \"2MiB\"", "\"window\": \"25%\"", "\"chunk\": \"512KiB\", \"unmappedChunks\": [ 2 ]");
        PolicyResult run = Result(scenario, new CoreDistancePolicy(), FaultHabit.OnlyAsked);

        // Chunks 0 and 1 are offered, the first page of chunk 2 falls, and so on for each of its 128 pages; chunk 3 is reached by the last call.
        Assert.Equal(384UL, run.Pages(PageOutcome.AliasBus));
        Assert.Equal(128UL, run.Pages(PageOutcome.System));
        Assert.Equal((128UL * 257) + 384, run.ChecksOf(PolicyChecks.ExporterCallback).Pages);
        Assert.Equal((128UL * 256) + 384, run.ChecksOf(PolicyChecks.DistanceLookup).Pages);
        Assert.Equal((128UL * 2) + 2, run.ChecksOf(PolicyChecks.ExporterCallback).Runs);
    }

    [Fact]
    public void Costs_ChecksPaid_ChargesRunsOrPages()
    {
        PolicyResult perRun = Result(OneRange(), new CoreDistancePolicy());
        PolicyResult perPage = Result(OneRange("\"machine\": \"two-gpus\"", "\"machine\": \"two-gpus\", \"checksPaid\": \"perPage\""), new CoreDistancePolicy());
        CostModel costs = CostModel.Default;
        Assert.Equal(CheckCharge.PerRun, costs.ChecksPaid);
        Assert.Equal((661 - 3) * (costs["exporterCallbackNs"] + costs["distanceLookupNs"]), perPage.SetupTimeNs - perRun.SetupTimeNs, 3);
    }

    [Fact]
    public void Pairs_OfTheDefaultScenario_AddUpToTheMetrics()
    {
        PolicyComparisonReport report = PolicyComparison.Run(ScenarioReader.Open("default"), ScenarioMemory.OfSize(24 << 8), PolicyCatalog.All, [FaultHabit.RunForward]);
        foreach (PolicyResult result in report.Results)
        {
            Assert.Equal(Metric(result, "migratedPages"), Sum(result, pair => pair.MigratedPages));
            Assert.Equal(Metric(result, "pingPongPages"), Sum(result, pair => pair.PingPongPages));
            Assert.Equal(Metric(result, "checksPerPage"), Sum(result, pair => pair.ChecksPerPage));
            Assert.Equal(Metric(result, "checksPerRun"), Sum(result, pair => pair.ChecksPerRun));
            Assert.Equal(Metric(result, "dmaMapFailures"), Sum(result, pair => pair.MapFailures));
            Assert.Equal(Metric(result, "useTimeNs"), result.Pairs.Sum(pair => pair.UseTimeNs));
            Assert.True(result.Pairs.Max(pair => pair.BusyCalls) <= Metric(result, "busyRetries"));
        }
    }

    [Fact]
    public void ForcedNullOwner_OwnPages_AreNoCollateralAndExplainedWithoutAnOwner()
    {
        PolicyScenario scenario = ScenarioLimitTests.Edited(
            "link-down", "\"memory\": \"256MiB\"", "\"memory\": \"8MiB\"", "{ \"do\": \"linkDown\"", "{ \"do\": \"fault\", \"by\": \"gpu0\", \"forcesSystem\": true }, { \"do\": \"linkDown\"", "{ \"do\": \"fault\", \"by\": \"gpu0\" },\n    { \"do\": \"linkUp\"", "{ \"do\": \"linkUp\"");
        scenario = scenario with { Steps = [.. scenario.Steps.Skip(1)] };
        PolicyComparisonReport report = PolicyComparison.Run(
            scenario, scenario.OpenMemory(), [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward], explained: new Vpn(1 << 20));
        Assert.Equal(0, Metric(report.Results[0], "collateralPages"));
        Assert.Equal(2048, Metric(report.Results[0], "migratedPages"));
        Assert.Contains(report.Traces[0].Lines, line => line.Contains("O=0 (owners 1 and NULL)", StringComparison.Ordinal));
    }

    [Fact]
    public void CoherentMemory_Pairs_NameTheDeviceAndCountNoSystemPages()
    {
        PolicyScenario scenario = ScenarioLimitTests.Edited("small-bar", "\"memory\": \"256MiB\"", "\"memory\": \"4MiB\"", "\"window\": \"25%\"", "\"kind\": \"coherent\"");
        PolicyComparisonReport report = PolicyComparison.Run(scenario, scenario.OpenMemory(), [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward], verify: true);
        Assert.Empty(report.Differences);
        PairCounts pair = Assert.Single(report.Results[0].Pairs, pair => pair.Total != 0);
        Assert.Equal(0, pair.Provider);
        Assert.Equal(1024, Metric(report.Results[0], "coherentPages"));
        Assert.Equal(0, Metric(report.Results[0], "systemPages"));
    }

    [Fact]
    public void LostPairs_LinkThatGoesDown_TheMostAtAnyTimeCounts()
    {
        PolicyScenario scenario = ScenarioLimitTests.Edited("clique-chain", "\"memory\": \"240MiB\"", "\"memory\": \"6MiB\"", "{ \"do\": \"fault\", \"by\": \"gpu1\" }", "{ \"do\": \"fault\", \"by\": \"gpu1\" }, { \"do\": \"linkDown\", \"link\": \"gpu1-gpu2\" }");
        Assert.Equal(1, Metric(Result(scenario, PolicyCatalog.Find("P8b")[0]), "pairsLostToCliques"));
    }

    [Fact]
    public void OwnBehind_BothHabits_OnlyTheOneThatRunsForwardPullsOwnPagesBack()
    {
        PolicyScenario scenario = ScenarioReader.Open("own-behind");
        Assert.Equal([FaultHabit.RunForward, FaultHabit.OnlyAsked], scenario.Habits);
        PolicyComparisonReport report = PolicyComparison.Run(scenario, ScenarioMemory.OfSize(512 * 4), [OwnerOnlyPolicy.Instance, new CoreDistancePolicy()], scenario.Habits, verify: true);
        Assert.Empty(report.Differences);

        // Two blocks of each kind with 383 own pages behind the page that is faulted, and 128 in front of it, which stay.
        Assert.Equal(4 * 383, Metric(report.Results[0], "ownPulledBackPages"));
        Assert.Equal(2 * 383, Metric(report.Results[1], "ownPulledBackPages"));
        Assert.Equal(4 * 128, Metric(report.Results[0], "localPages"));
        Assert.Equal(0, Metric(report.Results[2], "ownPulledBackPages"));
        Assert.Equal(0, Metric(report.Results[3], "ownPulledBackPages"));
        Assert.Equal(4 * 511, Metric(report.Results[2], "localPages"));
    }

    [Fact]
    public void Scenario_MemoryWithoutStructPage_IsMappedWhereTheProviderIsReached()
    {
        PolicyScenario scenario = ScenarioLimitTests.Edited(
            "two-clients", "\"steps\": [", "\"steps\": [ { \"do\": \"mapProvider\", \"provider\": \"gpu0\", \"by\": \"nic0\", \"size\": \"4MiB\" }, { \"do\": \"mapProvider\", \"provider\": \"gpu0\", \"by\": \"nic1\", \"size\": \"1MiB\" },");
        PolicyComparisonReport report = PolicyComparison.Run(scenario, ScenarioMemory.OfSize(2048), [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward], verify: true);
        Assert.Empty(report.Differences);
        Assert.Equal(scenario.Rounds * 1024, Metric(report.Results[0], "providerPages"));
        Assert.Equal((ulong)scenario.Rounds * 1024, report.Results[0].Pages(PageOutcome.AliasBus));
        Assert.Equal((ulong)scenario.Rounds * 256, report.Results[0].Pages(PageOutcome.Failed));
    }

    [Fact]
    public void Scenario_EveryFurtherMember_ChangesWhatItSays()
    {
        PolicyScenario scenario = OneRange(
            "\"machine\": \"two-gpus\"",
            "\"machine\": \"two-gpus\", \"callSize\": \"1MiB\", \"retryLimit\": 0, \"typedOutputOf\": \"multipath\", \"paths\": [ { \"provider\": \"gpu0\", \"client\": \"nic0\", \"bytesPerSecond\": 1e6, \"latencyNs\": 7 } ]",
            "\"owner\": \"gpu0-driver\"",
            "\"owner\": \"gpu0-driver\", \"busOffset\": \"-0x1000\", \"gpu\": { \"migratesOnFault\": true, \"migrationTryLimit\": 5, \"evictLimit\": 6 }, \"dma\": { \"iommu\": false, \"offset\": \"0x2000\" }",
            "\"0000:1a:00.0\"",
            "\"0000:1a:00.0\", \"dma\": { \"iovaStart\": \"0x10000\" }");
        ScenarioDevice gpu = scenario.Devices[0];
        Assert.Equal((-0x1000L, true, 5, 6, 0x2000L), (gpu.BusOffsetBytes, gpu.Gpu.MigratesOnFault, gpu.Gpu.MigrationTryLimit, gpu.Gpu.EvictLimit, gpu.Dma.OffsetBytes));
        Assert.Equal(0x10000UL, scenario.Devices[2].Dma.IovaStart);
        Assert.Equal("multipath", scenario.TypedOutputInner!.Name);
        Assert.Equal(new PathEstimate(1e6, 7), scenario.MakePlan([512, 512, 0]).P2pPath(0, 2));

        // The first stale answer is one too many; two calls of 256 pages, of which the second is stale.
        PolicyResult result = Result(scenario, new CoreDistancePolicy());
        Assert.Equal(2UL, result.Importers.RangeFaultCalls);
        Assert.Equal(1UL, result.Importers.FailedRequests);
    }

    [Fact]
    public void Scenario_DefaultWindow_IsTheMachinesBar()
    {
        PolicyScenario scenario = ScenarioReader.Open("small-bar");
        ScenarioDevice gpu = scenario.Devices[0] with { WindowShare = null, BarBytes = 64UL << 20 };
        scenario = scenario with { Devices = [gpu, scenario.Devices[1]] };
        Assert.Equal(64UL << 8, scenario.MakePlan([65536, 0]).Members[0].WindowPageCount);
        ScenarioException thrown = Assert.Throws<ScenarioException>(() => (scenario with { Devices = [gpu with { WindowShare = 0.5 }, scenario.Devices[1]] }).MakePlan([65536, 0]));
        Assert.Contains("larger than the machine's BAR of 16384 pages", thrown.Message, StringComparison.Ordinal);
    }

    private static PolicyResult Result(PolicyScenario scenario, IHmmPolicy policy, FaultHabit habit = FaultHabit.RunForward)
    {
        PolicyComparisonReport report = PolicyComparison.Run(scenario, scenario.OpenMemory(), [policy], [habit], verify: true);
        Assert.Empty(report.Differences);
        return report.Results[0];
    }

    private static double Metric(PolicyResult result, string name) => PolicyMetrics.Find(name).Value(result);

    private static double Sum(PolicyResult result, Func<PairCounts, ulong> value) => result.Pairs.Sum(pair => (double)value(pair));
}
