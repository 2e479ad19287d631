namespace HmmFast.Simulation.Machines;

/// <summary>A kind of fact that a description may lack; what is lacking is counted in <see cref="MachineDescription.Unknowns"/>.</summary>
public enum MachineFact
{
    /// <summary>Vendor, family and model of the processor.</summary>
    Cpu,

    /// <summary>PCI functions at all.</summary>
    Functions,

    /// <summary>Vendor and device id of a function.</summary>
    DeviceId,

    /// <summary>The class code of a function.</summary>
    ClassCode,

    /// <summary>What a function is in the tree, or its PCIe port type.</summary>
    PcieType,

    /// <summary>Whether a function has an ACS capability.</summary>
    AcsPresence,

    /// <summary>The ACS control bits of a function that has, or may have, the capability.</summary>
    AcsControl,

    /// <summary>The bridge above a function, or whether there are more bridges between the two.</summary>
    Parent,

    /// <summary>The host bridge (root bus) above a function.</summary>
    RootBus,

    /// <summary>The first device of a root bus, which speaks for its host bridge.</summary>
    HostBridgeDevice,

    /// <summary>The bus behind a bridge.</summary>
    SecondaryBus,

    /// <summary>Speed and width of a PCIe function's link.</summary>
    PcieLink,

    /// <summary>The NUMA node of a function.</summary>
    NumaNode,

    /// <summary>The IOMMU group of a function.</summary>
    IommuGroup,

    /// <summary>The sizes of a function's BARs.</summary>
    BarSize,

    /// <summary>The PCI address of a device known by name only.</summary>
    DeviceAddress,

    /// <summary>The bandwidth of a private link.</summary>
    LinkBandwidth,

    /// <summary>The latency of a private link.</summary>
    LinkLatency,

    /// <summary>Whether a private link is up.</summary>
    LinkLive,
}
