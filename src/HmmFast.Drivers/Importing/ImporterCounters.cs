namespace HmmFast.Drivers.Importing;

/// <summary>What an importer has done.</summary>
public record struct ImporterCounters
{
    /// <summary>Ranges asked for.</summary>
    public ulong Requests { get; set; }

    /// <summary>Pages in them.</summary>
    public ulong RequestedPages { get; set; }

    /// <summary>hmm_range_fault calls.</summary>
    public ulong RangeFaultCalls { get; set; }

    /// <summary>Of those, calls made because a DMA map or a check had failed.</summary>
    public ulong SecondCalls { get; set; }

    /// <summary>Calls repeated because the notifier sequence was stale (EBUSY, or found afterwards).</summary>
    public ulong BusyRetries { get; set; }

    /// <summary>Pages that could not be DMA mapped.</summary>
    public ulong DmaMapFailures { get; set; }

    /// <summary>Private pfns handed out that the importer could not use.</summary>
    public ulong UnusablePfns { get; set; }

    /// <summary>Private pages mapped by their exporter over PCI.</summary>
    public ulong ExporterMaps { get; set; }

    /// <summary>Ranges sent to system memory because one page was unfit or the range mixed.</summary>
    public ulong PostCheckMisses { get; set; }

    /// <summary>Requests that ended in an error.</summary>
    public ulong FailedRequests { get; set; }

    /// <summary>Invalidations that took something out of the importer's table: one flush each.</summary>
    public ulong TlbInvalidations { get; set; }

    /// <summary>Pages taken out by them.</summary>
    public ulong PagesUnmapped { get; set; }
}
