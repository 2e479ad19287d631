namespace HmmFast.Simulation.Captures;

/// <summary>One VMA of a captured process.</summary>
/// <param name="Range">Its pages.</param>
/// <param name="Protection">What it allows (reading and writing).</param>
/// <param name="Kind">What it maps.</param>
/// <param name="FileIndex">The file in <see cref="Capture.Files"/>; -1 for none.</param>
/// <param name="PageOffset">First page of the file; 0 without one.</param>
/// <param name="Traits">Advice and the like.</param>
public readonly record struct CapturedVma(
    VpnRange Range,
    Protection Protection,
    MappingKind Kind,
    int FileIndex,
    ulong PageOffset,
    VmaTraits Traits);
