namespace HmmFast.PlantedFaults;

/// <summary>A mistake that someone could make in a source file, and the named check that must notice it.</summary>
/// <param name="Name">Short, unique, in kebab case.</param>
/// <param name="Rule">The rule that it breaks, for people.</param>
/// <param name="File">The source file, relative to the repository's root.</param>
/// <param name="Original">Text of the file, found exactly once.</param>
/// <param name="Replacement">What stands there instead.</param>
/// <param name="Check">The named check of HmmFast.Properties that must fail.</param>
/// <param name="KillsProcess">True for accesses outside a guarded buffer: the check's process must die of it. For all others a death is no answer of the check.</param>
public sealed record PlantedFault(string Name, string Rule, string File, string Original, string Replacement, string Check, bool KillsProcess = false);
