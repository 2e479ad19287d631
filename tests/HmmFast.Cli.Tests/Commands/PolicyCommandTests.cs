using System.Text.Json;
using HmmFast.Simulation.Comparison;
using HmmFast.Testing;

namespace HmmFast.Cli.Tests.Commands;

/// <summary>hmmfast run --policy: the tables, JSON, CSV, explanations, and what it refuses.</summary>
public sealed class PolicyCommandTests
{
    private static readonly string[] Small = ["run", "--policy", "all", "--memory", "16MiB"];

    [Fact]
    public void Run_AllPolicies_PrintsARowEachWithin120Columns()
    {
        CommandRun run = CommandRun.Of(Small);
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        foreach (string name in (string[])["P0  owner-only", "P2c alias-on-request-whole-range", "P8b dynamic-owner-cluster", "P11 typed-output"])
        {
            Assert.Equal(3, run.Output.Split('\n').Count(line => line.Contains(name, StringComparison.Ordinal)));
        }

        // The first two lines are sentences and may be longer than a table.
        Assert.All(run.Output.Split('\n').Skip(2).Where(line => !line.Contains(": ", StringComparison.Ordinal) && !line.StartsWith('=')), line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public void Run_Json_HasEveryMetricByNameWithItsUnit()
    {
        CommandRun run = CommandRun.Of([.. Small, "--json", "--pairs"]);
        using JsonDocument json = JsonDocument.Parse(run.Output);
        JsonElement policies = json.RootElement.GetProperty("policies");
        Assert.Equal(16, policies.GetArrayLength());
        foreach (JsonElement policy in policies.EnumerateArray())
        {
            Assert.False(string.IsNullOrEmpty(policy.GetProperty("policy").GetString()));
            foreach (MetricDescription metric in PolicyMetrics.All)
            {
                Assert.True(policy.GetProperty(metric.Name).GetDouble() >= 0);
                Assert.Equal(metric.Unit, json.RootElement.GetProperty("units").GetProperty(metric.Name).GetString());
            }

            ulong asked = policy.GetProperty("requestedPages").GetUInt64();
            Assert.Equal(asked, policy.GetProperty("pairs").EnumerateArray().Aggregate(0UL, (sum, pair) => sum + pair.GetProperty("pages").GetUInt64()));
        }
    }

    [Fact]
    public void Run_Csv_HasAsManyFieldsInEveryLine()
    {
        foreach (string[] extra in (string[][])[["--csv"], ["--csv", "--pairs"]])
        {
            string[] lines = CommandRun.Of([.. Small, .. extra]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(lines.Length > 16);
            Assert.All(lines, line => Assert.Equal(lines[0].Split(',').Length, line.Split(',').Length));
        }
    }

    [Fact]
    public void Run_ExplainOfAPage_TellsEachStep()
    {
        CommandRun run = CommandRun.Of("run", "--policy", "P2b,P3", "--scenario", "mixed-ranges", "--memory", "4MiB", "--explain", "330");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("at first: on gpu1", run.Output, StringComparison.Ordinal);
        Assert.Contains("M=NotSupported", run.Output, StringComparison.Ordinal);
        Assert.Contains("cannot be DMA mapped: those are asked for again without ALLOW_P2P", run.Output, StringComparison.Ordinal);
        Assert.Contains("the page is system memory for it", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--policy ownr-only", "There is no policy 'ownr-only'; the nearest is 'owner-only'")]
    [InlineData("--scenario defalt", "the nearest of those is 'default'")]
    [InlineData("--policy all --memory 8TiB", "--memory '8TiB' has, with the devices' memory and windows, more frames")]
    [InlineData("--policy all --memory 5KiB", "--memory '5KiB'")]
    [InlineData("--scenario no-such", "neither a file nor an embedded scenario")]
    [InlineData("--policy all --habit fast", "There is no habit 'fast'; the nearest is")]
    [InlineData("--policy all --memory 5", "--memory '5'")]
    [InlineData("--policy all --share 0.5", "--share belongs to the job without --policy")]
    [InlineData("--policy all --csv --json", "only one of them")]
    [InlineData("--pairs", "--pairs belongs to the comparison")]
    [InlineData("--policy P0 --memory 16MiB --explain 4096", "page number from 0 to 4095")]
    [InlineData("--policy P0 --memory 16MiB --explain 0x1000", "is not one of the scenario's pages")]
    public void Run_WhatMakesNoSense_IsRefused(string line, string says)
    {
        CommandRun run = CommandRun.Of(["run", .. line.Split(' ')]);
        Assert.NotEqual(ExitCode.Ok, run.ExitCode);
        Assert.Contains(says, run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void Run_MemoryTooLarge_TheSizeItNamesIsTheLargestThatHasFrames()
    {
        CommandRun run = CommandRun.Of("run", "--policy", "all", "--memory", "8TiB");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        ulong gibibytes = ulong.Parse(System.Text.RegularExpressions.Regex.Match(run.Error, "is ([0-9]+)GiB").Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        PolicyScenario scenario = ScenarioReader.Open("default");
        Assert.InRange(FrameBudget.CountFrames(scenario, ScenarioMemory.OfSize(gibibytes << 18)), 1UL, uint.MaxValue);
        Assert.True(FrameBudget.CountFrames(scenario, ScenarioMemory.OfSize((gibibytes + 1) << 18)) > uint.MaxValue);
    }

    [Theory]
    [InlineData(26, 0, null)]
    [InlineData(27, 0, ":33: ")]
    [InlineData(25, 1, null)]
    [InlineData(26, 1, ":35: ")]
    public void Run_MorePrivateDevicesThanPageClasses_ExitsOneNamingFileLineAndNumber(int deviceCount, int replugs, string? refusedAt)
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("many.scenario.json");
        File.WriteAllText(path, ManyDevices(deviceCount, replugs));
        CommandRun run = CommandRun.Of("run", "--policy", "P0", "--scenario", path, "--memory", "4MiB");
        if (refusedAt is null)
        {
            Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
            return;
        }

        Assert.Equal((ExitCode.Error, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"hmmfast: {path}{refusedAt}", run.Error, StringComparison.Ordinal);
        Assert.Contains("27", run.Error, StringComparison.Ordinal);
        Assert.Contains("page classes leave room for 26", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(letter => letter == '\n'));
    }

    [Fact]
    public void Run_SystemMemoryRunsOut_IsToldByFileLineStatusAndFrames()
    {
        using TemporaryDirectory directory = new();
        string scenario = directory.File("short.json");
        File.WriteAllText(scenario, ScenarioReader.EmbeddedText("unreachable-peer").Replace("\"memory\": \"256MiB\"", "\"memory\": \"64MiB\", \"systemMemory\": \"34MiB\"", StringComparison.Ordinal));
        CommandRun run = CommandRun.Of("run", "--policy", "P0,P1", "--scenario", scenario);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        string told = $"{scenario}:13: nic1 reads: OutOfMemory in 20 requests: 7680 frames of system memory missing (under owner-only)";
        Assert.Contains(told, run.Output, StringComparison.Ordinal);
        Assert.Equal("hmmfast: " + told, run.Error.Trim());
        Assert.Contains("missing", run.Output, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(CommandRun.Of("run", "--policy", "P0,P1", "--scenario", scenario, "--json").Output);
        JsonElement policy = json.RootElement.GetProperty("policies")[0];
        Assert.Equal(7680UL, policy.GetProperty("missingFrames").GetUInt64());
        Assert.Equal(13, policy.GetProperty("shortfalls")[0].GetProperty("line").GetInt32());
        Assert.Equal("OutOfMemory", policy.GetProperty("shortfalls")[0].GetProperty("status").GetString());
        Assert.Contains(",missingFrames,", CommandRun.Of("run", "--policy", "P0,P1", "--scenario", scenario, "--csv").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"0000:b3:00.0\"", "\"0000:b3:00.0\", \"dma\": { \"needsSync\": true }", ":9: \"nic1\" would need bouncing or syncing")]
    [InlineData("\"0000:b3:00.0\"", "\"0000:b3:00.0\", \"dma\": { \"maskBits\": 27, \"iovaStart\": \"0x0\" }", ":9: \"nic1\" has no free IOVA range")]
    [InlineData("{ \"do\": \"fault\", \"by\": \"nic1\" }", "{ \"do\": \"fault\", \"by\": \"nic1\" }, { \"do\": \"plug\", \"device\": \"nic1\" }", ":13 'nic1'")]
    public void Run_ScenarioThatCannotGoOn_IsOneLineWithItsPlace(string original, string replacement, string says)
    {
        using TemporaryDirectory directory = new();
        string scenario = directory.File("wrong.json");
        File.WriteAllText(scenario, ScenarioReader.EmbeddedText("unreachable-peer").Replace(original, replacement, StringComparison.Ordinal));
        CommandRun run = CommandRun.Of("run", "--policy", "all", "--scenario", scenario);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains(says.Split(' ')[^1], run.Error, StringComparison.Ordinal);
        Assert.Contains(scenario + says.Split(' ')[0], run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Trim().Split('\n'));
    }

    [Fact]
    public void Run_BothHabits_PairsAndExplanationsNameTheHabit()
    {
        CommandRun run = CommandRun.Of("run", "--policy", "P0", "--scenario", "own-behind", "--memory", "4MiB", "--pairs", "--explain", "200");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("owner-only (run):", run.Output, StringComparison.Ordinal);
        Assert.Contains("owner-only (asked):", run.Output, StringComparison.Ordinal);
        Assert.Equal(2, run.Output.Split('\n').Count(line => line.Trim() == "owner-only (asked)"));
        using JsonDocument json = JsonDocument.Parse(CommandRun.Of([.. Small, "--json"]).Output);
        Assert.Equal("uses", json.RootElement.GetProperty("units").GetProperty("breakEvenUses").GetString());
        Assert.Equal("perRun", json.RootElement.GetProperty("checksPaid").GetString());
    }

    /// <summary>The page on scenario files: its example runs, and it names every member and every step that there is.</summary>
    [Fact]
    public void ScenariosPage_ItsExampleRuns_AndItNamesEveryMemberOfTheSchema()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "scenarios.md"));
        int start = page.IndexOf("```json\n", StringComparison.Ordinal) + "```json\n".Length;
        using TemporaryDirectory directory = new();
        string scenario = directory.File("small.json");
        File.WriteAllText(scenario, page[start..page.IndexOf("```", start, StringComparison.Ordinal)]);
        Assert.Equal(ExitCode.Ok, CommandRun.Of("run", "--policy", "all", "--scenario", scenario, "--verify").ExitCode);
        string schema = Path.Combine(RepositoryRoot.Find(), "src", "HmmFast.Simulation", "Comparison", "scenario.schema.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(schema));
        JsonElement root = document.RootElement.GetProperty("properties");
        IEnumerable<string> members = root.EnumerateObject().Select(member => member.Name)
            .Concat(root.GetProperty("devices").GetProperty("items").GetProperty("properties").EnumerateObject().Select(member => member.Name))
            .Concat(root.GetProperty("steps").GetProperty("items").GetProperty("properties").EnumerateObject().Select(member => member.Name))
            .Concat(root.GetProperty("steps").GetProperty("items").GetProperty("properties").GetProperty("do").GetProperty("enum").EnumerateArray().Select(step => step.GetString()!))
            .Except(["$schema", "version"]);
        Assert.All(members, member => Assert.True(page.Contains($"`{member}`", StringComparison.Ordinal) || page.Contains($"\"{member}\"", StringComparison.Ordinal), member));
        foreach (ScenarioStepKind kind in Enum.GetValues<ScenarioStepKind>())
        {
            Assert.Contains($"`{JsonNamingPolicy.CamelCase.ConvertName(kind.ToString())}`", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Run_ExampleWithoutItsMachine_SaysHowToMakeTheFile()
    {
        using TemporaryDirectory directory = new();
        string scenario = directory.File("eight-gpus.scenario.json");
        File.Copy(Path.Combine(RepositoryRoot.Find(), "docs", "examples", "eight-gpus.scenario.json"), scenario);
        CommandRun run = CommandRun.Of("run", "--policy", "P0", "--scenario", scenario);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains("lspci -vvv > FILE", run.Error, StringComparison.Ordinal);
        Assert.Contains(directory.File("gpud-dell-8xH100-lspci-vvv.txt"), run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Run_CapturedLikeProcessOnARealMachine_Works()
    {
        string root = RepositoryRoot.Find();
        string machine = Path.Combine(root, "..", "shared", "topologies", "lspci", "gpud-dell-8xH100-lspci-vvv.txt");
        Skip.IfNot(File.Exists(machine), "the machine's lspci text is not beside the repository");
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        try
        {
            File.Copy(machine, Path.Combine(folder.FullName, Path.GetFileName(machine)));
            string scenario = Path.Combine(folder.FullName, "eight-gpus.scenario.json");
            File.Copy(Path.Combine(root, "docs", "examples", "eight-gpus.scenario.json"), scenario);
            CommandRun run = CommandRun.Of("run", "--policy", "P0,P3", "--scenario", scenario, "--memory", "32MiB", "--verify");
            Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
            Assert.Contains("verify: equal", run.Output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A scenario whose memory lies on so many private devices, one a line from line 7 on; the first is plugged in again so often, then pages move back.</summary>
    private static string ManyDevices(int count, int replugs)
    {
        IEnumerable<int> all = Enumerable.Range(0, count);
        string functions = string.Join(", ", all.Select(i => $$"""{"address": "0000:16:{{i:x2}}.0", "kind": "endpoint", "rootBus": "0000:16", "acs": "none"}"""));
        string devices = string.Join(", ", all.Select(i => $$"""{"name": "gpu{{i}}", "address": "0000:16:{{i:x2}}.0", "memory": "auto"}"""));
        string placement = string.Join(",\n", all.Select(i => $$"""{"on": "gpu{{i}}", "run": "16KiB"}"""));
        string replug = string.Concat(Enumerable.Repeat("""{"do": "unplug", "device": "gpu0"},""" + "\n" + """{"do": "plug", "device": "gpu0"}, """, replugs));
        return $$"""
            { "format": "hmmfast-scenario", "version": 1, "name": "many",
              "machine": { "name": "many",
                "hostBridges": [{"rootBus": "0000:16", "firstDevice": "0000:16:00.0"}],
                "functions": [{{functions}}] },
              "devices": [{{devices}}],
              "placement": [
            {{placement}}
              ],
              "steps": [ {{replug}}
                {"do": "fault", "by": "gpu1"}, {"do": "restore"} ] }
            """;
    }
}
