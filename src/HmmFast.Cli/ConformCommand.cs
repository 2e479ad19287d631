using System.CommandLine;
using System.Globalization;
using HmmFast.Simulation.P2pTraces;
using HmmFast.Simulation.Traces;
using Spectre.Console;

namespace HmmFast.Cli;

/// <summary><c>hmmfast conform FILE...</c>: replays recordings of a real kernel and reports where the answers differ.</summary>
public static class ConformCommand
{
    /// <summary>One element of the JSON answer.</summary>
    private sealed record JsonReport(string File, string Engine, string Level, int Passed, int Failed, IReadOnlyList<TraceDifference> Differences, string? Error = null);

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandIo io)
    {
        Argument<string[]> files = new("FILE")
        {
            Description = "Recordings: .jsonl or .jsonl.gz, of memory operations or of peer-to-peer reachability.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> engine = new("--engine") { Description = "The implementation asked.", DefaultValueFactory = static _ => "both" };
        engine.AcceptOnlyFromAmong("fast", "reference", "both");
        Option<string> level = new("--level")
        {
            Description = "How much is compared: hmm = what a driver sees, state = also page tables and VMAs, all = also soft-dirty and frame letters.",
            DefaultValueFactory = static _ => "hmm",
        };
        level.AcceptOnlyFromAmong("hmm", "state", "all");
        Option<bool> json = new("--json") { Description = "Answer with a JSON array, one object per file and engine." };
        Option<int?> seed = NumberOption.Whole("--seed", "Replay only the sequence of this seed.", least: 0);
        Option<bool> explain = new("--explain") { Description = "Show the state before each differing step, and both answers in full." };
        Option<int?> limit = NumberOption.Whole("--limit", "Print at most this many differences per file and engine; 0 prints all.", least: 0, standard: 0);
        Command command = new("conform", "Replay recordings of a real kernel; exit code 3 when any answer differs, 1 when a file cannot be replayed.")
        {
            files,
            engine,
            level,
            json,
            seed,
            explain,
            limit,
        };
        command.SetAction(result =>
        {
            IReadOnlyList<ConformanceEngine> engines = result.GetValue(engine) switch
            {
                "fast" => [ConformanceEngine.Fast],
                "reference" => [ConformanceEngine.Reference],
                _ => ConformanceEngine.Both,
            };
            ConformanceLevel depth = Enum.Parse<ConformanceLevel>(result.GetValue(level)!, ignoreCase: true);
            List<JsonReport> reports = [];
            foreach (string file in result.GetValue(files)!)
            {
                Replay(file, engines, depth, result.GetValue(seed), result.GetValue(explain), reports);
            }

            if (result.GetValue(json))
            {
                JsonOutput.Write(io, reports);
            }
            else
            {
                Print(io, reports, result.GetRequiredValue(limit)!.Value);
            }

            // A file that cannot be read is the same to every implementation: said once.
            foreach (string error in reports.Select(static report => report.Error).OfType<string>().Distinct(StringComparer.Ordinal))
            {
                io.Error.WriteLine($"hmmfast: {error}");
            }

            return reports.Exists(static report => report.Error is not null) ? ExitCode.Error
                : reports.Exists(static report => report.Failed > 0) ? ExitCode.Different
                : ExitCode.Ok;
        });
        return command;
    }

    private static void Replay(
        string file,
        IReadOnlyList<ConformanceEngine> engines,
        ConformanceLevel level,
        int? seed,
        bool explain,
        List<JsonReport> reports)
    {
        string levelName = level.ToString().ToLowerInvariant();
        try
        {
            foreach (ConformanceReport report in ConformanceRunner.Run(file, engines, level, seed, explain))
            {
                reports.Add(new JsonReport(report.File, report.Engine, levelName, report.Passed, report.Failed, report.Differences));
            }
        }
        catch (Exception error) when (error is TraceFormatException or P2pTraceFormatException or IOException or UnauthorizedAccessException)
        {
            // A file that cannot be replayed counts as failed, so that no reader of the counts takes it for a pass.
            string message = error switch
            {
                FileNotFoundException or DirectoryNotFoundException => $"{file}: there is no such file.",
                IOException or UnauthorizedAccessException => $"{file}: cannot be read: {error.Message}",
                _ => error.Message,
            };
            foreach (ConformanceEngine engine in engines)
            {
                reports.Add(new JsonReport(file, engine.Name, levelName, 0, 1, [], message));
            }
        }
    }

    private static void Print(CommandIo io, List<JsonReport> reports, int limit)
    {
        foreach (JsonReport report in reports)
        {
            int shown = 0;
            foreach (TraceDifference difference in report.Differences)
            {
                if (limit > 0 && shown++ == limit)
                {
                    io.Output.WriteLine($"... and {report.Differences.Count - limit} more in {report.File} ({report.Engine})");
                    break;
                }

                io.Output.WriteLine($"[{report.Engine}] {difference}");
                if (difference.Explanation is not null)
                {
                    io.Output.WriteLine(difference.Explanation);
                }
            }
        }

        // What cannot be replayed has no counts; the error stream says why.
        JsonReport[] replayed = [.. reports.Where(static report => report.Error is null)];
        if (replayed.Length == 0)
        {
            return;
        }

        Table counts = new() { Border = TableBorder.Rounded };
        counts.AddColumns("file", "engine", "level", "passed", "failed", "share");
        foreach (JsonReport report in replayed)
        {
            int total = report.Passed + report.Failed;
            counts.AddRow(
                Markup.Escape(Path.GetFileName(report.File)),
                report.Engine,
                report.Level,
                Text(report.Passed),
                Text(report.Failed),
                total > 0 ? (100.0 * report.Passed / total).ToString("0.00", CultureInfo.InvariantCulture) + " %" : "-");
        }

        io.Tables.Write(counts);
        Table differences = new() { Border = TableBorder.Rounded, Title = new TableTitle("first differences by operation and page state") };
        differences.AddColumns("engine", "operation", "page state before", "field", "sequences");
        foreach (var group in reports
            .SelectMany(static report => report.Differences.Select(difference => (report.Engine, difference.Operation, difference.State, difference.Field)))
            .GroupBy(static key => key)
            .OrderByDescending(static group => group.Count())
            .ThenBy(static group => group.Key.ToString(), StringComparer.Ordinal))
        {
            differences.AddRow(group.Key.Engine, Markup.Escape(group.Key.Operation), Markup.Escape(group.Key.State), group.Key.Field, Text(group.Count()));
        }

        if (differences.Rows.Count > 0)
        {
            io.Tables.Write(differences);
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
