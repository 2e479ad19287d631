namespace HmmFast.Topology;

/// <summary>One private link between two functions, or between a function and a switch or processor that has no address here.</summary>
public sealed record PrivateLinkSpec
{
    /// <summary>One end.</summary>
    public required PciAddress From { get; init; }

    /// <summary>The other end; null when it is no function of the tree (an NVSwitch, a processor).</summary>
    public PciAddress? To { get; init; }

    /// <summary>The kind of link.</summary>
    public required PrivateLinkKind Kind { get; init; }

    /// <summary>How many physical links are bundled, 1 to 1,024; null when unknown.</summary>
    public int? LinkCount { get; init; }

    /// <summary>Bandwidth of the bundle in one direction in bytes a second; null when unknown.</summary>
    public double? BandwidthBytesPerSecond { get; init; }

    /// <summary>Latency in nanoseconds; null when unknown.</summary>
    public double? LatencyNs { get; init; }

    /// <summary>Whether the link is up; null when unknown.</summary>
    public bool? IsLive { get; init; }
}
