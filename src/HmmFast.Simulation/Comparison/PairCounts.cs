using HmmFast.Drivers.Importing;

namespace HmmFast.Simulation.Comparison;

/// <summary>What became of the pages that one client asked for and that lay on one device (or in system memory) before.</summary>
public sealed class PairCounts
{
    private readonly ulong[] _pages = new ulong[Enum.GetValues<PageOutcome>().Length];

    /// <summary>The client's index.</summary>
    public required int Client { get; init; }

    /// <summary>The provider's index; -1 for memory that lay on no device.</summary>
    public required int Provider { get; init; }

    /// <summary>Pages that this client could have used where they were, under this policy, and that went to system memory all the same.</summary>
    public ulong CollateralPages { get; set; }

    /// <summary>Of those, pages taken along by a fault beside them, not by an answer for the whole range.</summary>
    public ulong CollateralByFaultPages { get; set; }

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
}
