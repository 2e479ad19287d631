using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HmmFast.Tests.Readme;

/// <summary>Result files and reasons as bench/run.sh leaves them in perf-results; fields that older files lack have their defaults.</summary>
internal static class PerformanceResults
{
    private const string EverySize = "all";
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static ResultFile Read(string path) =>
        JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), Json) ?? throw new InvalidDataException($"{path} holds no results.");

    /// <summary>The table in reasons.md beside a result file, by work, measure and pages.</summary>
    public static IReadOnlyDictionary<(string Work, string Measure, string Pages), string> ReadReasons(string folder)
    {
        var reasons = new Dictionary<(string, string, string), string>();
        string path = Path.Combine(folder, "reasons.md");
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            string[] cells = [.. line.Split('|').Select(static cell => cell.Trim())];
            if (cells.Length == 6 && !cells[1].StartsWith('-') && cells[1] != "work" && cells[4].Length > 0)
            {
                reasons.Add((cells[1], cells[2], cells[3]), cells[4]);
            }
        }

        return reasons;
    }

    /// <summary>What stands in the way of a bar, or null: the row of its size, else that for all sizes.</summary>
    public static string? ReasonOf(IReadOnlyDictionary<(string Work, string Measure, string Pages), string> reasons, Bar bar) =>
        reasons.TryGetValue((bar.Work, bar.Measure, bar.PageCount.ToString("N0", CultureInfo.InvariantCulture)), out string? reason)
        || reasons.TryGetValue((bar.Work, bar.Measure, EverySize), out reason)
            ? reason
            : null;

    internal sealed record ResultFile(Machine Machine, string Method, int Rounds, IReadOnlyList<Bar> Bars, IReadOnlyList<Timing> Timings, IReadOnlyList<RunNote>? Runs = null)
    {
        /// <summary>The latest run's date; the lowest where none is told.</summary>
        [JsonIgnore]
        public DateTimeOffset StartedUtc => Runs is { Count: > 0 } ? Runs.Max(static run => run.StartedUtc) : DateTimeOffset.MinValue;
    }

    internal sealed record Machine(string Cpu, int Cores, long MemoryMiB, string Os, string Runtime, string Isa);

    internal sealed record RunNote(string Commit, bool HasLocalChanges, DateTimeOffset StartedUtc, double ElapsedSeconds, string LoadBefore, string TransparentHugePages);

    internal sealed record Bar(
        string Work, ulong PageCount, string Measure, double Value, [property: JsonPropertyName("bar")] double Limit, bool MustStayBelow, string Note, bool IsExact = false,
        double Lowest = 0, double Highest = 0, bool IsInformation = false, string NotMeasured = "")
    {
        [JsonIgnore]
        public bool IsMeasured => NotMeasured.Length == 0;

        [JsonIgnore]
        public bool IsMet => IsMeasured && !IsInformation && (MustStayBelow ? Value <= Limit : Value >= Limit);

        [JsonIgnore]
        public bool IsMissed => IsMeasured && !IsInformation && !IsMet;
    }

    internal sealed record Timing(string Name, ulong PageCount, double Fastest, double Median, double Slowest);
}
