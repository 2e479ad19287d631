namespace HmmFast.Topology;

/// <summary>What a function is in PCI Express: the device/port type of its PCI Express capability, or why there is none.</summary>
public enum PcieType : byte
{
    /// <summary>PCI Express endpoint.</summary>
    Endpoint = 0,

    /// <summary>Legacy PCI Express endpoint.</summary>
    LegacyEndpoint = 1,

    /// <summary>Root port.</summary>
    RootPort = 4,

    /// <summary>Upstream port of a switch.</summary>
    SwitchUpstream = 5,

    /// <summary>Downstream port of a switch.</summary>
    SwitchDownstream = 6,

    /// <summary>Bridge from PCI Express to conventional PCI.</summary>
    PcieToPciBridge = 7,

    /// <summary>Bridge from conventional PCI to PCI Express.</summary>
    PciToPcieBridge = 8,

    /// <summary>Endpoint integrated into the root complex.</summary>
    RootComplexEndpoint = 9,

    /// <summary>Event collector of the root complex.</summary>
    RootComplexEventCollector = 10,

    /// <summary>Known to have no PCI Express capability.</summary>
    Conventional = 0xfe,

    /// <summary>Not known: the text read does not say.</summary>
    Unknown = 0xff,
}
