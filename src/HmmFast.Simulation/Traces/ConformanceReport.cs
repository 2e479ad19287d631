namespace HmmFast.Simulation.Traces;

/// <summary>What replaying one file on one implementation gave.</summary>
/// <param name="File">The recording.</param>
/// <param name="Engine">The implementation.</param>
/// <param name="Level">How much was compared.</param>
/// <param name="Passed">Sequences (of reachability recordings: cases) whose every step is equal.</param>
/// <param name="Failed">The others.</param>
/// <param name="Differences">The first difference of each failed one, in the order of the file.</param>
public sealed record ConformanceReport(
    string File,
    string Engine,
    ConformanceLevel Level,
    int Passed,
    int Failed,
    IReadOnlyList<TraceDifference> Differences);
