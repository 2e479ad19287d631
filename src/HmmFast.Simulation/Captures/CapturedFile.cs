namespace HmmFast.Simulation.Captures;

/// <summary>A file that VMAs of a captured process map.</summary>
/// <param name="Kind">tmpfs (memfd, shared anonymous objects) or disk.</param>
/// <param name="Name">Its name as the kernel shows it.</param>
/// <param name="PageCount">Pages up to the last one mapped (not the file's own size, which a capture does not ask for).</param>
public sealed record CapturedFile(FileKind Kind, string Name, ulong PageCount);
