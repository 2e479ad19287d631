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
    /// <summary>True when the bar is met.</summary>
    public bool IsMet => MustStayBelow ? Value <= Bar : Value >= Bar;
}
