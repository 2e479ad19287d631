using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Costs;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <summary>Turns a result's counts into time under the cost model.</summary>
internal static class CostAccount
{
    public static void Charge(PolicyResult result, PolicyScenario scenario, DeviceFabric fabric)
    {
        CostModel costs = scenario.Costs;
        result.SetupTimeNs = Setup(result, scenario, costs);
        double use = 0;
        foreach (PairCounts pair in result.Pairs)
        {
            pair.UseTimeNs = Use(pair, scenario, fabric, costs);
            use += pair.UseTimeNs;
        }

        result.UseTimeNs = use;
        result.TotalTimeNs = result.SetupTimeNs + (scenario.Uses * use);
    }

    /// <summary>Time of one use of a pair's pages.</summary>
    public static double Use(PairCounts pair, PolicyScenario scenario, DeviceFabric fabric, CostModel costs)
    {
        double chunk = scenario.ChunkPageCount;
        PathEstimate local = new(costs["localBytesPerSecond"], costs["localLatencyNs"]);
        PathEstimate system = new(costs["systemBytesPerSecond"], costs["systemLatencyNs"]);
        PathEstimate link = pair.Provider < 0 ? default : LinkPath(fabric.Plan, pair);
        PathEstimate pci = pair.Provider < 0 ? default : fabric.Plan.P2pPath(pair.Provider, pair.Client);
        return Over(pair[PageOutcome.Local], local)
            + Over(pair[PageOutcome.PrivateLink], link)
            + Over(pair[PageOutcome.PrivateExporterMapped] + pair[PageOutcome.AliasBus] + pair[PageOutcome.AliasHostBridge], pci)
            + Over(pair[PageOutcome.System] + pair[PageOutcome.SystemWholeRange], system);

        double Over(ulong pages, PathEstimate path) =>
            pages == 0 ? 0 : (pages * (double)PageOrder.PageSizeBytes / path.BytesPerSecond * 1e9) + (Math.Ceiling(pages / chunk) * path.LatencyNs);
    }

    private static PathEstimate LinkPath(FabricPlan plan, PairCounts pair)
    {
        PathEstimate best = default;
        foreach (FabricLink link in plan.Links)
        {
            bool joins = (link.From == pair.Provider && link.To == pair.Client) || (link.To == pair.Provider && link.From == pair.Client);
            best = joins && link.Path > best ? link.Path : best;
        }

        return best;
    }

    private static double Setup(PolicyResult result, PolicyScenario scenario, CostModel costs)
    {
        ImporterCounters work = result.Importers;
        double moved = result.MigratedPages + result.RestoredPages;
        double walked = work.RequestedPages + ((double)(work.SecondCalls + work.BusyRetries) * scenario.ChunkPageCount);

        // A request that migrates ends its first call with EBUSY: as many migrations are set up as calls were repeated.
        double migrations = work.BusyRetries + result.RestoreMigrations + (result.Fabric.EvictedPages / (double)scenario.ChunkPageCount);
        double checks = 0;
        foreach ((PolicyChecks check, (ulong pages, ulong runs)) in result.Checks)
        {
            checks += (costs.ChecksPaid == CheckCharge.PerRun ? runs : pages) * costs[NameOf(check)];
        }

        return (work.RangeFaultCalls * costs["rangeFaultCallNs"])
            + (walked * costs["walkPageNs"])
            + (result.MigratedPages * costs["faultPageNs"])
            + (moved * costs["migratePageNs"])
            + (moved * PageOrder.PageSizeBytes / costs["migrationBytesPerSecond"] * 1e9)
            + (migrations * costs["migrationSetupNs"])
            + (work.TlbInvalidations * costs["tlbInvalidationNs"])
            + (result.Dma.Mapped * costs["dmaMapPageNs"])
            + (result.Dma.P2pLookups * costs["distanceLookupNs"])
            + (work.ExporterMaps * costs["exporterMapPageNs"])
            + (result.Fabric.OwnerChanges * costs["ownerChangeNs"])
            + checks;
    }

    private static string NameOf(PolicyChecks check) => check switch
    {
        PolicyChecks.ExporterCallback => "exporterCallbackNs",
        PolicyChecks.DistanceLookup => "distanceLookupNs",
        PolicyChecks.LinkCheck => "linkCheckNs",
        PolicyChecks.RangeCallback => "rangeCallbackNs",
        PolicyChecks.DevmemAllowed => "devmemAllowedNs",
        PolicyChecks.BitmapRead => "bitmapReadNs",
        _ => "pathSelectionNs",
    };
}
