using HmmFast.Drivers.Importing;

namespace HmmFast.Simulation.Comparison;

/// <summary>What became of the pages that one client asked for and that lay on one device (or in system memory) before.</summary>
public sealed class PairCounts
{
    private readonly ulong[] _pages = new ulong[Enum.GetValues<PageOutcome>().Length];
    private ulong _awayPages;

    /// <summary>The client's index.</summary>
    public required int Client { get; init; }

    /// <summary>The provider's index; -1 for memory that lay on no device.</summary>
    public required int Provider { get; init; }

    /// <summary>Private pages of the provider that this client's requests sent to system memory.</summary>
    public ulong MigratedPages { get; private set; }

    /// <summary>Of those, pages that moved back to the provider afterwards.</summary>
    public ulong PingPongPages { get; private set; }

    /// <summary>Pages of coherent device memory, used where they lie; their outcome is that of system memory.</summary>
    public ulong CoherentPages { get; set; }

    /// <summary>Pages of the provider's memory without struct page that this client mapped.</summary>
    public ulong ProviderPages { get; set; }

    /// <summary>Pages that this client could have used where they were, under this policy, and that went to system memory all the same.</summary>
    public ulong CollateralPages { get; set; }

    /// <summary>Of those, pages taken along by a fault beside them, not by an answer for the whole range.</summary>
    public ulong CollateralByFaultPages { get; set; }

    /// <summary>hmm_range_fault calls that came to a private page of the provider; one that met several providers counts for each.</summary>
    public ulong Calls { get; set; }

    /// <summary>Of those, calls that ended with EBUSY at a page of the provider.</summary>
    public ulong BusyCalls { get; set; }

    /// <summary>Checks of every kind, once a page.</summary>
    public ulong ChecksPerPage { get; set; }

    /// <summary>Checks of every kind, once a run.</summary>
    public ulong ChecksPerRun { get; set; }

    /// <summary>Aliases handed out that the client does not reach, so that they cannot be DMA mapped.</summary>
    public ulong MapFailures { get; set; }

    /// <summary>Time for one use of the pages, under the cost model.</summary>
    public double UseTimeNs { get; set; }

    /// <summary>Pages by outcome.</summary>
    public ulong this[PageOutcome outcome] => _pages[(int)outcome];

    /// <summary>All pages.</summary>
    public ulong Total
    {
        get
        {
            ulong sum = 0;
            foreach (ulong pages in _pages)
            {
                sum += pages;
            }

            return sum;
        }
    }

    internal void Add(PageOutcome outcome, ulong pages) => _pages[(int)outcome] += pages;

    internal void AddMigrated(ulong pages)
    {
        MigratedPages += pages;
        _awayPages += pages;
    }

    /// <summary>Pages of the provider moved back; takes those that this client had sent away.</summary>
    /// <returns>The pages that are left for others.</returns>
    internal ulong TakeBack(ulong pages)
    {
        ulong own = Math.Min(pages, _awayPages);
        PingPongPages += own;
        _awayPages -= own;
        return pages - own;
    }
}
