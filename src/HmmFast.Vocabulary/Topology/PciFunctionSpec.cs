namespace HmmFast.Topology;

/// <summary>
/// One PCI function as a text describes it, before it is part of a checked tree. What the text does not say is null or unknown.
/// </summary>
public sealed record PciFunctionSpec
{
    /// <summary>The function's address; unique in a machine.</summary>
    public required PciAddress Address { get; init; }

    /// <summary>The bridge above (its address), or null for a function on a root bus. Ignored for a virtual function, which sits beside its physical one.</summary>
    public PciAddress? Parent { get; init; }

    /// <summary>The root bus a function without parent is on; null: the bus in its own address.</summary>
    public PciBusAddress? RootBus { get; init; }

    /// <summary>
    /// How many bridges lie between the parent (or the host bridge) and this function without being described: 0 where the text shows
    /// the whole tree, null where it does not say. Each is a hop, and its ACS is unknown.
    /// </summary>
    public int? HiddenBridgesAbove { get; init; } = 0;

    /// <summary>For an SR-IOV virtual function: its physical function.</summary>
    public PciAddress? PhysicalFunction { get; init; }

    /// <summary>PCI vendor id, as the kernel holds it; null when unknown.</summary>
    public ushort? Vendor { get; init; }

    /// <summary>PCI device id, as the kernel holds it; null when unknown.</summary>
    public ushort? Device { get; init; }

    /// <summary>24-bit class code (base class, sub-class, interface), as 0x060400; null when unknown.</summary>
    public int? ClassCode { get; init; }

    /// <summary>What the function is in PCI Express.</summary>
    public PcieType PcieType { get; init; } = PcieType.Unknown;

    /// <summary>Whether the function is a bridge, that is, may have functions below.</summary>
    public bool IsBridge { get; init; }

    /// <summary>For a bridge: the bus below it; null when unknown.</summary>
    public byte? SecondaryBus { get; init; }

    /// <summary>Access Control Services; unknown unless the text carries them.</summary>
    public AcsState Acs { get; init; }

    /// <summary>Current link speed in mega-transfers a second (16000 for 16 GT/s); null when unknown or without link.</summary>
    public int? LinkSpeedMtps { get; init; }

    /// <summary>Current link width in lanes, 1 to 32; null when unknown or without link.</summary>
    public int? LinkWidth { get; init; }

    /// <summary>Highest link speed in mega-transfers a second; null when unknown or without link.</summary>
    public int? MaxLinkSpeedMtps { get; init; }

    /// <summary>Highest link width in lanes, 1 to 32; null when unknown or without link.</summary>
    public int? MaxLinkWidth { get; init; }

    /// <summary>NUMA node; null when unknown or none.</summary>
    public int? NumaNode { get; init; }

    /// <summary>IOMMU group; null when unknown or none.</summary>
    public int? IommuGroup { get; init; }

    /// <summary>A name for people, such as the device's or the driver's; null when there is none.</summary>
    public string? Name { get; init; }
}
