namespace HmmFast.Simulation.Traces;

/// <summary>A run of equal pages in an observation.</summary>
/// <param name="Page">First page, relative to the region.</param>
/// <param name="Count">Pages.</param>
/// <param name="State">What each of them is.</param>
public readonly record struct TracePageRun(int Page, int Count, TracePage State);

/// <summary>One observed page.</summary>
/// <param name="Snapshot0">The snapshot byte from the first device.</param>
/// <param name="Snapshot1">The snapshot byte from the second device.</param>
/// <param name="Entry">What the CPU page table holds: '-', P, S, D, d, X, x, M, K.</param>
/// <param name="Flags">The letters.</param>
/// <param name="MapCount">How often the frame is mapped.</param>
/// <param name="SameDistance">Distance to the lowest earlier page with the same frame; 0 if none.</param>
public readonly record struct TracePage(byte Snapshot0, byte Snapshot1, char Entry, TracePageFlags Flags, uint MapCount, int SameDistance);

/// <summary>A run of pages in the child's page table.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Entry">As in <see cref="TracePage"/>.</param>
/// <param name="Flags">File, exclusive and soft-dirty.</param>
/// <param name="Frame">'=' the parent's frame, '!' another, '.' not comparable.</param>
public readonly record struct TraceChildRun(int Page, int Count, char Entry, TracePageFlags Flags, char Frame);

/// <summary>What was read, or how each page's write ended.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Status">Outcome.</param>
/// <param name="Tag">Content of the first page.</param>
/// <param name="Stride">Step of the content from page to page.</param>
public readonly record struct TraceDataRun(int Page, int Count, CpuAccessResult Status, ulong Tag, ulong Stride);

/// <summary>A run of equal snapshot bytes.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Value">The byte.</param>
public readonly record struct TraceByteRun(int Page, int Count, byte Value);

/// <summary>A run of equal requests of a direct range fault.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Request">The input words' flags.</param>
public readonly record struct TraceRequestRun(int Page, int Count, HmmRequestFlags Request);

/// <summary>A run of equal results of a direct range fault.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Flags">V, VW, E or nothing.</param>
/// <param name="Order">Mapping order.</param>
/// <param name="Untouched">The word still holds its input.</param>
/// <param name="Frame">'-' none, '=' the page table's frame, 'z' the zero page, 'Z' and '!' something else.</param>
public readonly record struct TraceResultRun(int Page, int Count, string Flags, int Order, bool Untouched, char Frame);

/// <summary>One recorded VMA.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Permissions">As in /proc/PID/maps: rw-p and so on.</param>
/// <param name="Kind">anon, anonsh, memfd, ext2, mixed.</param>
/// <param name="PageOffset">Page of the object at its start.</param>
public readonly record struct TraceVma(int Page, int Count, string Permissions, string Kind, ulong PageOffset)
{
    /// <inheritdoc/>
    public override string ToString() => $"[{Page}, {Page + Count}) {Permissions} {Kind} +{PageOffset}";
}
