namespace HmmFast.Drivers.Fabric;

/// <summary>What counts as an interconnect when devices are sorted into cliques with a common owner.</summary>
public enum InterconnectRule : byte
{
    /// <summary>A private link or allowed PCI peer-to-peer traffic (as the Xe driver has it).</summary>
    LinkOrP2p,

    /// <summary>A private link only (as an XGMI hive).</summary>
    Link,
}
