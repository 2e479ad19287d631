using System.Text.Json;
using System.Xml;

namespace HmmFast.Cli.Tests.Commands;

public sealed class TopoCommandTests
{
    private const int TerminalWidth = 120;

    private static readonly string Packed = Path.Combine(AppContext.BaseDirectory, "Recordings", "sysfs.tar.gz");

    private static string Tree(string name) => $"{Packed}#sysfs/{name}";

    /// <summary>The 8-GPU server's lspci text beside a checkout, where there is one.</summary>
    private static string? ServerText()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string file = Path.Combine(folder.FullName, "shared", "topologies", "lspci", "gpud-dell-8xH100-lspci-vvv.txt");
            if (File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }

    private static void AssertFitsATerminal(string output) =>
        Assert.All(output.Split('\n'), line => Assert.True(line.TrimEnd('\r').Length <= TerminalWidth, $"{line.Length} columns: {line}"));

    [Theory]
    [InlineData("tree1")]
    [InlineData("tree4")]
    [InlineData("tree20")]
    [InlineData("tree33")]
    [InlineData("tree35")]
    public void Topo_RecordedTree_ShowsTreeMatrixAndReasons(string tree)
    {
        CommandRun run = CommandRun.Of("topo", Tree(tree), "--pairs");

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        AssertFitsATerminal(run.Output);
        Assert.Contains("host bridge", run.Output, StringComparison.Ordinal);
        Assert.Contains("Peer-to-peer matrix", run.Output, StringComparison.Ordinal);
        Assert.Contains("  path    ", run.Output, StringComparison.Ordinal);
        Assert.Contains("  reason  ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Topo_Whole_ShowsEveryFunction()
    {
        using var json = JsonDocument.Parse(CommandRun.Of("topo", Tree("tree4"), "--json").Output);
        string text = CommandRun.Of("topo", Tree("tree4"), "--all").Output;

        foreach (JsonElement function in json.RootElement.GetProperty("functions").EnumerateArray())
        {
            Assert.Contains(function.GetProperty("address").GetString()![5..], text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Topo_WhatIfAcsSet_NamesPortAndBit()
    {
        (string tree, string port) = PortAboveABusAddressPair();

        CommandRun run = CommandRun.Of("topo", tree, "--devices", "all", "--what-if", $"acs-set={port}");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        AssertFitsATerminal(run.Output);
        Assert.Contains($"ACS sends the traffic up at {port} (RR+CR)", Unwrapped(run.Output), StringComparison.Ordinal);
        Assert.DoesNotContain(" 0 of ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Topo_Json_CarriesEveryPairWithItsReason()
    {
        CommandRun run = CommandRun.Of("topo", Tree("tree35"), "--json", "--devices", "all", "--what-if", "iommu=on", "--what-if", "kernel-list=none");
        using var json = JsonDocument.Parse(run.Output);
        JsonElement root = json.RootElement;
        int devices = root.GetProperty("devices").GetArrayLength();

        Assert.Equal(devices * devices, root.GetProperty("pairs").GetArrayLength());
        Assert.Equal(2, root.GetProperty("whatIf").GetArrayLength());
        Assert.Equal("linux-6.12", root.GetProperty("hostBridgeList").GetProperty("name").GetString());
        foreach (JsonElement pair in root.GetProperty("pairs").EnumerateArray())
        {
            Assert.NotEqual("", pair.GetProperty("reason").GetString());
            Assert.True(pair.GetProperty("path").GetArrayLength() > 0);
        }
    }

    [Theory]
    [InlineData("tree1")]
    [InlineData("tree33")]
    public void Topo_Svg_IsAWellFormedPicture(string tree)
    {
        using TemporaryDirectory directory = new();
        string file = directory.File("machine.svg");

        CommandRun run = CommandRun.Of("topo", Tree(tree), "--svg", file);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        var picture = new XmlDocument { XmlResolver = null };
        picture.Load(file);
        Assert.Equal("svg", picture.DocumentElement!.LocalName);
        Assert.True(picture.GetElementsByTagName("text").Count > 20);
        Assert.True(picture.GetElementsByTagName("title").Count > 0);
    }

    [Fact]
    public void Topo_CompareWithItself_FindsNothing()
    {
        CommandRun run = CommandRun.Of("topo", Tree("tree1"), "--compare", Tree("tree1"));

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("0 contradictions", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Topo_CompareWithAnother_ListsDifferencesAndExitsDifferent()
    {
        CommandRun run = CommandRun.Of("topo", Tree("tree1"), "--compare", Tree("tree35"));

        Assert.Equal(ExitCode.Different, run.ExitCode);
        Assert.DoesNotContain(" 0 contradictions", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--what-if", "acs-clear=everything")]
    [InlineData("--what-if", "turn-it-off")]
    [InlineData("--kernel-list", "linux-1.0")]
    [InlineData("--cpu", "fast")]
    [InlineData("--devices", "GPU,toaster")]
    public void Topo_OptionThatMakesNoSense_QuotesItAndExitsUsage(string option, string value)
    {
        CommandRun run = CommandRun.Of("topo", Tree("tree1"), option, value);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(value.Split(',', '=')[^1], run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Topo_FileThatIsNoMachine_NamesItAndExitsError()
    {
        using TemporaryDirectory directory = new();
        string file = directory.File("letter.txt");
        File.WriteAllText(file, "Dear machine,\nhow are you?\n");

        CommandRun run = CommandRun.Of("topo", file);

        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains("letter.txt", run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Topo_NoFile_ShowsTheRunningMachine()
    {
        const string Functions = "/sys/bus/pci/devices";
        Skip.IfNot(Directory.Exists(Functions) && Directory.EnumerateDirectories(Functions).Any(), "this machine shows no PCI functions");

        CommandRun run = CommandRun.Of("topo");

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        AssertFitsATerminal(run.Output);
        Assert.Contains($"{Directory.EnumerateDirectories(Functions).Count()} functions", run.Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Topo_ServerOfEightGpus_FitsATerminalAndExplainsItself()
    {
        string? file = ServerText();
        Skip.If(file is null, "no shared/topologies beside the checkout");

        CommandRun run = CommandRun.Of("topo", file!);

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        AssertFitsATerminal(run.Output);
        Assert.Contains("517 functions, 59 bridges, 24 host bridges", run.Output, StringComparison.Ordinal);
        Assert.Contains("17:01.0 port ACS off x16 32GT/s ─ 19:00.0 GPU0", run.Output, StringComparison.Ordinal);
        Assert.Contains("meet at 0000:16:00.0, no ACS bit up to there redirects (among NVMe0 GPU0 NIC1 NIC2)", run.Output, StringComparison.Ordinal);
        int treeLines = run.Output.Split('\n').TakeWhile(line => !line.StartsWith("Peer-to-peer", StringComparison.Ordinal)).Count();
        Assert.True(treeLines < 80, $"the tree takes {treeLines} lines");
    }

    [SkippableFact]
    public void Topo_ServerWithIommu_SendsPeersThroughTheHostBridge()
    {
        string? file = ServerText();
        Skip.If(file is null, "no shared/topologies beside the checkout");

        CommandRun run = CommandRun.Of("topo", file!, "--what-if", "iommu=on", "--what-if", "acs-clear=0000:17:01.0");

        string text = Unwrapped(run.Output);
        Assert.Contains("BUS_ADDR 4 -> THRU_HOST_BRIDGE 4", text, StringComparison.Ordinal);
        Assert.Contains("0000:17:01.0 (RR+CR)", text, StringComparison.Ordinal);
        Assert.Contains("line 10 of linux-6.12", text, StringComparison.Ordinal);
    }

    /// <summary>The text with its broken lines joined again.</summary>
    private static string Unwrapped(string output) => string.Join(' ', output.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>A tree, and a port with an ACS capability in it on the path of a pair that stays below its common bridge.</summary>
    private static (string Tree, string Port) PortAboveABusAddressPair()
    {
        foreach (string name in new[] { "tree1", "tree4", "tree20", "tree33", "tree35" })
        {
            using var json = JsonDocument.Parse(CommandRun.Of("topo", Tree(name), "--json", "--devices", "all").Output);
            var withAcs = json.RootElement.GetProperty("functions").EnumerateArray()
                .Where(function => function.GetProperty("isBridge").GetBoolean() && function.GetProperty("acs").GetProperty("isPresent").GetBoolean())
                .Select(function => function.GetProperty("address").GetString()!)
                .ToHashSet();
            foreach (JsonElement pair in json.RootElement.GetProperty("pairs").EnumerateArray())
            {
                string? port = pair.GetProperty("path").EnumerateArray().Select(step => step.GetString()!).FirstOrDefault(withAcs.Contains);
                if (pair.GetProperty("mapType").GetString() == "BusAddr" && port is not null)
                {
                    return (Tree(name), port);
                }
            }
        }

        throw new InvalidOperationException("no pair of these trees stays below a port with ACS");
    }
}
