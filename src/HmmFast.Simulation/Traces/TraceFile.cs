namespace HmmFast.Simulation.Traces;

/// <summary>A recording, read and checked as a whole.</summary>
/// <param name="Path">The file, as it was named.</param>
/// <param name="Sequences">Its sequences, in order; at least one, each with its own seed.</param>
public sealed record TraceFile(string Path, IReadOnlyList<TraceSequence> Sequences);
