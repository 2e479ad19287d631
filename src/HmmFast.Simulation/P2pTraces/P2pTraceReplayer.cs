using HmmFast.Topology;

namespace HmmFast.Simulation.P2pTraces;

/// <summary>
/// Asks a rule every pair of recorded cases and compares distance, map type and what mapping a page would do. Counts cases and pairs.
/// </summary>
public sealed class P2pTraceReplayer
{
    private readonly Func<P2pTraceCase, IP2PdmaDistance> _makeRule;
    private readonly List<P2pTraceOutcome> _failures = [];

    /// <summary>Makes a replayer.</summary>
    /// <param name="makeRule">Makes the rule that is asked; null: the engine's, see <see cref="P2pTraceCase.Engine"/>.</param>
    public P2pTraceReplayer(Func<P2pTraceCase, IP2PdmaDistance>? makeRule = null) => _makeRule = makeRule ?? (static read => read.Engine());

    /// <summary>Cases of which every pair agreed.</summary>
    public int PassedCount { get; private set; }

    /// <summary>Cases with at least one difference.</summary>
    public int FailedCount => _failures.Count;

    /// <summary>Pairs asked.</summary>
    public long PairCount { get; private set; }

    /// <summary>Pairs whose recording also says what mapping a page did.</summary>
    public long DmaCount { get; private set; }

    /// <summary>The failed cases with their first difference.</summary>
    public IReadOnlyList<P2pTraceOutcome> Failures => _failures;

    /// <summary>Replays a file.</summary>
    /// <param name="path">The file, as <see cref="P2pTraceReader.ReadFile"/> reads it.</param>
    /// <exception cref="P2pTraceFormatException">A line is not a case.</exception>
    public void ReplayFile(string path)
    {
        foreach (P2pTraceCase read in P2pTraceReader.ReadFile(path))
        {
            Replay(read);
        }
    }

    /// <summary>Replays one case and counts it.</summary>
    /// <param name="read">The case.</param>
    /// <returns>How it went.</returns>
    public P2pTraceOutcome Replay(P2pTraceCase read)
    {
        ArgumentNullException.ThrowIfNull(read);
        string? difference = FirstDifference(read, out int dmaCount);
        var outcome = new P2pTraceOutcome(read.Name, read.Line, read.Pairs.Count, dmaCount, difference);
        PairCount += outcome.PairCount;
        DmaCount += dmaCount;
        if (outcome.IsPassed)
        {
            PassedCount++;
        }
        else
        {
            _failures.Add(outcome);
        }

        return outcome;
    }

    /// <summary>What mapping a peer page of this type does, in the recordings' words.</summary>
    /// <param name="mapType">The map type.</param>
    /// <returns><c>bus</c>, <c>phys</c> or <c>err-121</c>.</returns>
    public static string DmaOf(P2PdmaMapType mapType) => mapType switch
    {
        P2PdmaMapType.BusAddr => "bus",
        P2PdmaMapType.NotSupported => "err-121",
        _ => "phys",
    };

    private string? FirstDifference(P2pTraceCase read, out int dmaCount)
    {
        dmaCount = 0;
        IP2PdmaDistance rule;
        try
        {
            rule = _makeRule(read);
        }
        catch (Exception e) when (e is PciTopologyException or ArgumentException)
        {
            return $"the tree is refused: {e.Message}";
        }

        string? difference = null;
        foreach (P2pTracePair pair in read.Pairs)
        {
            P2PdmaAnswer answer;
            try
            {
                answer = rule.Answer(pair.Provider, pair.Client);
            }
            catch (ArgumentException e)
            {
                return $"{pair.Provider} -> {pair.Client}: {e.Message}";
            }

            dmaCount += pair.Dma is null ? 0 : 1;
            bool isEqual = answer.Distance == pair.Distance
                && answer.MapType == pair.MapType
                && (pair.Dma is null || pair.Dma == DmaOf(answer.MapType));
            if (!isEqual)
            {
                difference ??= $"{pair.Provider} -> {pair.Client}: recorded {pair.MapType} {pair.Distance} (dma {pair.Dma ?? "not tried"}), "
                    + $"answered {answer.MapType} {answer.Distance} (dma {DmaOf(answer.MapType)})";
            }
        }

        return difference;
    }
}
