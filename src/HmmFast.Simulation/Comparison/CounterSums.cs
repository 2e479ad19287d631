using HmmFast.Dma;
using HmmFast.Drivers.Importing;

namespace HmmFast.Simulation.Comparison;

/// <summary>Adds counters up over importers.</summary>
internal static class CounterSums
{
    public static ImporterCounters Plus(this ImporterCounters left, ImporterCounters right) => new()
    {
        Requests = left.Requests + right.Requests,
        RequestedPages = left.RequestedPages + right.RequestedPages,
        RangeFaultCalls = left.RangeFaultCalls + right.RangeFaultCalls,
        SecondCalls = left.SecondCalls + right.SecondCalls,
        BusyRetries = left.BusyRetries + right.BusyRetries,
        DmaMapFailures = left.DmaMapFailures + right.DmaMapFailures,
        UnusablePfns = left.UnusablePfns + right.UnusablePfns,
        ExporterMaps = left.ExporterMaps + right.ExporterMaps,
        PostCheckMisses = left.PostCheckMisses + right.PostCheckMisses,
        FailedRequests = left.FailedRequests + right.FailedRequests,
        TlbInvalidations = left.TlbInvalidations + right.TlbInvalidations,
        PagesUnmapped = left.PagesUnmapped + right.PagesUnmapped,
    };

    public static DmaMapCounters Plus(this DmaMapCounters left, DmaMapCounters right) => new()
    {
        Mapped = left.Mapped + right.Mapped,
        MappedBus = left.MappedBus + right.MappedBus,
        MappedThruHostBridge = left.MappedThruHostBridge + right.MappedThruHostBridge,
        Kept = left.Kept + right.Kept,
        Failed = left.Failed + right.Failed,
        Unmapped = left.Unmapped + right.Unmapped,
        P2pLookups = left.P2pLookups + right.P2pLookups,
    };
}
