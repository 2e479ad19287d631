namespace HmmFast.Simulation.Traces;

/// <summary>A run of equal pages in an observation.</summary>
/// <param name="Page">First page, relative to the region.</param>
/// <param name="Count">Pages.</param>
/// <param name="State">What each of them is.</param>
public readonly record struct TracePageRun(int Page, int Count, TracePage State);
