namespace HmmFast.Topology;

/// <summary>One host bridge (a root bus) as a text describes it, before it is part of a checked tree.</summary>
public sealed record PciHostBridgeSpec
{
    /// <summary>The root bus; unique in a machine.</summary>
    public required PciBusAddress RootBus { get; init; }

    /// <summary>
    /// The first device the kernel has in its list of the root bus; null: the lowest device and function there is on it. Only the
    /// first device can speak for the host bridge (as <c>pci_p2pdma_distance_many</c> asks it).
    /// </summary>
    public PciAddress? FirstDevice { get; init; }

    /// <summary>
    /// Whether every function of the root bus is described. False for texts that leave functions out: unless there is a function
    /// 00.0, it is then unknown which device speaks for the host bridge.
    /// </summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>
    /// Whether this is no real host bridge but stands for an unknown place: what hangs on it is not known to meet anything else, and
    /// not known not to.
    /// </summary>
    public bool IsPlaceholder { get; init; }

    /// <summary>A name for people; null when there is none.</summary>
    public string? Name { get; init; }
}
