using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>One PCI function as a file describes it. What the file does not carry is <see langword="null"/>.</summary>
public sealed record PciFunctionDescription
{
    /// <summary>The address, unique in its machine.</summary>
    public required PciAddress Address { get; init; }

    /// <summary>What the function is in the tree.</summary>
    public PciFunctionKind Kind { get; init; }

    /// <summary>
    /// The bridge whose secondary bus the function sits on; <see langword="null"/> for functions on a root bus and where unknown
    /// (then <see cref="RootBus"/> is <see langword="null"/> too). A virtual function has the bridge of its physical function.
    /// </summary>
    public PciAddress? Parent { get; init; }

    /// <summary>
    /// How many bridges are known to lie between <see cref="Parent"/> (or the host bridge) and this function without being in the
    /// description: 0 for whole trees, 1 where a format leaves out every second bridge (NCCL), <see langword="null"/> = unknown.
    /// </summary>
    public int? HiddenBridgesAbove { get; init; } = 0;

    /// <summary>The root bus of the tree that the function is in; <see langword="null"/> = unknown.</summary>
    public PciBusAddress? RootBus { get; init; }

    /// <summary>Vendor id.</summary>
    public ushort? VendorId { get; init; }

    /// <summary>Device id.</summary>
    public ushort? DeviceId { get; init; }

    /// <summary>Base class and sub-class, for example 0x0302.</summary>
    public ushort? ClassCode { get; init; }

    /// <summary>Programming interface, the class code's last byte.</summary>
    public byte? ProgrammingInterface { get; init; }

    /// <summary>Revision.</summary>
    public byte? Revision { get; init; }

    /// <summary>Subsystem vendor id.</summary>
    public ushort? SubsystemVendorId { get; init; }

    /// <summary>Subsystem device id.</summary>
    public ushort? SubsystemDeviceId { get; init; }

    /// <summary>Vendor and device by name, as the source wrote them.</summary>
    public string? Name { get; init; }

    /// <summary>The bound driver.</summary>
    public string? Driver { get; init; }

    /// <summary>The device has several functions (header type bit 7).</summary>
    public bool? IsMultiFunction { get; init; }

    /// <summary>Whether the function has a PCIe capability; <see langword="null"/> = unknown.</summary>
    public bool? IsPcie { get; init; }

    /// <summary>PCIe device/port type (4 = root port); <see langword="null"/> = no PCIe capability or unknown, see <see cref="IsPcie"/>.</summary>
    public byte? PcieType { get; init; }

    /// <summary>For bridges, the bus behind; <see langword="null"/> = no bridge or unknown, 0 = not configured.</summary>
    public byte? SecondaryBus { get; init; }

    /// <summary>For bridges, the last bus behind; <see langword="null"/> = no bridge or unknown.</summary>
    public byte? SubordinateBus { get; init; }

    /// <summary>For a virtual function its physical function, else <see langword="null"/>.</summary>
    public PciAddress? PhysicalFunction { get; init; }

    /// <summary>ACS: present or not, capability and control.</summary>
    public AcsDescription Acs { get; init; } = AcsDescription.Unknown;

    /// <summary>The PCIe link; <see langword="null"/> = none or unknown.</summary>
    public PcieLinkDescription? Link { get; init; }

    /// <summary>NUMA node; <see langword="null"/> = unknown or none.</summary>
    public int? NumaNode { get; init; }

    /// <summary>IOMMU group; <see langword="null"/> = unknown or none.</summary>
    public int? IommuGroup { get; init; }

    /// <summary>Memory and I/O regions in order of their numbers; <see langword="null"/> = unknown, empty = none.</summary>
    public IReadOnlyList<BarDescription>? Bars { get; init; }

    /// <summary>Whether the function is a bridge of any kind, so that other functions may sit behind it.</summary>
    public bool IsBridge => Kind is >= PciFunctionKind.RootPort and <= PciFunctionKind.Bridge;

    /// <summary>Whether the function is a virtual function of SR-IOV.</summary>
    public bool IsVirtualFunction => PhysicalFunction is not null;
}
