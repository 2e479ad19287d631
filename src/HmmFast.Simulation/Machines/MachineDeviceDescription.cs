using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>A device under the name that its format gives it: <c>GPU0</c>, <c>mlx5_0</c>, <c>node 3</c>.</summary>
public sealed record MachineDeviceDescription
{
    /// <summary>The name, unique in its machine; links and relations use it.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required MachineDeviceKind Kind { get; init; }

    /// <summary>Its PCI function; <see langword="null"/> = none or unknown. The function need not be in the description (kfd has no tree).</summary>
    public PciAddress? Address { get; init; }

    /// <summary>A second name (<c>mlx5_0</c> for <c>NIC0</c>); <see langword="null"/> = none.</summary>
    public string? Alias { get; init; }

    /// <summary>NUMA node; <see langword="null"/> = unknown.</summary>
    public int? NumaNode { get; init; }
}
