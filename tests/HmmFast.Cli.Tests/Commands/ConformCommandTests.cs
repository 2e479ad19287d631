using System.IO.Compression;
using System.Text.Json;

namespace HmmFast.Cli.Tests.Commands;

public sealed class ConformCommandTests : IDisposable
{
    private static readonly string Recording = Path.Combine(AppContext.BaseDirectory, "Recordings", "kernel-extra.jsonl.gz");

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Conform_BothEngines_CountsSequencesAndExitsWithZero()
    {
        CommandRun run = CommandRun.Of("conform", Recording);

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Contains("reference", run.Output, StringComparison.Ordinal);
        Assert.Contains("fast", run.Output, StringComparison.Ordinal);
        Assert.Contains("100.00 %", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("expected", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hmm")]
    [InlineData("state")]
    [InlineData("all")]
    public void Conform_Json_OneObjectAFileAndEngine(string level)
    {
        CommandRun run = CommandRun.Of("conform", Recording, Changed(out _), "--json", "--level", level);

        Assert.Equal(ExitCode.Different, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        JsonElement[] reports = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(["reference", "fast", "reference", "fast"], reports.Select(static report => report.GetProperty("engine").GetString()));
        Assert.All(reports, report => Assert.Equal(level, report.GetProperty("level").GetString()));
        Assert.All(reports[..2], static report => Assert.Equal((25, 0, 0), Counts(report)));
        Assert.All(reports[2..], static report => Assert.Equal((24, 1, 1), Counts(report)));
        JsonElement difference = reports[3].GetProperty("differences")[0];
        Assert.Equal("cpages", difference.GetProperty("field").GetString());
        Assert.Equal("7", difference.GetProperty("expected").GetString());
    }

    [Fact]
    public void Conform_ChangedRecording_TellsTheFirstDifferenceInFull()
    {
        string file = Changed(out int line);

        CommandRun run = CommandRun.Of("conform", file, "--engine", "reference", "--explain");

        Assert.Equal(ExitCode.Different, run.ExitCode);
        Assert.Contains($"{file}:{line}: seed 1 step 3 migrate_to_dev", run.Output, StringComparison.Ordinal);
        Assert.Contains("cpages expected 7, got 1", run.Output, StringComparison.Ordinal);
        Assert.Contains("  before:", run.Output, StringComparison.Ordinal);
        Assert.Contains("  model: errno 0 cpages 1", run.Output, StringComparison.Ordinal);
        Assert.Contains("first differences by operation and page state", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Conform_OneSeed_ReplaysThatSequenceOnly()
    {
        string file = Changed(out _);

        Assert.Equal(ExitCode.Different, CommandRun.Of("conform", file, "--seed", "1", "--engine", "fast").ExitCode);
        Assert.Equal(ExitCode.Ok, CommandRun.Of("conform", file, "--seed", "2", "--engine", "fast").ExitCode);
        CommandRun missing = CommandRun.Of("conform", file, "--seed", "999");
        Assert.Equal(ExitCode.Error, missing.ExitCode);
        Assert.Contains("no sequence has seed 999", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Conform_BrokenRecording_IsAnErrorWithItsLineAndCountsAsFailed()
    {
        string[] lines = Lines();
        lines[2] = lines[2].Replace("\"op\":\"", "\"op\":\"un", StringComparison.Ordinal);
        string file = Write("broken.jsonl", lines);

        CommandRun run = CommandRun.Of("conform", Recording, file, "--json", "--engine", "fast");

        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Contains($"{file}:3: unknown operation \"un", run.Error, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal((25, 0, 0), Counts(json.RootElement[0]));
        Assert.Equal((0, 1, 0), Counts(json.RootElement[1]));
        Assert.StartsWith($"{file}:3: ", json.RootElement[1].GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Conform_MissingFile_IsAnError()
    {
        string file = _directory.File("nothing.jsonl");
        CommandRun run = CommandRun.Of("conform", file);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.Equal("", run.Output);
        Assert.Equal($"hmmfast: {file}: there is no such file.{Environment.NewLine}", run.Error);
    }

    [Fact]
    public void Conform_ForeignFileBesideARecording_IsOneLineWithoutParserWordsAndTheRecordingIsCounted()
    {
        string file = Write("foreign.jsonl", ["# Title", "text"]);
        CommandRun run = CommandRun.Of("conform", file, Recording);
        Assert.Equal(ExitCode.Error, run.ExitCode);
        Assert.StartsWith($"hmmfast: {file}:1: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(letter => letter == '\n'));
        Assert.Contains("100.00 %", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("error", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--engine", "slow")]
    [InlineData("--level", "deep")]
    [InlineData("--seed", "first")]
    public void Conform_UnknownChoice_IsAUsageError(string option, string value) =>
        Assert.Equal(ExitCode.Usage, CommandRun.Of("conform", Recording, option, value).ExitCode);

    [Fact]
    public void Conform_NoFile_IsAUsageError() => Assert.Equal(ExitCode.Usage, CommandRun.Of("conform").ExitCode);

    private static (int Passed, int Failed, int Differences) Counts(JsonElement report) => (
        report.GetProperty("passed").GetInt32(),
        report.GetProperty("failed").GetInt32(),
        report.GetProperty("differences").GetArrayLength());

    private static string[] Lines()
    {
        using GZipStream unpacker = new(File.OpenRead(Recording), CompressionMode.Decompress);
        using StreamReader reader = new(unpacker);
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }

    /// <summary>The recording with one count that the kernel did not answer.</summary>
    private string Changed(out int line)
    {
        string[] lines = Lines();
        line = 1 + Array.FindIndex(lines, static text => text.Contains("\"cpages\":1,", StringComparison.Ordinal));
        lines[line - 1] = lines[line - 1].Replace("\"cpages\":1,", "\"cpages\":7,", StringComparison.Ordinal);
        return Write("changed.jsonl", lines);
    }

    private string Write(string name, string[] lines)
    {
        string file = _directory.File(name);
        File.WriteAllText(file, string.Concat(lines.Select(static text => text + "\n")));
        return file;
    }
}
