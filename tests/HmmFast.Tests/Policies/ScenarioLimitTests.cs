using System.Text;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;

namespace HmmFast.Tests.Policies;

/// <summary>Scenarios that run into a bound while they run: memory, frame numbers, page states, unplugging that finds no room.</summary>
public class ScenarioLimitTests
{
    [Fact]
    public void Run_SystemMemoryRunsOutDuringMigration_FailsThoseRequestsAndKeepsThePages()
    {
        PolicyScenario scenario = Edited(
            "unreachable-peer", "\"memory\": \"256MiB\"", "\"memory\": \"64MiB\", \"systemMemory\": \"34MiB\"");
        ContentMemory memory = new(scenario.PageCount);
        PolicyComparisonReport report = PolicyComparison.Run(
            scenario, memory, [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward], progress: memory);
        Assert.True(memory.ComparedPages >= scenario.PageCount);

        // 48 MiB lie on the device, 16 of 34 MiB of system memory are taken: 18 MiB have room, 30 MiB have none.
        PolicyResult result = report.Results[0];
        StepShortfall shortfall = Assert.Single(result.Shortfalls);
        Assert.Equal(HmmStatus.OutOfMemory, shortfall.Status);
        Assert.Equal(30UL << 8, result.MissingFrames);
        Assert.Equal(result.OutOfMemoryRequests, shortfall.Requests);
        Assert.NotEqual(0UL, result.Pages(PageOutcome.Failed));
        Assert.Equal($"mine.json:13: nic1 reads: OutOfMemory in {shortfall.Requests} requests: {30 << 8} frames of system memory missing", shortfall.Describe(scenario));
    }

    [Fact]
    public void Run_SystemMemoryRunsOut_ReferenceFindsTheSameShortfall()
    {
        PolicyScenario scenario = Edited(
            "unreachable-peer", "\"memory\": \"256MiB\"", "\"memory\": \"64MiB\", \"systemMemory\": \"34MiB\"");
        PolicyComparisonReport report = PolicyComparison.Run(scenario, scenario.OpenMemory(), PolicyCatalog.All, [FaultHabit.RunForward, FaultHabit.OnlyAsked], verify: true);
        Assert.Empty(report.Differences);
        Assert.Contains(report.Results, result => result.OutOfMemoryRequests == 0);
        Assert.Contains(report.Results, result => result.OutOfMemoryRequests != 0);
    }

    [Fact]
    public void Run_UnplugFindsNoRoom_PlugTriesAgainAndBothAreTold()
    {
        PolicyScenario scenario = Edited(
            "unplug",
            "\"memory\": \"256MiB\"",
            "\"memory\": \"64MiB\", \"systemMemory\": \"8MiB\"",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" },",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" },\n { \"do\": \"plug\", \"device\": \"gpu1\" },");
        PolicyComparisonReport report = PolicyComparison.Run(scenario, scenario.OpenMemory(), [new CoreDistancePolicy()], [FaultHabit.RunForward], verify: true);
        Assert.Empty(report.Differences);
        PolicyResult result = report.Results[0];
        Assert.Equal(2UL, result.FailedChanges);
        Assert.StartsWith("mine.json:17: unplug gpu1: OutOfMemory: ", result.Shortfalls[0].Describe(scenario), StringComparison.Ordinal);
        Assert.StartsWith("mine.json:18: plug gpu1: OutOfMemory: ", result.Shortfalls[1].Describe(scenario), StringComparison.Ordinal);
        Assert.Contains("frames of system memory, for pages that are still on gpu1, missing", result.Shortfalls[0].Describe(scenario), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_DeviceMemoryIsFull_IsToldByTheStepThatMovesBack()
    {
        // gpu0 has room for what is placed on it, until it takes other pages in as it faults.
        PolicyScenario scenario = Edited(
            "unreachable-peer",
            "\"memory\": \"256MiB\"",
            "\"memory\": \"16MiB\"",
            "\"memory\": \"auto\", \"owner\": \"gpu-driver\"",
            "\"memory\": \"12MiB\", \"gpu\": { \"migratesOnFault\": true, \"migrationTryLimit\": 1, \"evictLimit\": 0 }",
            "{ \"do\": \"fault\", \"by\": \"nic1\" }",
            "{ \"do\": \"fault\", \"by\": \"nic1\" }, { \"do\": \"fault\", \"by\": \"gpu0\", \"from\": 0.5 },\n { \"do\": \"restore\" }");
        PolicyComparisonReport report = PolicyComparison.Run(scenario, scenario.OpenMemory(), [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward], verify: true);
        Assert.Empty(report.Differences);
        Assert.NotEqual(0UL, report.Results[0].FullDeviceMoves);
        Assert.Equal("mine.json:14: devices take back: OutOfMemory: 512 pages of gpu0's memory missing", Assert.Single(report.Results[0].Shortfalls).Describe(scenario));
    }

    [Theory]
    [InlineData(64, "page states")]
    [InlineData(1000, "page states")]
    public void Run_PagemapsRegisteredOverAndOver_IsRefusedByLineAndRound(int rounds, string says)
    {
        PolicyScenario scenario = Edited(
            "link-down", "\"memory\": \"256MiB\"", $"\"memory\": \"16MiB\", \"rounds\": {rounds}", "{ \"do\": \"linkUp\"", "{ \"do\": \"restore\" },\n { \"do\": \"linkUp\"");
        ScenarioException thrown = Assert.Throws<ScenarioException>(() =>
            PolicyComparison.Run(scenario, scenario.OpenMemory(), PolicyCatalog.Find("P8a"), [FaultHabit.RunForward]));
        Assert.StartsWith("mine.json:", thrown.Message, StringComparison.Ordinal);
        Assert.Contains($" of {rounds}, under dynamic-owner-evict: after ", thrown.Message, StringComparison.Ordinal);
        Assert.Contains(says, thrown.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Read_DevicePluggedInOverAndOverWithPages_IsRefusedByLineAndRound()
    {
        HmmFast.Simulation.Machines.MachineReadException thrown = Assert.Throws<HmmFast.Simulation.Machines.MachineReadException>(() => Edited(
            "unplug",
            "\"memory\": \"256MiB\"",
            "\"memory\": \"8MiB\", \"rounds\": 100",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" },",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" }, { \"do\": \"plug\", \"device\": \"gpu1\" },\n { \"do\": \"restore\" },"));
        Assert.Equal(17, thrown.Line);
        Assert.Contains("in round 25 this makes private pagemap 27; page classes leave room for 26", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_PluggingTakesMoreFrameNumbersThanThereAre_IsRefusedBeforeItStarts()
    {
        PolicyScenario scenario = Edited(
            "unplug",
            "\"memory\": \"256MiB\"",
            "\"memory\": \"64GiB\", \"rounds\": 1000",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" },",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" }, { \"do\": \"plug\", \"device\": \"gpu1\" },");
        ScenarioException thrown = Assert.Throws<ScenarioException>(() =>
            PolicyComparison.Run(scenario, scenario.OpenMemory(), [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward]));
        Assert.StartsWith("mine.json:13: 64 GiB of memory take ", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SecondRoundOfAPlugStep_IsRefusedWhenRead()
    {
        HmmFast.Simulation.Machines.MachineReadException thrown = Assert.Throws<HmmFast.Simulation.Machines.MachineReadException>(() => Edited(
            "unplug",
            "\"memory\": \"256MiB\"",
            "\"memory\": \"16MiB\", \"rounds\": 2",
            "\"0000:65:00.0\"",
            "\"0000:65:00.0\", \"plugged\": false",
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" }",
            "{ \"do\": \"plug\", \"device\": \"gpu1\" }"));
        Assert.Equal(17, thrown.Line);
        Assert.Contains("plugged in already here in the second round (line 17)", thrown.Message, StringComparison.Ordinal);
    }

    internal static PolicyScenario Edited(string name, params string[] pairs)
    {
        string text = ScenarioReader.EmbeddedText(name);
        for (int i = 0; i < pairs.Length; i += 2)
        {
            Assert.Contains(pairs[i], text, StringComparison.Ordinal);
            text = text.Replace(pairs[i], pairs[i + 1], StringComparison.Ordinal);
        }

        return ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json");
    }

    /// <summary>One mapping whose contents are tracked, looked at after every step.</summary>
    private sealed class ContentMemory(ulong pageCount) : ScenarioMemory, IProgress<(ulong Done, ulong Total)>
    {
        private readonly ScenarioMemory _plain = OfSize(pageCount);
        private IAddressSpace? _space;

        public ulong ComparedPages { get; private set; }

        public override string Name => _plain.Name;

        public override IReadOnlyList<VpnRange> Extents => _plain.Extents;

        public override bool IsEmptyAtFirst => true;

        public override MemorySystemOptions Options(ulong? systemFrameCount) => _plain.Options(systemFrameCount) with { TrackContent = true };

        public override IAddressSpace Build(IMemorySystem memory) => _space = _plain.Build(memory);

        public void Report((ulong Done, ulong Total) value)
        {
            HmmPfnLayout layout = _space!.Memory.Options.Layout;
            foreach (VpnRange extent in Extents)
            {
                HmmPfn[] words = new HmmPfn[extent.PageCount];
                DevicePages.Snapshot(_space, extent, words);
                for (int i = 0; i < words.Length; i++)
                {
                    // Every page was written with its own number.
                    Assert.True(layout.IsValid(words[i]), $"page {i} is gone");
                    Assert.Equal(extent.Start.Value + (ulong)i, _space.Memory.ReadContent(layout.PfnOf(words[i])));
                    ComparedPages++;
                }
            }
        }
    }
}
