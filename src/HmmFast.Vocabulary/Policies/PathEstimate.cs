namespace HmmFast.Policies;

/// <summary>What a path between two devices can do.</summary>
/// <param name="BytesPerSecond">Bandwidth in one direction; 0 says that there is no such path.</param>
/// <param name="LatencyNs">Time until the first byte.</param>
public readonly record struct PathEstimate(double BytesPerSecond, double LatencyNs) : IComparable<PathEstimate>
{
    /// <summary>True when there is such a path.</summary>
    public bool Exists => BytesPerSecond > 0;

    /// <summary>Better paths compare greater: by bandwidth, then by lower latency.</summary>
    public int CompareTo(PathEstimate other)
    {
        int byBandwidth = BytesPerSecond.CompareTo(other.BytesPerSecond);
        return byBandwidth != 0 ? byBandwidth : other.LatencyNs.CompareTo(LatencyNs);
    }

    /// <summary>Order by quality.</summary>
    public static bool operator <(PathEstimate left, PathEstimate right) => left.CompareTo(right) < 0;

    /// <summary>Order by quality.</summary>
    public static bool operator >(PathEstimate left, PathEstimate right) => left.CompareTo(right) > 0;

    /// <summary>Order by quality.</summary>
    public static bool operator <=(PathEstimate left, PathEstimate right) => left.CompareTo(right) <= 0;

    /// <summary>Order by quality.</summary>
    public static bool operator >=(PathEstimate left, PathEstimate right) => left.CompareTo(right) >= 0;
}
