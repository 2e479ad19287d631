namespace HmmFast.Simulation.Traces;

/// <summary>A run of equal snapshot bytes.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Value">The byte.</param>
public readonly record struct TraceByteRun(int Page, int Count, byte Value);
