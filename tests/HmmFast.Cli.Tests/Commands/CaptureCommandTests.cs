using System.Diagnostics;
using System.Text.Json;
using HmmFast.Cli.Tests.Captures;
using HmmFast.Simulation.Captures;

namespace HmmFast.Cli.Tests.Commands;

public sealed class CaptureCommandTests
{
    [SkippableFact]
    public void Capture_SleepingChild_WritesAFileThatReads()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.SystemPageSize == 4096, "captures are taken on Linux with 4 KiB pages");
        using TemporaryDirectory directory = new();
        using Process child = ProcessCaptureTests.StartSleep();
        try
        {
            string path = directory.File("sleep.hmf");
            CommandRun run = CommandRun.Of("capture", "--pid", $"{child.Id}", "-o", path);
            Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
            Assert.Contains("sleep", run.Output, StringComparison.Ordinal);
            Capture read = CaptureFile.Read(path);
            Assert.Equal("sleep", read.Facts.ProcessName);
            Assert.True(read.Facts.FrameSource == FrameSource.Kernel || run.Output.Contains("made up", StringComparison.Ordinal));

            CommandRun json = CommandRun.Of("capture", "--pid", $"{child.Id}", "-o", path, "--json", "--without-frames");
            using JsonDocument document = JsonDocument.Parse(json.Output);
            Assert.Equal("synthetic", document.RootElement.GetProperty("facts").GetProperty("frameSource").GetString());
            Assert.Equal(read.Summary.PresentPages, document.RootElement.GetProperty("pages").GetProperty("presentPages").GetUInt64());
        }
        finally
        {
            child.Kill();
        }
    }

    [SkippableFact]
    public void Capture_UnknownPid_ExitsOneAndWritesNothing()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "captures are taken on Linux");
        using TemporaryDirectory directory = new();
        CommandRun run = CommandRun.Of("capture", "--pid", $"{ProcessCapture.MaxProcessId}", "-o", directory.File("x"));
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains("does not exist", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [SkippableFact]
    public void Capture_ForeignProcessWithoutRights_ExitsOneAndSaysWhoMay()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "captures are taken on Linux");
        using TemporaryDirectory directory = new();
        if (Environment.UserName == "root")
        {
            CaptureAsNobody(directory);
            return;
        }

        // Process 1 is root's nearly everywhere; where it is this user's own (a container), no process is known to be another's.
        Skip.If(MayRead("/proc/1/maps"), "this user may read process 1");
        CommandRun run = CommandRun.Of("capture", "--pid", "1", "-o", directory.File("x"));
        Assert.Equal((ExitCode.Error, ""), (run.ExitCode, run.Output));
        Assert.Contains("process 1", run.Error, StringComparison.Ordinal);
        Assert.Contains("may not be read", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [Theory]
    [InlineData("capture")]
    [InlineData("capture", "--pid", "1")]
    [InlineData("capture", "--pid", "one", "-o", "x")]
    [InlineData("capture", "--pid", "1", "-o", "x", "--method", "magic")]
    [InlineData("nonsense")]
    [InlineData]
    public void Command_LineThatMakesNoSense_ExitsTwo(params string[] args)
    {
        CommandRun run = CommandRun.Of(args);
        Assert.Equal((ExitCode.Usage, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("hmmfast: ", run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Capture_GraphInAProcessOfItsOwn_RunsAndVerifies()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.SystemPageSize == 4096, "captures are taken on Linux with 4 KiB pages");
        using TemporaryDirectory directory = new();
        string path = directory.File("graph.hmf");
        ProcessStartInfo start = new(ProcessResult.DotnetPath, [ProcessResult.CommandPath, "graph", "--memory", "64MiB", "--seconds", "600"]);
        start.RedirectStandardOutput = true;
        using Process graph = Process.Start(start)!;
        try
        {
            // The line comes when the graph stands.
            string? line = graph.StandardOutput.ReadLine();
            Assert.StartsWith($"pid {graph.Id}: ", line, StringComparison.Ordinal);
            CommandRun capture = CommandRun.Of("capture", "--pid", $"{graph.Id}", "-o", path);
            Assert.Equal((ExitCode.Ok, ""), (capture.ExitCode, capture.Error));
        }
        finally
        {
            graph.Kill();
        }

        CommandRun run = CommandRun.Of("run", "--capture", path, "--verify", "--json");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        using JsonDocument document = JsonDocument.Parse(run.Output);
        JsonElement root = document.RootElement;
        Assert.True(root.GetProperty("verify").GetProperty("isEqual").GetBoolean(), run.Output);

        // The graph alone is 16 Ki pages, half of which the job places.
        Assert.InRange(root.GetProperty("anonymousPages").GetUInt64(), 16384UL, ulong.MaxValue);
        Assert.InRange(root.GetProperty("pagesPlaced").GetUInt64(), 8192UL, ulong.MaxValue);
    }

    private static void CaptureAsNobody(TemporaryDirectory directory)
    {
        const string SetPriv = "/usr/bin/setpriv";
        Skip.IfNot(File.Exists(SetPriv), "root becomes nobody by setpriv, which is not here");
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(directory.Path, (UnixFileMode)0b111_111_111);
        }

        ProcessResult run = ProcessResult.Of(
            SetPriv,
            ["--reuid=65534", "--regid=65534", "--clear-groups", ProcessResult.DotnetPath, ProcessResult.CommandPath, "capture", "--pid", "1", "-o", directory.File("x")],
            ("HOME", directory.Path));
        Skip.If(run.Error.Contains("Permission denied", StringComparison.Ordinal) || run.ExitCode > 100, $"nobody cannot start dotnet here: {run.Error}");
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains("may not be read", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(directory.File("x")));
    }

    private static bool MayRead(string path)
    {
        try
        {
            return File.ReadAllBytes(path).Length > 0;
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            return false;
        }
    }
}
