namespace HmmFast.Drivers.Importing;

/// <summary>What an importer ended up with for one page. One byte a page of an importer's table.</summary>
public enum PageOutcome : byte
{
    /// <summary>Nothing: not asked yet, or revoked since.</summary>
    None,

    /// <summary>A page of system memory (or coherent device memory), DMA mapped.</summary>
    System,

    /// <summary>A private page of the importer's own memory.</summary>
    Local,

    /// <summary>A private page of another device, over the private link.</summary>
    PrivateLink,

    /// <summary>A private page of another device, mapped over PCI by its exporter.</summary>
    PrivateExporterMapped,

    /// <summary>An alias page by bus address.</summary>
    AliasBus,

    /// <summary>An alias page through the host bridge.</summary>
    AliasHostBridge,

    /// <summary>A private page that the importer has no way to use.</summary>
    Unusable,

    /// <summary>The request ended in an error.</summary>
    Failed,

    /// <summary>A page of system memory, because the whole range was asked for again after one page of it had failed.</summary>
    SystemWholeRange,

    /// <summary>No page can be had there (no VMA, or one that HMM leaves alone).</summary>
    Hole,
}
