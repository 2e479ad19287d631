namespace HmmFast.Simulation.Traces;

/// <summary>One recorded VMA.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Permissions">As in /proc/PID/maps: rw-p and so on.</param>
/// <param name="Kind">anon, anonsh, memfd, ext2, mixed.</param>
/// <param name="PageOffset">Page of the object at its start.</param>
public readonly record struct TraceVma(int Page, int Count, string Permissions, string Kind, ulong PageOffset)
{
    /// <inheritdoc/>
    public override string ToString() => $"[{Page}, {Page + Count}) {Permissions} {Kind} +{PageOffset}";
}
