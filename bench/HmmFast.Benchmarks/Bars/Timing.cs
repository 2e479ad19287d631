namespace HmmFast.Benchmarks.Bars;

/// <summary>What a contender's rounds took, in nanoseconds a page.</summary>
/// <param name="Name">The contender.</param>
/// <param name="PageCount">Pages a run.</param>
/// <param name="Median">The median round: what is quoted.</param>
/// <param name="Fastest">The fastest round.</param>
/// <param name="Slowest">The slowest round.</param>
/// <param name="Rounds">Rounds counted.</param>
public sealed record Timing(string Name, ulong PageCount, double Median, double Fastest, double Slowest, int Rounds)
{
    /// <summary>Pages a second at the median.</summary>
    public double PagesPerSecond => 1e9 / Median;

    /// <summary>How many times as fast as another this was, by medians of the same run.</summary>
    public double SpeedOver(Timing other) => other.Median / Median;
}
