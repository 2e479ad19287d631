using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>What one policy did in one scenario.</summary>
public sealed class PolicyResult
{
    /// <summary>The policy.</summary>
    public required IHmmPolicy Policy { get; init; }

    /// <summary>The habit its faults had.</summary>
    public required FaultHabit Habit { get; init; }

    /// <summary>Pages by client and by where they lay.</summary>
    public required IReadOnlyList<PairCounts> Pairs { get; init; }

    /// <summary>Sum over all importers.</summary>
    public ImporterCounters Importers { get; set; }

    /// <summary>Sum over all DMA maps.</summary>
    public DmaMapCounters Dma { get; set; }

    /// <summary>What changes of connectivity cost.</summary>
    public FabricCounters Fabric { get; set; }

    /// <summary>Checks paid, each counted once a page and once a run of pages of one pagemap.</summary>
    public Dictionary<PolicyChecks, (ulong Pages, ulong Runs)> Checks { get; } = [];

    /// <summary>Pages that moved from devices to system memory after they were placed.</summary>
    public ulong MigratedPages { get; set; }

    /// <summary>Pages that moved to a device after they were placed.</summary>
    public ulong RestoredPages { get; set; }

    /// <summary>migrate_vma calls that moved pages back to devices.</summary>
    public ulong RestoreMigrations { get; set; }

    /// <summary>Pages placed on devices at the start.</summary>
    public ulong PlacedPages { get; set; }

    /// <summary>Page faults.</summary>
    public ulong Faults { get; set; }

    /// <summary>Invalidations sent.</summary>
    public ulong Invalidations { get; set; }

    /// <summary>The most pairs at any time that were lost because cliques cannot express the links.</summary>
    public int PairsLostToCliques { get; set; }

    /// <summary>Bytes of struct pages for device memory, aliases included where the policy hands them out.</summary>
    public ulong StructPageBytes { get; set; }

    /// <summary>Frames of system memory that failed requests and changes lacked.</summary>
    public ulong MissingFrames { get; set; }

    /// <summary>Moves to a device that found its memory full.</summary>
    public ulong FullDeviceMoves { get; set; }

    /// <summary>Steps that could not be carried through.</summary>
    public IReadOnlyList<StepShortfall> Shortfalls { get; set; } = [];

    /// <summary>Requests that found system memory exhausted.</summary>
    public ulong OutOfMemoryRequests { get; set; }

    /// <summary>Changes of connectivity that could not be carried through.</summary>
    public ulong FailedChanges { get; set; }

    /// <summary>Time before the pages are used, under the cost model.</summary>
    public double SetupTimeNs { get; set; }

    /// <summary>Time for one use of everything that was asked for.</summary>
    public double UseTimeNs { get; set; }

    /// <summary>Set-up and the scenario's uses.</summary>
    public double TotalTimeNs { get; set; }

    /// <summary>Compared with owner-only; null without it in the comparison.</summary>
    public BreakEven? BreakEven { get; set; }

    /// <summary>Pages with an outcome, over all pairs.</summary>
    public ulong Pages(PageOutcome outcome)
    {
        ulong sum = 0;
        foreach (PairCounts pair in Pairs)
        {
            sum += pair[outcome];
        }

        return sum;
    }

    /// <summary>How often a check was paid.</summary>
    public (ulong Pages, ulong Runs) ChecksOf(PolicyChecks check) => Checks.GetValueOrDefault(check);
}
