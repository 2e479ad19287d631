namespace HmmFast.Simulation.Captures.Live;

/// <summary>One entry of /proc/N/maps or /proc/N/smaps.</summary>
/// <param name="Start">First byte.</param>
/// <param name="End">Byte after the last.</param>
/// <param name="Permissions">Four letters: r, w, x, and p (private) or s (shared).</param>
/// <param name="Offset">Byte of the file.</param>
/// <param name="Device">The file's device, as text.</param>
/// <param name="Inode">The file's inode; 0 for none.</param>
/// <param name="Name">The file's name, a name in brackets, or nothing.</param>
/// <param name="Flags">smaps' VmFlags, two letters each; null when maps was read.</param>
internal sealed record ProcMapping(
    ulong Start,
    ulong End,
    string Permissions,
    ulong Offset,
    string Device,
    ulong Inode,
    string Name,
    string? Flags)
{
    public bool IsShared => Permissions[3] == 's';

    public bool HasFlag(string twoLetters) =>
        Flags is not null && Flags.Split(' ').AsSpan().Contains(twoLetters);
}
