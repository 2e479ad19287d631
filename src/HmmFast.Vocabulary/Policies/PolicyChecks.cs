namespace HmmFast.Policies;

/// <summary>Checks a policy pays for while it decides, beyond comparing owners.</summary>
[Flags]
public enum PolicyChecks : byte
{
    /// <summary>Comparing owners was enough.</summary>
    None = 0,

    /// <summary>The exporter's callback was asked for an alias (<c>get_dma_pfn_for_device</c>).</summary>
    ExporterCallback = 1,

    /// <summary>The P2P map type of provider and client was looked up.</summary>
    DistanceLookup = 2,

    /// <summary>The live state of the private link was read.</summary>
    LinkCheck = 4,

    /// <summary>The importer's range callback ran (<c>p2p_allow</c>, <c>devmem_allow</c>).</summary>
    RangeCallback = 8,

    /// <summary>The exporter's <c>devmem_allowed(pagemap, client)</c> ran.</summary>
    DevmemAllowed = 16,

    /// <summary>A bit of the N x N reachability bitmap was read.</summary>
    BitmapRead = 32,

    /// <summary>Paths were compared by bandwidth and latency.</summary>
    PathSelection = 64,
}
