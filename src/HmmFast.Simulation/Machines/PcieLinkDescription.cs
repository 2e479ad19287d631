namespace HmmFast.Simulation.Machines;

/// <summary>The PCIe link above a function (below it for ports); each part may be unknown.</summary>
public sealed record PcieLinkDescription
{
    /// <summary>Current speed in gigatransfers a second and lane; <see langword="null"/> = unknown.</summary>
    public double? SpeedGigatransfers { get; init; }

    /// <summary>Current width in lanes; <see langword="null"/> = unknown.</summary>
    public int? Width { get; init; }

    /// <summary>Highest speed of the function in gigatransfers a second and lane; <see langword="null"/> = unknown.</summary>
    public double? MaxSpeedGigatransfers { get; init; }

    /// <summary>Highest width of the function in lanes; <see langword="null"/> = unknown.</summary>
    public int? MaxWidth { get; init; }

    /// <summary>Bandwidth in gigabytes a second where a format (hwloc) gives that instead; <see langword="null"/> = unknown.</summary>
    public double? BandwidthGigabytesPerSecond { get; init; }
}
