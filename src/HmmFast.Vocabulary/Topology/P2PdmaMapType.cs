namespace HmmFast.Topology;

/// <summary>
/// How one device's memory is mapped for another, <c>enum pci_p2pdma_map_type</c> in this library's numbering (it fits two bits).
/// </summary>
public enum P2PdmaMapType : byte
{
    /// <summary>Not peer memory: an ordinary page, mapped as always.</summary>
    None = 0,

    /// <summary>The traffic stays below a common bridge: the address is the provider's bus address, and no IOMMU is involved.</summary>
    BusAddr = 1,

    /// <summary>The traffic goes up through the host bridge and down again: mapped as ordinary memory, as MMIO.</summary>
    ThruHostBridge = 2,

    /// <summary>No traffic is allowed between the two.</summary>
    NotSupported = 3,
}
