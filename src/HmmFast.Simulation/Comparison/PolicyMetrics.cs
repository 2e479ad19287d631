using HmmFast.Drivers.Importing;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>Every metric of a comparison, by a stable name and with its unit.</summary>
public static class PolicyMetrics
{
    /// <summary>All of them, in the order in which they are printed.</summary>
    public static IReadOnlyList<MetricDescription> All { get; } =
    [
        new("requestedPages", "pages", "asked", "pages asked for, summed over clients and steps", r => Sum(r, p => p.Total)),
        new("localPages", "pages", "local", "private pages of the client's own memory", r => r.Pages(PageOutcome.Local)),
        new("privatePages", "pages", "private", "foreign private pages handed out and usable (over the link, or mapped by the exporter)", r => r.Pages(PageOutcome.PrivateLink) + r.Pages(PageOutcome.PrivateExporterMapped)),
        new("exporterMappedPages", "pages", "exporter", "of those, mapped by the exporter over PCI", r => r.Pages(PageOutcome.PrivateExporterMapped)),
        new("aliasBusPages", "pages", "bus", "aliases by bus address", r => r.Pages(PageOutcome.AliasBus)),
        new("aliasHostBridgePages", "pages", "bridge", "aliases through the host bridge", r => r.Pages(PageOutcome.AliasHostBridge)),
        new("systemPages", "pages", "system", "pages of system memory", r => r.Pages(PageOutcome.System) + r.Pages(PageOutcome.SystemWholeRange) - Sum(r, p => p.CoherentPages)),
        new("coherentPages", "pages", "coherent", "pages of coherent device memory, used where they lie", r => Sum(r, p => p.CoherentPages)),
        new("providerPages", "pages", "no struct page", "pages without struct page that were mapped, among the aliases", r => Sum(r, p => p.ProviderPages)),
        new("holePages", "pages", "hole", "pages where there is nothing to be had", r => r.Pages(PageOutcome.Hole) + r.Pages(PageOutcome.None)),
        new("failedPages", "pages", "failed", "pages of requests that ended in an error", r => r.Pages(PageOutcome.Failed)),
        new("unusablePfns", "pages", "unusable", "private pfns handed out that the client cannot use", r => r.Pages(PageOutcome.Unusable)),
        new("migratedPages", "pages", "to RAM", "pages that moved from a device to system memory", r => r.MigratedPages),
        new("migratedBytes", "B", "to RAM", "bytes that moved from a device to system memory", r => r.MigratedPages * (double)PageOrder.PageSizeBytes),
        new("collateralPages", "pages", "collat.", "pages that were reachable and went to system memory because a neighbour was not", r => Sum(r, p => p.CollateralPages)),
        new("collateralByFaultPages", "pages", "by fault", "of those, taken along unasked by a fault that ran forward", r => Sum(r, p => p.CollateralByFaultPages)),
        new("ownPulledBackPages", "pages", "own lost", "pages of a client's own memory that its own request sent to system memory", OwnPulledBack),
        new("pingPongPages", "pages", "pingpong", "pages that went to system memory and back to their device", r => Math.Min(r.RestoredPages, r.MigratedPages)),
        new("evictedPages", "pages", "evicted", "pages evicted by unplugging or by registering a pagemap anew", r => r.Fabric.EvictedPages),
        new("rangeFaultCalls", "calls", "calls", "hmm_range_fault calls", r => r.Importers.RangeFaultCalls),
        new("secondCalls", "calls", "2nd", "of those, calls made because a DMA map or a check had failed", r => r.Importers.SecondCalls),
        new("busyRetries", "calls", "EBUSY", "of those, calls repeated because the sequence was stale", r => r.Importers.BusyRetries),
        new("failedRequests", "calls", "errors", "requests that ended in an error", r => r.Importers.FailedRequests),
        new("outOfMemoryRequests", "calls", "no memory", "requests that ended because system memory was exhausted", r => r.OutOfMemoryRequests),
        new("failedChanges", "steps", "undone", "steps (a link, an unplug, an eviction, a chunk) that could not be carried through", r => r.FailedChanges),
        new("missingFrames", "pages", "missing", "frames of system memory that those requests and steps lacked", r => r.MissingFrames),
        new("fullDeviceMoves", "calls", "full", "moves to a device that found its memory full", r => r.FullDeviceMoves),
        new("exporterCallbacksPerPage", "calls", "callbacks/4K", "exporter callbacks if asked once a page", r => r.ChecksOf(PolicyChecks.ExporterCallback).Pages),
        new("exporterCallbacksPerRun", "calls", "callbacks/run", "exporter callbacks if asked once a run of pages of one pagemap", r => r.ChecksOf(PolicyChecks.ExporterCallback).Runs),
        new("distanceLookupsPerPage", "calls", "distance/4K", "distance look-ups by the core if made once a page", r => r.ChecksOf(PolicyChecks.DistanceLookup).Pages),
        new("distanceLookupsPerRun", "calls", "distance/run", "distance look-ups by the core if made once a run", r => r.ChecksOf(PolicyChecks.DistanceLookup).Runs),
        new("devmemAllowedPerPage", "calls", "devmem/4K", "devmem_allowed calls if made once a page", r => r.ChecksOf(PolicyChecks.DevmemAllowed).Pages),
        new("devmemAllowedPerRun", "calls", "devmem/run", "devmem_allowed calls if made once a run", r => r.ChecksOf(PolicyChecks.DevmemAllowed).Runs),
        new("rangeCallbacksPerPage", "calls", "range cb/4K", "range callbacks if made once a page", r => r.ChecksOf(PolicyChecks.RangeCallback).Pages),
        new("rangeCallbacksPerRun", "calls", "range cb/run", "range callbacks if made once a run", r => r.ChecksOf(PolicyChecks.RangeCallback).Runs),
        new("liveChecksPerPage", "calls", "live/4K", "reads of a link's state or of the reachability bitmap, once a page", r => r.ChecksOf(PolicyChecks.LinkCheck).Pages + r.ChecksOf(PolicyChecks.BitmapRead).Pages),
        new("liveChecksPerRun", "calls", "live/run", "reads of a link's state or of the reachability bitmap, once a run", r => r.ChecksOf(PolicyChecks.LinkCheck).Runs + r.ChecksOf(PolicyChecks.BitmapRead).Runs),
        new("checksPerPage", "calls", "checks/4K", "checks of every kind, once a page", r => r.Checks.Values.Sum(c => (double)c.Pages)),
        new("checksPerRun", "calls", "checks/run", "checks of every kind, once a run", r => r.Checks.Values.Sum(c => (double)c.Runs)),
        new("dmaMapFailures", "pages", "map fail", "pages that could not be DMA mapped", r => r.Importers.DmaMapFailures),
        new("dmaP2pLookups", "calls", "DMA look", "map type look-ups in the DMA step, one a run", r => r.Dma.P2pLookups),
        new("tlbInvalidations", "calls", "TLB", "flushes of a client's mappings", r => r.Importers.TlbInvalidations),
        new("pairsLostToCliques", "pairs", "lost pairs", "pairs with an interconnect but different owners, the most at any time", r => r.PairsLostToCliques),
        new("ownerChanges", "changes", "owners", "owners changed at run time", r => r.Fabric.OwnerChanges),
        new("revokedPages", "pages", "revoked", "pages whose users were told to let go by a change of connectivity", r => r.Fabric.RevokedPages),
        new("structPageBytes", "B", "struct page", "bytes of struct pages for device memory; an alias doubles them", r => r.StructPageBytes),
        new("setupTimeNs", "ns", "set-up", "time before the first use, under the cost model", r => r.SetupTimeNs),
        new("useTimeNs", "ns", "a use", "time for one use of everything, under the cost model", r => r.UseTimeNs),
        new("totalTimeNs", "ns", "total", "set-up and the scenario's uses", r => r.TotalTimeNs),
    ];

    /// <summary>A metric by name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public static MetricDescription Find(string name) =>
        All.FirstOrDefault(metric => metric.Name == name) ?? throw new KeyNotFoundException($"There is no metric \"{name}\".");

    private static double Sum(PolicyResult result, Func<PairCounts, ulong> value) => result.Pairs.Sum(pair => (double)value(pair));

    private static double OwnPulledBack(PolicyResult result) => result.Pairs
        .Where(pair => pair.Client == pair.Provider)
        .Sum(pair => (double)pair.MigratedPages);
}
