namespace HmmFast;

/// <summary>One frame's state.</summary>
/// <param name="InUse">Allocated.</param>
/// <param name="MapCount">Page table entries that hold it (device-private and exclusive entries included).</param>
/// <param name="PinCount">References taken by <see cref="IMemorySystem.Pin"/>.</param>
/// <param name="Content">Its content tag; 0 when content is not tracked.</param>
public readonly record struct FrameObservation(bool InUse, uint MapCount, uint PinCount, ulong Content);
