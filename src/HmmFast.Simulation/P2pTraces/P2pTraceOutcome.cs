namespace HmmFast.Simulation.P2pTraces;

/// <summary>How one recorded case replayed.</summary>
/// <param name="Name">The case.</param>
/// <param name="Line">Its line in the file.</param>
/// <param name="PairCount">How many pairs were asked.</param>
/// <param name="DmaCount">How many of them carry what mapping a real page did.</param>
/// <param name="FirstDifference">The first pair that differs, in words; null when the case passed.</param>
public sealed record P2pTraceOutcome(string Name, int Line, int PairCount, int DmaCount, string? FirstDifference)
{
    /// <summary>Whether every pair agrees.</summary>
    public bool IsPassed => FirstDifference is null;
}
