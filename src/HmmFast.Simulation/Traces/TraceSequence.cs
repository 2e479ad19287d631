namespace HmmFast.Simulation.Traces;

/// <summary>One recorded sequence.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Steps">Its steps, in order, numbered from 0.</param>
public sealed record TraceSequence(TraceHeader Header, IReadOnlyList<TraceStep> Steps)
{
    /// <summary>What the file behind "ext2" mappings really was: the header does not say, but the letters of its pages do.</summary>
    /// <remarks>In random sequences it lay on tmpfs, whose pages are swap-backed and shared writably without write-notify; in hand-made ones on a disk.</remarks>
    public FileKind DiskFileKind => Steps.Any(static step => step.Vmas.Any(vma => vma.Kind == "ext2" && HoldsSwapBackedPage(step, vma)))
        ? FileKind.Memfd
        : FileKind.Disk;

    private static bool HoldsSwapBackedPage(TraceStep step, TraceVma vma)
    {
        const TracePageFlags shmem = TracePageFlags.File | TracePageFlags.SwapBacked;
        return step.Pages.Any(run => (run.State.Flags & shmem) == shmem && run.Page < vma.Page + vma.Count && vma.Page < run.Page + run.Count);
    }
}
