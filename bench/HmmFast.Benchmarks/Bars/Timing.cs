using System.Text.Json.Serialization;

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
    /// <summary>The group that measured it; the session fills it in.</summary>
    public string Group { get; init; } = "";

    /// <summary>Pages a second at the median.</summary>
    public double PagesPerSecond => 1e9 / Median;

    /// <summary>Every round in the order of the rounds; empty where another program measured.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> Samples { get; init; } = [];

    /// <summary>The faster of several by their medians: a limit is the best of its forms.</summary>
    public static Timing FastestOf(IEnumerable<Timing> forms) => forms.MinBy(form => form.Median)!;

    /// <summary>How many times as fast as another this was, by medians of the same run.</summary>
    public double SpeedOver(Timing other) => other.Median / Median;

    /// <summary>The lowest and the highest speed over another: round by round where both took turns, else by the ends of their spreads.</summary>
    public (double Lowest, double Highest) SpreadOver(Timing other)
    {
        if (Samples.Count == 0 || Samples.Count != other.Samples.Count)
        {
            return (other.Fastest / Slowest, other.Slowest / Fastest);
        }

        double[] ratios = [.. Samples.Zip(other.Samples, static (mine, its) => its / mine)];
        return (ratios.Min(), ratios.Max());
    }
}
