namespace HmmFast.Simulation.Machines;

/// <summary>What a PCI function is in the tree.</summary>
public enum PciFunctionKind
{
    /// <summary>The format does not tell an endpoint from a bridge.</summary>
    Unknown,

    /// <summary>A device of class 0600 on a root bus: the host bridge's own face in configuration space.</summary>
    HostBridgeDevice,

    /// <summary>A PCIe root port (PCIe port type 4).</summary>
    RootPort,

    /// <summary>The upstream port of a PCIe switch (type 5).</summary>
    SwitchUpstream,

    /// <summary>A downstream port of a PCIe switch (type 6).</summary>
    SwitchDownstream,

    /// <summary>A bridge from PCIe to conventional PCI (type 7).</summary>
    PcieToPciBridge,

    /// <summary>A bridge from conventional PCI to PCIe (type 8).</summary>
    PciToPcieBridge,

    /// <summary>A PCI-to-PCI bridge without a PCIe capability.</summary>
    PciBridge,

    /// <summary>A CardBus bridge (header type 2).</summary>
    CardBusBridge,

    /// <summary>A PCI-to-PCI bridge of which the format does not say more.</summary>
    Bridge,

    /// <summary>A function that bridges nothing: endpoint, integrated endpoint or event collector.</summary>
    Endpoint,
}
