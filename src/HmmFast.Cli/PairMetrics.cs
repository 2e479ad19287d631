using HmmFast.Simulation.Comparison;

namespace HmmFast.Cli;

/// <summary>What JSON and CSV say of a pair beside its outcomes, by stable names. Calls and EBUSY count for each device whose pages the call came to.</summary>
internal static class PairMetrics
{
    public static IEnumerable<(string Name, ulong Value)> Of(PairCounts pair) =>
    [
        ("migratedPages", pair.MigratedPages),
        ("pingPongPages", pair.PingPongPages),
        ("coherentPages", pair.CoherentPages),
        ("providerPages", pair.ProviderPages),
        ("rangeFaultCalls", pair.Calls),
        ("busyRetries", pair.BusyCalls),
        ("checksPerPage", pair.ChecksPerPage),
        ("checksPerRun", pair.ChecksPerRun),
        ("dmaMapFailures", pair.MapFailures),
        ("useTimeNs", (ulong)Math.Round(pair.UseTimeNs)),
    ];
}
