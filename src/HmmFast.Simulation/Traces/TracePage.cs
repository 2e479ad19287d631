namespace HmmFast.Simulation.Traces;

/// <summary>One observed page.</summary>
/// <param name="Snapshot0">The snapshot byte from the first device.</param>
/// <param name="Snapshot1">The snapshot byte from the second device.</param>
/// <param name="Entry">What the CPU page table holds: '-', P, S, D, d, X, x, M, K.</param>
/// <param name="Flags">The letters.</param>
/// <param name="MapCount">How often the frame is mapped.</param>
/// <param name="SameDistance">Distance to the lowest earlier page with the same frame; 0 if none.</param>
public readonly record struct TracePage(byte Snapshot0, byte Snapshot1, char Entry, TracePageFlags Flags, uint MapCount, int SameDistance);
