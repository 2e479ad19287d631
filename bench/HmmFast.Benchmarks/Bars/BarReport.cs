using System.Globalization;
using System.Text;
using System.Text.Json;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Writes a session's results under perf-results/CPU/: JSON for machines, Markdown and plots for people.</summary>
public static class BarReport
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The content of a result file.</summary>
    public sealed record ResultFile(MachineNote Machine, string Method, int Rounds, IReadOnlyList<BarResult> Bars, IReadOnlyList<Timing> Timings);

    /// <summary>Writes NAME.json, NAME.md and the plots, and returns the folder.</summary>
    /// <param name="session">What was measured.</param>
    /// <param name="resultsRoot">Folder of the folders of machines.</param>
    /// <param name="name">Name of the files.</param>
    /// <param name="keepsOthers">Keep what an earlier run measured and this one did not.</param>
    public static string Write(BarSession session, string resultsRoot, string name, bool keepsOthers = false)
    {
        string folder = Path.Combine(resultsRoot, MachineNote.Current.Folder);
        Directory.CreateDirectory(folder);
        var file = new ResultFile(
            MachineNote.Current,
            $"One process; the contenders of a group take turns, round after round, in {ThreadClock.Name}; medians of the rounds; ratios of medians of one run.",
            session.Rounds,
            session.Bars,
            session.Timings);
        string path = Path.Combine(folder, name + ".json");
        if (keepsOthers && File.Exists(path))
        {
            ResultFile old = Read(path);
            file = file with
            {
                Bars = Merge(old.Bars, session.Bars, bar => (bar.Work, bar.PageCount, bar.Measure)),
                Timings = Merge(old.Timings, session.Timings, timing => (timing.Name, timing.PageCount)),
            };
        }

        File.WriteAllText(path, JsonSerializer.Serialize(file, Json) + "\n");
        File.WriteAllText(Path.Combine(folder, name + ".md"), Markdown(file, BarPlots.Write(file, folder)));
        return folder;
    }

    /// <summary>Reads a result file back.</summary>
    public static ResultFile Read(string path) =>
        JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), Json) ?? throw new InvalidDataException($"{path} holds no results.");

    // In the old order; what is new comes last.
    private static List<T> Merge<T, TKey>(IReadOnlyList<T> old, IReadOnlyList<T> measured, Func<T, TKey> key)
        where TKey : notnull
    {
        var byKey = measured.GroupBy(key).ToDictionary(group => group.Key, group => group.ToList());
        var merged = new List<T>();
        foreach (T one in old)
        {
            if (!byKey.TryGetValue(key(one), out List<T>? again))
            {
                merged.Add(one);
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

    private static string Markdown(ResultFile file, IReadOnlyList<string> plots)
    {
        var text = new StringBuilder();
        MachineNote machine = file.Machine;
        text.Append(CultureInfo.InvariantCulture, $"# {machine.Cpu}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{machine.Cores} logical processors, {machine.MemoryMiB} MiB, {machine.Os}, {machine.Runtime}, {machine.Isa}.\n");
        text.Append(CultureInfo.InvariantCulture, $"{file.Method} {file.Rounds} rounds.\n\n");
        foreach (string plot in plots)
        {
            text.Append(CultureInfo.InvariantCulture, $"![pages a second against size]({plot})\n\n");
        }

        text.Append("| work | pages | measure | value | bar | |\n|---|---:|---|---:|---:|---|\n");
        foreach (BarResult bar in file.Bars)
        {
            string relation = bar.MustStayBelow ? "≤" : "≥";
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {bar.Work} | {bar.PageCount:n0} | {bar.Measure} | {bar.Value:0.00} | {relation} {bar.Bar:0.##} | {(bar.IsMet ? "met" : "**not met**")} {bar.Note} |\n");
        }

        text.Append("\n## Timings\n\nNanoseconds a page; the spread is the fastest and the slowest round.\n\n");
        text.Append("| what | pages | median | spread | G pages/s |\n|---|---:|---:|---|---:|\n");
        foreach (Timing timing in file.Timings)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {timing.Name} | {timing.PageCount:n0} | {timing.Median:0.000} | {timing.Fastest:0.000} – {timing.Slowest:0.000} | {timing.PagesPerSecond / 1e9:0.000} |\n");
        }

        return text.ToString();
    }
}
