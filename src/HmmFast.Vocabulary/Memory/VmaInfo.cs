namespace HmmFast;

/// <summary>One VMA as callers see it.</summary>
/// <param name="Range">Its pages.</param>
/// <param name="Protection">What it allows.</param>
/// <param name="Kind">What it maps.</param>
/// <param name="File">The file, or none.</param>
/// <param name="PageOffset">The page of the file, shared anonymous object or driver mapping at <c>Range.Start</c>; 0 for private anonymous memory.</param>
public readonly record struct VmaInfo(VpnRange Range, Protection Protection, MappingKind Kind, FileId File, ulong PageOffset);
