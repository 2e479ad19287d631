using System.Globalization;
using System.Text;
using System.Text.Json;

namespace HmmFast.Tests.Readme;

/// <summary>Makes README's performance section from the result files, so that what it says was measured.</summary>
internal static class PerformanceSection
{
    public const string Begin = "<!-- perf:begin -->";
    public const string End = "<!-- perf:end -->";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The section for every result file under a folder, one part a processor, in the order of their paths.</summary>
    public static string Make(string resultsFolder)
    {
        StringBuilder text = new();
        string[] files = Directory.Exists(resultsFolder) ? Directory.GetFiles(resultsFolder, "bars.json", SearchOption.AllDirectories) : [];
        Array.Sort(files, StringComparer.Ordinal);
        foreach (string file in files)
        {
            ResultFile results = JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(file), Json)
                ?? throw new InvalidDataException($"{file} holds no results.");
            string folder = Path.GetFileName(Path.GetDirectoryName(file)!);
            Append(text, results, folder);
        }

        return text.Length == 0 ? "\nNothing has been measured yet.\n" : text.ToString();
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

    private static void Append(StringBuilder text, ResultFile results, string folder)
    {
        Machine machine = results.Machine;
        int met = results.Bars.Count(bar => bar.IsMet);
        text.Append('\n');
        Line(text, $"**{machine.Cpu}**, {machine.Cores} logical processors, {machine.MemoryMiB / 1024.0:0.#} GiB, {machine.Isa}, {machine.Os}, {machine.Runtime}.");
        Line(text, $"{results.Method} {results.Rounds} rounds; {SpreadText(results.Timings)}");
        Line(text, $"{met} of {results.Bars.Count} bars are met. Every bar and timing, with plots: [perf-results/{folder}](perf-results/{folder}/bars.md).");
        AppendSnapshots(text, results.Timings);

        // Of the whole engine, each at its largest size; what is met at every machine and size, and the loops by themselves, are in the file.
        text.Append('\n');
        Line(text, $"| work | pages | measure | measured | bar | |");
        Line(text, $"|---|---:|---|---:|---:|---|");
        foreach (IGrouping<(string Work, string Measure), Bar> same in results.Bars.Where(bar => !bar.IsExact && !IsOfALoop(bar)).GroupBy(bar => (bar.Work, bar.Measure)))
        {
            Bar bar = same.MaxBy(one => one.PageCount)!;
            string relation = bar.MustStayBelow ? "≤" : "≥";
            string verdict = bar.IsMet ? "met" : "**not met**";
            string note = bar.Note.Length == 0 ? verdict : $"{verdict}; {bar.Note}";
            Line(text, $"| {bar.Work} | {bar.PageCount:N0} | {bar.Measure} | {bar.Value:0.00} | {relation} {bar.Limit:0.##} | {note} |");
        }

        AppendMissed(text, results.Bars);
    }

    private static bool IsOfALoop(Bar bar) => bar.Work.StartsWith("kernel:", StringComparison.Ordinal);

    // The main work at every size in absolute figures, and where copying the answer would be about as fast.
    private static void AppendSnapshots(StringBuilder text, IReadOnlyList<Timing> timings)
    {
        (string Name, string Label)[] lines =
        [
            ("snapshot: engine, snapshot", "engine"), ("snapshot: memcpy of the result array", "memcpy of the answer"), ("snapshot: stream, 5 in 8 out", "stream, 5 bytes in, 8 out"),
            ("snapshot: stream, 5 in 8 out, non-temporal", "the same past the caches"), ("C walk shaped like the kernel's", "walk in C"), ("snapshot: reference, snapshot", "reference"),
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
        foreach ((string name, string label) in lines)
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

    private static void AppendMissed(StringBuilder text, IReadOnlyList<Bar> bars)
    {
        Bar[] missed = [.. bars.Where(bar => !bar.IsMet)];
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
            string relation = bar.MustStayBelow ? "≤" : "≥";
            Line(text, $"- {bar.Work}, {bar.PageCount:N0} pages: {bar.Measure} {bar.Value:0.00}, bar {relation} {bar.Limit:0.##}{note}");
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

    private sealed record ResultFile(Machine Machine, string Method, int Rounds, IReadOnlyList<Bar> Bars, IReadOnlyList<Timing> Timings);

    private sealed record Machine(string Cpu, int Cores, long MemoryMiB, string Os, string Runtime, string Isa);

    private sealed record Bar(string Work, ulong PageCount, string Measure, double Value, [property: System.Text.Json.Serialization.JsonPropertyName("bar")] double Limit, bool MustStayBelow, string Note, bool IsExact = false)
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public bool IsMet => MustStayBelow ? Value <= Limit : Value >= Limit;
    }

    private sealed record Timing(string Name, ulong PageCount, double Fastest, double Median, double Slowest);
}
