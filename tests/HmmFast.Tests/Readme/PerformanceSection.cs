using System.Globalization;
using System.Text;
using static HmmFast.Tests.Readme.PerformanceResults;

namespace HmmFast.Tests.Readme;

/// <summary>Makes README's performance section from the result files, so that what it says was measured.</summary>
internal static class PerformanceSection
{
    public const string Begin = "<!-- perf:begin -->";
    public const string End = "<!-- perf:end -->";

    /// <summary>The section: the newest result file in full, and a line for that of every other processor.</summary>
    public static string Make(string resultsFolder)
    {
        StringBuilder text = new();
        string[] files = Directory.Exists(resultsFolder) ? Directory.GetFiles(resultsFolder, "bars.json", SearchOption.AllDirectories) : [];

        // Files without a date are older than the date.
        (string Folder, ResultFile Results)[] machines = [.. files.Order(StringComparer.Ordinal)
            .Select(static file => (Path.GetDirectoryName(file)!, PerformanceResults.Read(file)))
            .OrderByDescending(static machine => machine.Item2.StartedUtc)];
        if (machines.Length == 0)
        {
            return "\nNothing has been measured yet.\n";
        }

        Append(text, machines[0].Results, machines[0].Folder);
        if (machines.Length > 1)
        {
            text.Append('\n');
            Line(text, $"Other machines:");
            text.Append('\n');
        }

        foreach ((string folder, ResultFile results) in machines.Skip(1))
        {
            Line(text, $"- {results.Machine.Cpu}, {results.Machine.Isa}: {Count(results)}, [perf-results/{Path.GetFileName(folder)}](perf-results/{Path.GetFileName(folder)}/bars.md)");
        }

        return text.ToString();
    }

    /// <summary>What stands between the marks of a README.</summary>
    /// <exception cref="InvalidDataException">The marks are missing or stand the wrong way round.</exception>
    public static string Read(string readme) => readme[Inside(readme)];

    /// <summary>The README with another section between its marks.</summary>
    public static string Replace(string readme, string section)
    {
        Range inside = Inside(readme);
        return readme[..inside.Start] + section + readme[inside.End..];
    }

    private static Range Inside(string readme)
    {
        int begin = readme.IndexOf(Begin, StringComparison.Ordinal);
        int end = readme.IndexOf(End, StringComparison.Ordinal);
        return begin >= 0 && end > begin
            ? (begin + Begin.Length + 1)..end
            : throw new InvalidDataException($"README.md lacks {Begin} followed by {End}.");
    }

    private static void Append(StringBuilder text, ResultFile results, string path)
    {
        string folder = Path.GetFileName(path);
        IReadOnlyDictionary<(string, string, string), string> reasons = PerformanceResults.ReadReasons(path);
        Machine machine = results.Machine;
        text.Append('\n');
        Line(text, $"**{machine.Cpu}**, {machine.Cores} logical processors, {machine.MemoryMiB / 1024.0:0.#} GiB, {machine.Isa}, {machine.Os}, {machine.Runtime}.");
        Line(text, $"{results.Method} {results.Rounds} rounds; {SpreadText(results.Timings)}");
        if (results.Runs is { Count: > 0 } runs)
        {
            Line(text, $"{string.Join(' ', runs.Select(RunText))}");
        }

        Line(text, $"{Count(results)}. Every bar and timing, with plots: [perf-results/{folder}](perf-results/{folder}/bars.md).");
        AppendSnapshots(text, results.Timings);

        // Of the whole engine, each at its largest size; what is met at every machine and size, and the loops by themselves, are in the file.
        text.Append('\n');
        Line(text, $"| work | pages | measure | measured | rounds | bar | |");
        Line(text, $"|---|---:|---|---:|---|---:|---|");
        foreach (IGrouping<(string Work, string Measure), Bar> same in results.Bars.Where(bar => bar.IsMeasured && !bar.IsExact && !IsOfALoop(bar)).GroupBy(bar => (bar.Work, bar.Measure)))
        {
            Bar bar = same.MaxBy(one => one.PageCount)!;
            string verdict = bar.IsInformation ? "" : bar.IsMet ? "met" : "**not met**";
            string why = bar.IsMissed ? PerformanceResults.ReasonOf(reasons, bar) ?? "" : "";
            string[] parts = [.. new[] { verdict, bar.Note, why }.Where(static part => part.Length > 0)];
            Line(text, $"| {bar.Work} | {bar.PageCount:N0} | {bar.Measure} | {bar.Value:0.00} | {Spread(bar)} | {Asked(bar)} | {string.Join("; ", parts)} |");
        }

        AppendMissed(text, results.Bars, reasons);
        AppendMissing(text, results.Bars);
    }

    private static bool IsOfALoop(Bar bar) => bar.Work.StartsWith("kernel:", StringComparison.Ordinal);

    private static string Count(ResultFile results)
    {
        int missing = results.Bars.Count(static bar => !bar.IsMeasured);
        string rest = missing == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {missing} were not measured");
        return string.Create(CultureInfo.InvariantCulture, $"{results.Bars.Count(static bar => bar.IsMet)} of {results.Bars.Count(static bar => bar.IsMet || bar.IsMissed)} bars are met{rest}");
    }

    private static string RunText(RunNote run) => string.Create(
        CultureInfo.InvariantCulture,
        $"Commit {(run.Commit.Length > 12 ? run.Commit[..12] : run.Commit)}{(run.HasLocalChanges ? " with local changes" : "")}, {run.StartedUtc:yyyy-MM-dd}, {run.ElapsedSeconds / 60:0.0} minutes, load before {run.LoadBefore}, transparent huge pages {run.TransparentHugePages}.");

    private static string Spread(Bar bar) => bar.Highest > 0 ? string.Create(CultureInfo.InvariantCulture, $"{bar.Lowest:0.00} – {bar.Highest:0.00}") : "";

    private static string Asked(Bar bar) => bar.IsInformation ? "" : string.Create(CultureInfo.InvariantCulture, $"{(bar.MustStayBelow ? "≤" : "≥")} {bar.Limit:0.##}");

    // The main work at every size in absolute figures, and where copying the answer would be about as fast.
    private static void AppendSnapshots(StringBuilder text, IReadOnlyList<Timing> timings)
    {
        (string Name, string Label)[] lines =
        [
            ("snapshot: engine, snapshot", "engine"), ("snapshot: memcpy of the result array", "memcpy of the answer"), ("snapshot: stream, 5 in 8 out", "stream, 5 bytes in, 8 out"),
            ("snapshot: stream, 5 in 8 out, non-temporal", "the same past the caches"), ("snapshot: stream limit", "the fastest form of the stream"), ("C walk shaped like the kernel's", "walk in C"),
            ("running kernel, PAGEMAP_SCAN", "the running kernel's PAGEMAP_SCAN"), ("snapshot: reference, snapshot", "reference"),
        ];
        ulong[] sizes = [.. timings.Where(timing => timing.Name == lines[0].Name).Select(timing => timing.PageCount).Distinct().Order()];
        if (sizes.Length == 0)
        {
            return;
        }

        text.Append('\n');
        Line(text, $"A range fault that faults nothing, mixed classes in random order, one core, million pages a second:");
        text.Append('\n');
        Line(text, $"| | {string.Join(" | ", sizes.Select(size => size.ToString("N0", CultureInfo.InvariantCulture)))} pages |");
        Line(text, $"|---|{string.Concat(sizes.Select(_ => "---:|"))}");
        foreach ((string name, string label) in lines.Where(line => timings.Any(timing => timing.Name == line.Name)))
        {
            Line(text, $"| {label} | {string.Join(" | ", sizes.Select(size => Speed(timings, name, size)))} |");
        }

        string[] close = [.. sizes.Where(size => Find(timings, lines[1].Name, size) is { } copy && copy.Median / Find(timings, lines[0].Name, size)!.Median < 1.5)
            .Select(size => string.Create(CultureInfo.InvariantCulture, $"{size:N0} pages ({Find(timings, lines[1].Name, size)!.Median / Find(timings, lines[0].Name, size)!.Median:0.00} times as fast)"))];
        if (close.Length > 0)
        {
            text.Append('\n');
            Line(text, $"The engine is not much faster than copying the answer would be at {string.Join(", ", close)}.");
        }
    }

    private static Timing? Find(IReadOnlyList<Timing> timings, string name, ulong size) => timings.LastOrDefault(timing => timing.Name == name && timing.PageCount == size);

    private static string Speed(IReadOnlyList<Timing> timings, string name, ulong size) =>
        Find(timings, name, size) is { } timing ? (1000 / timing.Median).ToString("N0", CultureInfo.InvariantCulture) : "";

    private static void AppendMissed(StringBuilder text, IReadOnlyList<Bar> bars, IReadOnlyDictionary<(string, string, string), string> reasons)
    {
        Bar[] missed = [.. bars.Where(static bar => bar.IsMissed)];
        if (missed.Length == 0)
        {
            return;
        }

        text.Append('\n');
        Line(text, $"Not met, at any size and with the loops by themselves:");
        text.Append('\n');
        foreach (Bar bar in missed)
        {
            string note = bar.Note.Length == 0 ? "" : $" {bar.Note}";
            string reason = PerformanceResults.ReasonOf(reasons, bar) is { } given ? $": {given}" : "";
            Line(text, $"- {bar.Work}, {bar.PageCount:N0} pages: {bar.Measure} {bar.Value:0.00}, bar {Asked(bar)}{note}{reason}");
        }
    }

    private static void AppendMissing(StringBuilder text, IReadOnlyList<Bar> bars)
    {
        Bar[] missing = [.. bars.Where(static bar => !bar.IsMeasured)];
        if (missing.Length == 0)
        {
            return;
        }

        text.Append('\n');
        Line(text, $"Not measured:");
        text.Append('\n');
        foreach (Bar bar in missing)
        {
            Line(text, $"- {bar.Work}, {bar.PageCount:N0} pages: {bar.NotMeasured}");
        }
    }

    // How far rounds of one thing lie apart, over all things: what a ratio of medians hides.
    private static string SpreadText(IReadOnlyList<Timing> timings)
    {
        double[] spreads = [.. timings.Where(timing => timing.Fastest > 0).Select(timing => timing.Slowest / timing.Fastest).Order()];
        return spreads.Length == 0
            ? "no spread recorded."
            : string.Create(CultureInfo.InvariantCulture, $"the slowest round took {spreads[spreads.Length / 2]:0.00} times the fastest in the median, {spreads[^1]:0.00} times at most.");
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
