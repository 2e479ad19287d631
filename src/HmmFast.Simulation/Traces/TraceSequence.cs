namespace HmmFast.Simulation.Traces;

/// <summary>One recorded sequence.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Steps">Its steps, in order, numbered from 0.</param>
public sealed record TraceSequence(TraceHeader Header, IReadOnlyList<TraceStep> Steps);
