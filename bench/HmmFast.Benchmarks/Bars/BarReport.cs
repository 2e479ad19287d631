using System.Text.Json;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Writes a session's results under perf-results/CPU/: JSON for machines, Markdown and plots for people.</summary>
public static class BarReport
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The content of a result file. Runs: the last one's note comes last; a run of some groups replaces theirs alone.</summary>
    public sealed record ResultFile(
        MachineNote Machine, string Method, int Rounds, IReadOnlyList<BarResult> Bars, IReadOnlyList<Timing> Timings, IReadOnlyList<RunNote>? Runs = null);

    /// <summary>Writes NAME.json, NAME.md and the plots, and returns the folder.</summary>
    /// <param name="session">What was measured.</param>
    /// <param name="resultsRoot">Folder of the folders of machines.</param>
    /// <param name="name">Name of the files.</param>
    /// <param name="keepsOthers">Keep what an earlier run measured and this one did not.</param>
    public static string Write(BarSession session, string resultsRoot, string name, bool keepsOthers = false)
    {
        string folder = Path.Combine(resultsRoot, MachineNote.Current.Folder);
        Directory.CreateDirectory(folder);
        ResultFile file = Of(session);
        string path = Path.Combine(folder, name + ".json");
        if (keepsOthers && File.Exists(path))
        {
            ResultFile old = Read(path);
            file = file with
            {
                Bars = Merge(old.Bars, session.Bars, static bar => (bar.Group, bar.Work, bar.PageCount, bar.Measure), bar => IsStale(session, bar.Group)),
                Timings = Merge(old.Timings, session.Timings, static timing => (timing.Group, timing.Name, timing.PageCount), timing => IsStale(session, timing.Group)),
                Runs = [.. RunsOf(old, session.Groups), .. file.Runs!],
            };
        }

        File.WriteAllText(path, JsonSerializer.Serialize(file, Json) + "\n");
        WriteText(file, folder, name);
        return folder;
    }

    /// <summary>Writes the results alone, for the process that started this one.</summary>
    public static void WriteResults(BarSession session, string path) => File.WriteAllText(path, JsonSerializer.Serialize(Of(session), Json));

    /// <summary>Makes the Markdown and the plots of every machine again from its result file and reasons.</summary>
    public static void Remake(string resultsRoot, string name)
    {
        foreach (string path in Directory.GetFiles(resultsRoot, name + ".json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            WriteText(Read(path), Path.GetDirectoryName(path)!, name);
        }
    }

    /// <summary>Reads a result file back.</summary>
    public static ResultFile Read(string path) =>
        JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), Json) ?? throw new InvalidDataException($"{path} holds no results.");

    private static ResultFile Of(BarSession session) => new(
        MachineNote.Current,
        $"One process; the contenders of a group take turns, round after round, in {ThreadClock.Name}; medians of the rounds; ratios of medians of one run.",
        session.Rounds,
        session.Bars,
        session.Timings,
        [session.Run.After(session.Groups)]);

    private static void WriteText(ResultFile file, string folder, string name) =>
        File.WriteAllText(Path.Combine(folder, name + ".md"), BarMarkdown.Of(file, BarPlots.Write(file, folder), BarReasons.Read(folder)));

    // What was renamed or no longer is measured must not stay behind.
    private static bool IsStale(BarSession session, string group) => group.Length == 0 || session.Groups.Contains(group);

    private static IEnumerable<RunNote> RunsOf(ResultFile old, IReadOnlyList<string> replaced) => (old.Runs ?? [])
        .Select(run => run with { Groups = [.. run.Groups.Except(replaced)] })
        .Where(static run => run.Groups.Count > 0);

    // In the old order; what is new comes last.
    private static List<T> Merge<T, TKey>(IReadOnlyList<T> old, IReadOnlyList<T> measured, Func<T, TKey> key, Func<T, bool> isStale)
        where TKey : notnull
    {
        var byKey = measured.GroupBy(key).ToDictionary(group => group.Key, group => group.ToList());
        var merged = new List<T>();
        foreach (T one in old)
        {
            if (!byKey.TryGetValue(key(one), out List<T>? again))
            {
                if (!isStale(one))
                {
                    merged.Add(one);
                }
            }
            else if (again.Count > 0)
            {
                merged.AddRange(again);
                again.Clear();
            }
        }

        merged.AddRange(measured.Where(one => byKey[key(one)].Count > 0));
        return merged;
    }
}
