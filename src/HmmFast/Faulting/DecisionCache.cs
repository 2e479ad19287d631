using System.Runtime.CompilerServices;
using HmmFast.AddressSpaces;

namespace HmmFast.Faulting;

/// <summary>The decision tables of recent callers, so that a call builds one only when something it rests on is new. Safe for concurrent calls.</summary>
internal sealed class DecisionCache
{
    private const int Slots = 16;

    private readonly DecisionTable?[] _tables = new DecisionTable?[Slots];
    private DecisionTable? _recent;
    private int _next;

    /// <summary>The table of a key, built when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DecisionTable Get(in DecisionKey key, PageClassTable classes)
    {
        // A caller's next call mostly asks as its last one did.
        DecisionTable? recent = Volatile.Read(ref _recent);
        return recent is not null && recent.Key.IsSame(key) ? recent : Find(key, classes);
    }

    private DecisionTable Find(in DecisionKey key, PageClassTable classes)
    {
        for (int i = 0; i < Slots; i++)
        {
            DecisionTable? table = Volatile.Read(ref _tables[i]);
            if (table is not null && table.Key.Equals(key))
            {
                Volatile.Write(ref _recent, table);
                return table;
            }
        }

        var built = new DecisionTable(key, classes);
        int slot = (Interlocked.Increment(ref _next) - 1) & (Slots - 1);
        Volatile.Write(ref _tables[slot], built);
        Volatile.Write(ref _recent, built);
        return built;
    }
}
