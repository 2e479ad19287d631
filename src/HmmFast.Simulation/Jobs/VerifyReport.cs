namespace HmmFast.Simulation.Jobs;

/// <summary>What running the reference beside the engine said.</summary>
/// <param name="IsEqual">True when every status, word, migration, counter and the final state were equal.</param>
/// <param name="ComparedWords">Result words compared.</param>
/// <param name="Difference">The first difference: step, page and both answers; null when equal.</param>
/// <param name="ReferenceSeconds">Time the reference spent inside the same calls.</param>
public sealed record VerifyReport(bool IsEqual, ulong ComparedWords, string? Difference, double ReferenceSeconds);
