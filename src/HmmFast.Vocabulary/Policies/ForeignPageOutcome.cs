namespace HmmFast.Policies;

/// <summary>What a device-private page becomes in the answer to a range fault.</summary>
public enum ForeignPageOutcome : byte
{
    /// <summary>Migrate to system memory and walk again where a fault was requested; else 0.</summary>
    Fall,

    /// <summary>The private pfn itself.</summary>
    Private,

    /// <summary>The pfn of the PCI_P2PDMA page over the exporter's BAR.</summary>
    Alias,
}
