namespace HmmFast.Simulation.Traces;

/// <summary>A run of equal requests of a direct range fault.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Request">The input words' flags.</param>
public readonly record struct TraceRequestRun(int Page, int Count, HmmRequestFlags Request);
