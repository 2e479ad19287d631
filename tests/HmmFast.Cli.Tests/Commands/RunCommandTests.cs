using System.Text.Json;
using HmmFast.Cli.Tests.Captures;
using HmmFast.Simulation.Captures;

namespace HmmFast.Cli.Tests.Commands;

public sealed class RunCommandTests
{
    [Fact]
    public void Run_NoOptions_PrintsTheTableOfTheEmbeddedProcess()
    {
        CommandRun run = CommandRun.Of("run");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        foreach (string expected in (string[])["private", "system", "zero page", "hole", "error", "pages per second", "migrated to gpu0", "faults", "calls"])
        {
            Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Run_CaptureVerifiedAsJson_HasTheFiguresAndTheVerdict()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("small.hmf");
        CaptureFile.Write(path, SampleCaptures.Small());
        CommandRun run = CommandRun.Of("run", "--capture", path, "--share", "1", "--verify", "--json");
        Assert.Equal("", run.Error);
        using JsonDocument document = JsonDocument.Parse(run.Output);
        JsonElement root = document.RootElement;
        Assert.Equal(root.GetProperty("anonymousPages").GetUInt64(), root.GetProperty("pagesPlaced").GetUInt64());
        Assert.Equal(root.GetProperty("pagesPlaced").GetUInt64() * 4096, root.GetProperty("bytesPlaced").GetUInt64());
        Assert.Equal(0UL, root.GetProperty("clientFaults").GetProperty("outcomes").GetProperty("private").GetUInt64());
        Assert.True(root.GetProperty("verify").GetProperty("isEqual").GetBoolean(), run.Output);
        Assert.Equal(ExitCode.Ok, run.ExitCode);
    }

    [Fact]
    public void Run_CorruptedCapture_ExitsOneNamingTheFile()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("broken.hmf");
        byte[] bytes = CaptureFile.Encode(SampleCaptures.Small());
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        CommandRun run = CommandRun.Of("run", "--capture", path);
        Assert.Equal((ExitCode.Error, ""), (run.ExitCode, run.Output));
        Assert.Contains(path, run.Error, StringComparison.Ordinal);
        Assert.Contains("corrupted", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no such file", "run", "--capture", "no such file")]
    [InlineData("no such file", "run", "--process", "no such file")]
    public void Run_MissingFile_ExitsOneNamingIt(string expected, params string[] args)
    {
        CommandRun run = CommandRun.Of(args);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.5", "run", "--share", "1.5")]
    [InlineData("-1", "run", "--share", "-1")]
    [InlineData("'0,1'", "run", "--share", "0,1")]
    [InlineData("'0,5'", "run", "--share", "0,5")]
    [InlineData("'1,000'", "run", "--pid", "1,000")]
    [InlineData("'1,0'", "graph", "--seconds", "1,0")]
    [InlineData("'-1'", "graph", "--seconds", "-1")]
    [InlineData("'0,3'", "conform", "x", "--limit", "0,3")]
    [InlineData("'1,0'", "capture", "--pid", "1,0", "-o", "x")]
    [InlineData("5K", "run", "--run-size", "5K")]
    [InlineData("2TiB", "run", "--chunk", "2TiB")]
    [InlineData("zero", "run", "--gpu-memory", "zero")]
    [InlineData("only one", "run", "--pid", "1", "--capture", "x")]
    public void Run_OptionsThatMakeNoSense_ExitTwoNamingThem(string expected, params string[] args)
    {
        CommandRun run = CommandRun.Of(args);
        Assert.Equal((ExitCode.Usage, ""), (run.ExitCode, run.Output));
        if (expected != "2TiB")
        {
            Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Run_SystemMemoryTooSmall_ExitsOne()
    {
        CommandRun run = CommandRun.Of("run", "--system-memory", "1MiB");
        Assert.Equal((ExitCode.Error, ""), (run.ExitCode, run.Output));
        Assert.Contains("256 frames", run.Error, StringComparison.Ordinal);
        Assert.Contains("--system-memory 1 MiB is too little", run.Error, StringComparison.Ordinal);

        // The memory that it names is enough.
        string enough = System.Text.RegularExpressions.Regex.Match(run.Error, "[0-9]+MiB are").Value[..^4];
        Assert.Equal(ExitCode.Ok, CommandRun.Of("run", "--system-memory", enough).ExitCode);
    }

    [Fact]
    public void Run_ProcessThatIsNoJson_OneLineWithItsPlaceAndNoParserWords()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("process.json");
        File.WriteAllText(path, "{\n  \"name\": oops\n}\n");
        CommandRun run = CommandRun.Of("run", "--process", path);
        Assert.Equal((ExitCode.Error, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"hmmfast: {path}:2: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Path:", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(letter => letter == '\n'));
    }

    [Theory]
    [InlineData("vams", "'vmas'")]
    [InlineData("nmae", "'name'")]
    public void Run_ProcessWithAMisspeltMember_NamesTheNearest(string member, string nearest)
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("process.json");
        File.WriteAllText(path, $"{{ \"{member}\": [] }}");
        CommandRun run = CommandRun.Of("run", "--process", path);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains($"{path}:1: ", run.Error, StringComparison.Ordinal);
        Assert.Contains($"the nearest known one is {nearest}", run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Run_ProcessOfItsOwn_LiveChild_PrintsAndEndsWell()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.SystemPageSize == 4096, "captures are taken on Linux with 4 KiB pages");
        using System.Diagnostics.Process child = ProcessCaptureTests.StartSleep();
        try
        {
            ProcessResult run = ProcessResult.OfCommand("run", "--pid", $"{child.Id}", "--share", "1");
            Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
            Assert.Contains("sleep", run.Output, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', run.Output);
        }
        finally
        {
            child.Kill();
        }
    }

    [Fact]
    public void Run_ProcessOfItsOwn_DefaultJob_PrintsAndEndsWell()
    {
        ProcessResult run = ProcessResult.OfCommand("run");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Contains("graph-server", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ProcessOfItsOwn_BadLine_ExitsTwo()
    {
        ProcessResult run = ProcessResult.OfCommand("run", "--shar", "1");
        Assert.Equal((ExitCode.Usage, ""), (run.ExitCode, run.Output));
        Assert.Contains("--shar", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scalar", ExitCode.Ok)]
    [InlineData("1024", ExitCode.Usage)]
    public void Info_ForcedWidth_IsUsedOrRefusedByName(string lanes, int expected)
    {
        ProcessResult run = ProcessResult.Of(ProcessResult.DotnetPath, [ProcessResult.CommandPath, "info"], ("HMMFAST_LANES", lanes));
        Assert.Equal(expected, run.ExitCode);
        Assert.Contains(lanes, run.Output + run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }
}
