using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>A link from one device to another outside the PCI tree, in one direction as its format lists it.</summary>
public sealed record PrivateLinkDescription
{
    /// <summary>The device that the link starts from: a name of <see cref="MachineDescription.Devices"/> or a PCI address.</summary>
    public required string From { get; init; }

    /// <summary>The device that the link leads to: a name of <see cref="MachineDescription.Devices"/> or a PCI address.</summary>
    public required string To { get; init; }

    /// <summary>The PCI function of <see cref="From"/>; <see langword="null"/> = unknown or none.</summary>
    public PciAddress? FromAddress { get; init; }

    /// <summary>The PCI function of <see cref="To"/>; <see langword="null"/> = unknown or none. It need not be in the description.</summary>
    public PciAddress? ToAddress { get; init; }

    /// <summary>The technology.</summary>
    public required LinkKind Kind { get; init; }

    /// <summary>How many links are bundled; <see langword="null"/> = unknown.</summary>
    public int? LinkCount { get; init; }

    /// <summary>Bandwidth in megabytes (10^6) a second; <see langword="null"/> = unknown.</summary>
    public double? BandwidthMegabytesPerSecond { get; init; }

    /// <summary>Latency in nanoseconds; <see langword="null"/> = unknown.</summary>
    public double? LatencyNs { get; init; }

    /// <summary>Whether the link is up; <see langword="null"/> = unknown.</summary>
    public bool? IsLive { get; init; }

    /// <summary>The format's own weight (kfd: NUMA distance units); <see langword="null"/> = none.</summary>
    public int? Weight { get; init; }
}
