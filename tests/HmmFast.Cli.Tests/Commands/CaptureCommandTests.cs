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
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "needs root and setpriv to become nobody");
        using TemporaryDirectory directory = new();
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(directory.Path, (UnixFileMode)0b111_111_111);
        }

        ProcessResult run = ProcessResult.Of(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", ProcessResult.DotnetPath, ProcessResult.CommandPath, "capture", "--pid", "1", "-o", directory.File("x")],
            ("HOME", directory.Path));
        Skip.If(run.Error.Contains("Permission denied", StringComparison.Ordinal) || run.ExitCode > 100, $"nobody cannot start dotnet here: {run.Error}");
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains("may not be read", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(directory.File("x")));
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

    [Fact]
    public void Info_Json_HasTheFacts()
    {
        CommandRun run = CommandRun.Of("info", "--json");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        using JsonDocument document = JsonDocument.Parse(run.Output);
        Assert.Contains(document.RootElement.GetProperty("engineWidthBits").GetInt32(), new[] { 64, 128, 256, 512 });
        Assert.Equal(Environment.SystemPageSize, document.RootElement.GetProperty("pageSizeBytes").GetInt32());
        Assert.Contains("PAGEMAP_SCAN", CommandRun.Of("info").Output, StringComparison.Ordinal);
    }
}
