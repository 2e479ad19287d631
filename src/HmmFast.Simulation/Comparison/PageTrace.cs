namespace HmmFast.Simulation.Comparison;

/// <summary>What one policy did with one page, step by step.</summary>
/// <param name="Policy">The policy's name.</param>
/// <param name="Lines">One sentence a step.</param>
public sealed record PageTrace(string Policy, IReadOnlyList<string> Lines);
