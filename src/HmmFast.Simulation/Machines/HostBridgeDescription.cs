using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>A host bridge: a root bus and the tree below it.</summary>
public sealed record HostBridgeDescription
{
    /// <summary>The root bus.</summary>
    public required PciBusAddress RootBus { get; init; }

    /// <summary>
    /// The first device on the root bus, which speaks for the bridge in the kernel's list; <see langword="null"/> = unknown, because
    /// the source does not list every function.
    /// </summary>
    public PciAddress? FirstDevice { get; init; }

    /// <summary>NUMA node; <see langword="null"/> = unknown.</summary>
    public int? NumaNode { get; init; }
}
