namespace HmmFast.Drivers.Mirror;

/// <summary>One entry of the device's own page table.</summary>
/// <param name="Frame">The frame the device reaches.</param>
/// <param name="Access">What it may do there.</param>
internal readonly record struct MirrorEntry(Pfn Frame, MirrorAccess Access);
