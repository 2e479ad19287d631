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
    public static string Write(BarSession session, string resultsRoot, string name)
    {
        string folder = Path.Combine(resultsRoot, MachineNote.Current.Folder);
        Directory.CreateDirectory(folder);
        var file = new ResultFile(
            MachineNote.Current,
            $"One process; the contenders of a group take turns, round after round, in {ThreadClock.Name}; medians of the rounds; ratios of medians of one run.",
            session.Rounds,
            session.Bars,
            session.Timings);
        File.WriteAllText(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(file, Json) + "\n");
        File.WriteAllText(Path.Combine(folder, name + ".md"), Markdown(file, BarPlots.Write(file, folder)));
        return folder;
    }

    /// <summary>Reads a result file back.</summary>
    public static ResultFile Read(string path) =>
        JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), Json) ?? throw new InvalidDataException($"{path} holds no results.");

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
