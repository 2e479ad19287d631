namespace HmmFast.Simulation.Traces;

/// <summary>A run of pages in the child's page table.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Entry">As in <see cref="TracePage"/>.</param>
/// <param name="Flags">File, exclusive and soft-dirty.</param>
/// <param name="Frame">'=' the parent's frame, '!' another, '.' not comparable.</param>
public readonly record struct TraceChildRun(int Page, int Count, char Entry, TracePageFlags Flags, char Frame);
