namespace HmmFast.Simulation.Traces;

/// <summary>What was read, or how each page's write ended.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Status">Outcome.</param>
/// <param name="Tag">Content of the first page.</param>
/// <param name="Stride">Step of the content from page to page.</param>
public readonly record struct TraceDataRun(int Page, int Count, CpuAccessResult Status, ulong Tag, ulong Stride);
