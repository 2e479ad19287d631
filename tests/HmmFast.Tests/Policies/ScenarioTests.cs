using System.Text;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Machines;

namespace HmmFast.Tests.Policies;

/// <summary>Scenario files, the comparison over them, and what is said of files that are wrong.</summary>
public class ScenarioTests
{
    private const ulong Pages = 24 << 8;

    [Fact]
    public void EmbeddedScenarios_AreTheOnesWhoseDifferencesAreKnown() => Assert.Equal(
        ["clique-chain", "clique-ring", "default", "link-down", "mixed-ranges", "own-behind", "small-bar", "two-clients", "unplug", "unreachable-peer"], ScenarioReader.EmbeddedNames.Order(StringComparer.Ordinal));

    // Each scenario is there because policies differ on it: those with the same outcome stand together.
    [Theory]
    [InlineData("default", "P0 P4 P7 P8a P8b P8c | P1 P2a | P2b P2c | P3 P10 P11 | P5 P6 | P9")]
    [InlineData("unreachable-peer", "P0 P3 P4 P5 P6 P7 P8a P8b P8c P9 P10 P11 | P1 P2a | P2b P2c")]
    [InlineData("link-down", "P0 P1 P2a P2b P2c P3 P4 P5 P6 P11 | P7 P8b P8c P10 | P8a | P9")]
    [InlineData("clique-chain", "P0 P3 P7 P11 | P1 P2a | P2b P2c | P4 P5 P8c P10 | P6 P8a P8b P9")]
    [InlineData("clique-ring", "P0 P3 P7 P11 | P1 P2a | P2b P2c | P4 P5 P8c P10 | P6 P8a P8b P9")]
    [InlineData("mixed-ranges", "P0 P4 P7 P8a P8b P8c | P1 P2a | P2b | P2c P9 | P3 P10 P11 | P5 P6")]
    [InlineData("own-behind", "P0 P4 P7 P8a P8b P8c | P1 P2a P2b P2c P3 P10 P11 | P5 P6 | P9")]
    [InlineData("small-bar", "P0 P4 P7 P8a P8b P8c | P1 P2a P2b P2c P3 P10 P11 | P5 P6 | P9")]
    [InlineData("unplug", "P0 P4 P7 P8a P8b P8c | P1 P2a P2b P2c P3 P10 P11 | P5 P6 P9")]
    [InlineData("two-clients", "P0 P4 P7 P8a P8b P8c | P1 P2a | P2b P2c | P3 P10 P11 | P5 P6 P9")]
    public void EmbeddedScenario_EveryPolicyAndHabit_ReferenceGivesTheSameAndThesePoliciesDiffer(string name, string groups)
    {
        PolicyScenario scenario = ScenarioReader.Open(name);
        PolicyComparisonReport report = PolicyComparison.Run(
            scenario, ScenarioMemory.OfSize(Pages), PolicyCatalog.All, [FaultHabit.RunForward, FaultHabit.OnlyAsked], verify: true);
        Assert.Empty(report.Differences);
        Assert.Equal(32, report.Results.Count);

        string[] outcome = ["privatePages", "aliasBusPages", "aliasHostBridgePages", "systemPages", "failedPages", "unusablePfns", "migratedPages", "collateralPages", "secondCalls"];
        Assert.Equal(groups, string.Join(" | ", report.Results
            .Where(result => result.Habit == FaultHabit.RunForward)
            .GroupBy(result => string.Join(' ', outcome.Select(metric => PolicyMetrics.Find(metric).Value(result))))
            .Select(group => string.Join(' ', group.Select(result => PolicyCatalog.NumberOf(result.Policy))))));
    }

    [Fact]
    public void OwnPolicy_InAFileOfItsOwn_IsComparedLikeTheOthers()
    {
        PolicyComparisonReport report = PolicyComparison.Run(
            ScenarioReader.Open("default"),
            ScenarioMemory.OfSize(Pages),
            [OwnerOnlyPolicy.Instance, new CoreDistancePolicy(), new SameSwitchPolicy()],
            [FaultHabit.RunForward],
            verify: true);
        Assert.Empty(report.Differences);
        PolicyResult core = report.Results[1];
        PolicyResult own = report.Results[2];
        Assert.Equal(core.Pages(PageOutcome.AliasBus), own.Pages(PageOutcome.AliasBus));
        Assert.NotEqual(0UL, core.Pages(PageOutcome.AliasHostBridge));
        Assert.Equal(0UL, own.Pages(PageOutcome.AliasHostBridge));
        Assert.Equal("", PolicyCatalog.NumberOf(own.Policy));
    }

    [Fact]
    public void Comparison_MixedRanges_FaultThatRunsForwardTakesNeighboursAlong()
    {
        PolicyComparisonReport report = PolicyComparison.Run(
            ScenarioReader.Open("mixed-ranges"), ScenarioMemory.OfSize(Pages), [new CoreDistancePolicy()], [FaultHabit.RunForward, FaultHabit.OnlyAsked]);
        double collateral = PolicyMetrics.Find("collateralPages").Value(report.Results[0]);
        Assert.True(collateral > 0);
        Assert.Equal(collateral, PolicyMetrics.Find("collateralByFaultPages").Value(report.Results[0]));
        Assert.Equal(0, PolicyMetrics.Find("collateralPages").Value(report.Results[1]));
    }

    [Theory]
    [InlineData("\"rounds\": 2,", "\"ronds\": 2,", "'ronds'", "'rounds'")]
    [InlineData("\"placement\"", "\"placment\"", "'placment'", "'placement'")]
    [InlineData("\"devices\"", "\"devcies\"", "'devcies'", "'devices'")]
    [InlineData("\"run\"", "\"rum\"", "'rum'", "'run'")]
    [InlineData("\"by\"", "\"buy\"", "'buy'", "'by'")]
    [InlineData("\"memory\": \"auto\"", "\"memoryy\": \"auto\"", "'memoryy'", "'memory'")]
    [InlineData("\"on\": \"system\"", "\"on\": \"systme\"", "'systme'", "the nearest known one is 'system'")]
    [InlineData("\"do\": \"fault\"", "\"do\": \"fualt\"", "'fualt'", "unknown step; the nearest known one is 'fault'")]
    [InlineData("\"by\": \"gpu0\"", "\"by\": \"gpu9\"", "'gpu9'", "gpu0, gpu1, nic0, nic1")]
    [InlineData("\"to\": \"gpu1\"", "\"to\": \"gpu0\"", "'gpu0'", "joins two devices")]
    [InlineData("\"process\": \"default\"", "\"memory\": \"1GB\"", "'1GB'", "such as \"2MiB\"")]
    [InlineData("\"process\": \"default\"", "\"memory\": \"9999TiB\"", "'9999TiB'", "8 TiB")]
    [InlineData("\"do\": \"restore\"", "\"do\": \"linkDown\", \"link\": \"gpu0-gpu7\"", "'gpu0-gpu7'", "gpu0-gpu1")]
    [InlineData("\"machine\": \"two-gpus\"", "\"machine\": \"no-such-file\"", "'no-such-file'", "neither an embedded machine (the nearest is '")]
    [InlineData("0000:19:00.0", "0000:99:00.0", "'0000:99:00.0'", "no such function")]
    [InlineData("\"uses\": 4", "\"uses\": -4", "'-4'", "not negative")]
    [InlineData("\"process\": \"default\"", "\"process\": \"defaul\"", "'defaul'", "the embedded process")]
    [InlineData("\"process\": \"default\"", "\"process\": \"default\", \"memory\": \"1GiB\"", "'default'", "not both")]
    [InlineData("\"machine\": \"two-gpus\"", "\"machine\": \"two-gpu\"", "'two-gpu'", "the nearest is 'two-gpus'")]
    [InlineData("0000:65:00.0", "0000:19:00.0", "'0000:19:00.0'", "\"gpu0\" (line 9) is the device at this address")]
    [InlineData("\"uses\": 4", "\"habit\": \"runForwards\"", "'runForwards'", "'runForward'")]
    [InlineData("\"uses\": 4", "\"typedOutputOf\": \"multipaht\"", "'multipaht'", "'multipath'")]
    [InlineData("\"uses\": 4", "\"checksPaid\": \"perpage\"", "'perpage'", "'perPage'")]
    [InlineData("\"uses\": 4", "\"paths\": [ { \"provider\": \"gpu0\", \"client\": \"nic7\", \"bytesPerSecond\": 1, \"latencyNs\": 1 } ]", "'nic7'", "nic0")]
    [InlineData("\"do\": \"restore\"", "\"do\": \"plug\", \"device\": \"nic1\"", "'nic1'", "plugged in already here (line 12)")]
    public void Read_WrongValue_NamesFileLineAndValue(string original, string replacement, string value, string says)
    {
        string text = ScenarioReader.EmbeddedText("default");
        int at = text.IndexOf(original, StringComparison.Ordinal);
        Assert.True(at >= 0, original);
        string wrong = string.Concat(text.AsSpan(0, at), replacement, text.AsSpan(at + original.Length));
        MachineReadException thrown = Assert.Throws<MachineReadException>(() => ScenarioReader.Parse(Encoding.UTF8.GetBytes(wrong), "mine.json"));
        Assert.StartsWith("mine.json", thrown.Message, StringComparison.Ordinal);
        Assert.Contains(value, thrown.Message, StringComparison.Ordinal);
        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
        Assert.Equal(text[..at].Count(letter => letter == '\n') + 1, thrown.Line);
    }

    [Fact]
    public void Read_AnotherFormat_SaysSoOfTheWholeObject()
    {
        string text = ScenarioReader.EmbeddedText("default").Replace("\"hmmfast-scenario\"", "\"other\"", StringComparison.Ordinal);
        MachineReadException thrown = Assert.Throws<MachineReadException>(() => ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json"));
        Assert.StartsWith("mine.json", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("this is no scenario", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(text[..text.IndexOf('{', StringComparison.Ordinal)].Count(letter => letter == '\n') + 1, thrown.Line);
    }

    [Fact]
    public void Read_MemberThatIsMissing_SaysSoByLineWithoutQuotingTheObject()
    {
        const string run = ", \"run\": \"";
        string text = ScenarioReader.EmbeddedText("default");
        int at = text.IndexOf(run, StringComparison.Ordinal);
        text = text.Remove(at, text.IndexOf(" }", at, StringComparison.Ordinal) - at);
        MachineReadException thrown = Assert.Throws<MachineReadException>(() => ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json"));
        Assert.Equal($"mine.json:{text[..at].Count(letter => letter == '\n') + 1}: the member 'run' is missing", thrown.Message);
    }

    [Theory]
    [InlineData("\"unplug\", \"device\": \"gpu1\"", "\"unplug\", \"device\": \"nic0\"", 18, "'nic0'", "is not plugged in here (line 17)")]
    [InlineData("\"unplug\", \"device\": \"gpu1\"", "\"evict\", \"device\": \"nic0\"", 17, "'nic0'", "has no memory")]
    [InlineData("\"0000:1a:00.0\"", "\"0000:1a:00.0\", \"plugged\": false", 16, "'nic0'", "is not plugged in here (line 10)")]
    public void Read_StepThatItsDeviceCannotDo_IsRefusedByLine(string original, string replacement, int line, string value, string says)
    {
        string text = ScenarioReader.EmbeddedText("unplug");
        Assert.Contains(original, text, StringComparison.Ordinal);
        MachineReadException thrown = Assert.Throws<MachineReadException>(() =>
            ScenarioReader.Parse(Encoding.UTF8.GetBytes(text.Replace(original, replacement, StringComparison.Ordinal)), "mine.json"));
        Assert.Equal(line, thrown.Line);
        Assert.Contains(value, thrown.Message, StringComparison.Ordinal);
        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeviceUnpluggedAndPluggedInAgain_MayFault()
    {
        string text = ScenarioReader.EmbeddedText("unplug").Replace(
            "{ \"do\": \"unplug\", \"device\": \"gpu1\" }", "{ \"do\": \"unplug\", \"device\": \"nic0\" }, { \"do\": \"plug\", \"device\": \"nic0\" }", StringComparison.Ordinal);
        PolicyScenario scenario = ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json");
        PolicyComparisonReport report = PolicyComparison.Run(
            scenario, ScenarioMemory.OfSize(Pages), PolicyCatalog.All, [FaultHabit.RunForward], verify: true);
        Assert.Empty(report.Differences);
        Assert.NotEqual(0UL, report.Results[0].MigratedPages);
    }

    [Fact]
    public void Read_NoStepThatFaults_Refused()
    {
        string text = ScenarioReader.EmbeddedText("unplug");
        int at = text.IndexOf("\"steps\"", StringComparison.Ordinal);
        text = text[..at] + "\"steps\": [ { \"do\": \"unplug\", \"device\": \"nic0\" } ] }";
        MachineReadException thrown = Assert.Throws<MachineReadException>(() => ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json"));
        Assert.Contains("at least one step that faults", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"memory\": \"auto\", \"owner\": \"gpu-driver\", \"window\": \"8KiB\"", "smaller than one chunk")]
    [InlineData("\"memory\": \"64MiB\", \"owner\": \"gpu-driver\", \"window\": \"128MiB\"", "larger than the 64 MiB")]
    [InlineData("\"memory\": \"none\", \"window\": \"25%\"", "has no memory that a window could show")]
    [InlineData("\"memory\": \"auto\", \"window\": \"125%\"", "0% to 100%")]
    [InlineData("\"memory\": \"auto\", \"dma\": { \"maskBits\": 8 }", "12 to 64 bits")]
    [InlineData("\"memory\": \"auto\", \"dma\": { \"iomu\": true }", "'iommu'")]
    [InlineData("\"memory\": \"auto\", \"dma\": { \"offset\": \"0x1000\" }", "with an IOMMU nothing is added")]
    [InlineData("\"memory\": \"auto\", \"dma\": { \"maskBits\": 30, \"iovaStart\": \"0x80000000\" }", "start at or below its mask")]
    [InlineData("\"memory\": \"auto\", \"busOffset\": \"0x1234\"", "a multiple of 4096")]
    [InlineData("\"memory\": \"auto\", \"owner\": null", "private memory needs an owner")]
    [InlineData("\"memory\": \"none\", \"gpu\": { \"evictLimit\": 1 }", "only a device with memory moves pages")]
    [InlineData("\"memory\": \"auto\", \"gpu\": { \"migrateOnFault\": true }", "'migratesOnFault'")]
    public void Read_WrongDevice_SaysWhatDoesNotFit(string members, string says)
    {
        string text = ScenarioReader.EmbeddedText("small-bar").Replace("\"memory\": \"auto\", \"owner\": \"gpu-driver\", \"window\": \"25%\"", members, StringComparison.Ordinal);
        MachineReadException thrown = Assert.Throws<MachineReadException>(() => ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json"));
        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"memory\": \"256MiB\"", "\"memory\": \"256MiB\", \"systemMemory\": \"1MiB\"", "mine.json:11: system memory of 256 frames is too small")]
    [InlineData("\"memory\": \"auto\"", "\"memory\": \"2MiB\"", "mine.json:8: \"gpu0\" has 512 pages of memory; the scenario places 65536")]
    [InlineData("\"window\": \"25%\"", "\"window\": \"0.5%\"", "mine.json:8: \"gpu0\": its window comes to less than one chunk of 512 pages")]
    [InlineData("\"window\": \"25%\"", "\"unmappedChunks\": [ 128 ]", "mine.json:8: \"gpu0\" has 128 chunks with a window; there is no chunk 128")]
    [InlineData("\"0000:1a:00.0\"", "\"0000:1a:00.0\", \"dma\": { \"needsSync\": true }", "mine.json:9: \"nic0\" would need bouncing or syncing")]
    [InlineData("\"0000:1a:00.0\"", "\"0000:1a:00.0\", \"dma\": { \"iommu\": false, \"maskBits\": 20 }", "maskBits 20")]
    [InlineData("\"0000:1a:00.0\"", "\"0000:1a:00.0\", \"dma\": { \"maskBits\": 27, \"iovaStart\": \"0x0\" }", "mine.json:9: \"nic0\" has no free IOVA range of 65536 pages")]
    [InlineData("\"memory\": \"256MiB\"", "\"memory\": \"8TiB\"", "mine.json:11: 8 TiB of memory take")]
    public void Run_WhatDoesNotFit_SaysSo(string original, string replacement, string says)
    {
        string text = ScenarioReader.EmbeddedText("small-bar").Replace(original, replacement, StringComparison.Ordinal);
        PolicyScenario scenario = ScenarioReader.Parse(Encoding.UTF8.GetBytes(text), "mine.json");
        ScenarioException thrown = Assert.Throws<ScenarioException>(() =>
            PolicyComparison.Run(scenario, ScenarioMemory.OfSize(scenario.PageCount), [OwnerOnlyPolicy.Instance], [FaultHabit.RunForward]));
        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
    }
}
