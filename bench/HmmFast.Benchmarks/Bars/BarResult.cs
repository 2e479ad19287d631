using System.Text.Json.Serialization;

namespace HmmFast.Benchmarks.Bars;

/// <summary>One bar: a ratio of two medians of one run, held against what it must reach.</summary>
/// <param name="Work">What is done.</param>
/// <param name="PageCount">At what size.</param>
/// <param name="Measure">The ratio in words.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Bar">What must be reached.</param>
/// <param name="MustStayBelow">True where the value must not exceed the bar instead.</param>
/// <param name="Note">What to know when reading it; empty when nothing.</param>
/// <param name="IsExact">A count that is the same on every machine and at every size, not a time: a smoke run fails on it, too.</param>
public sealed record BarResult(
    string Work, ulong PageCount, string Measure, double Value, double Bar, bool MustStayBelow = false, string Note = "", bool IsExact = false)
{
    /// <summary>The group that measured it; the session fills it in.</summary>
    public string Group { get; init; } = "";

    /// <summary>The vector instructions in use; the session fills it in.</summary>
    public string Isa { get; init; } = "";

    /// <summary>The lowest ratio of one round; 0 with <see cref="Highest"/> where no rounds are known.</summary>
    public double Lowest { get; init; }

    /// <summary>The highest ratio of one round.</summary>
    public double Highest { get; init; }

    /// <summary>A figure to read beside the others that nothing is asked of.</summary>
    public bool IsInformation { get; init; }

    /// <summary>Why there is no figure; empty where there is one.</summary>
    public string NotMeasured { get; init; } = "";

    /// <summary>True when the bar is met.</summary>
    public bool IsMet => NotMeasured.Length == 0 && !IsInformation && (MustStayBelow ? Value <= Bar : Value >= Bar);

    /// <summary>True when it was measured, is a bar, and is not met.</summary>
    [JsonIgnore]
    public bool IsMissed => NotMeasured.Length == 0 && !IsInformation && !IsMet;
}
