namespace HmmFast.Simulation.Captures;

/// <summary>How well a rebuilt process shows what its capture does.</summary>
/// <param name="ComparedPages">Pages that the capture lists, driver mappings left out.</param>
/// <param name="DifferentPages">Of those, pages that differ in presence, swap, zero page, huge mapping, exclusivity or file.</param>
/// <param name="FirstDifference">The first of them and what differs; null when none does.</param>
public sealed record CaptureFidelity(ulong ComparedPages, ulong DifferentPages, string? FirstDifference)
{
    private const int ChunkPages = 4096;

    /// <summary>Compares a rebuilt process with its capture. Changes nothing. Cost: one observation a populated page.</summary>
    public static CaptureFidelity Measure(LoadedCapture loaded, Capture capture)
    {
        ulong compared = 0;
        ulong different = 0;
        string? first = null;
        PageObservation[] pages = new PageObservation[ChunkPages];
        int vmaIndex = 0;
        foreach (PageRun run in capture.Runs)
        {
            while (capture.Vmas[vmaIndex].Range.End <= run.Start)
            {
                vmaIndex++;
            }

            MappingKind kind = capture.Vmas[vmaIndex].Kind;
            if (kind is MappingKind.DriverIo or MappingKind.DriverMixed or MappingKind.DriverPfn)
            {
                continue;
            }

            for (ulong done = 0; done < run.PageCount;)
            {
                int count = (int)Math.Min(ChunkPages, run.PageCount - done);
                VpnRange chunk = new(run.Start + done, (ulong)count);
                loaded.Space.Observe(chunk, pages.AsSpan(0, count));
                for (int i = 0; i < count; i++)
                {
                    PageState got = StateOf(pages[i]);
                    PageState wanted = Comparable(run.State, kind);
                    if (Comparable(got, kind) != wanted)
                    {
                        different++;
                        first ??= $"{chunk.Start + (ulong)i} ({kind}): captured {wanted}, rebuilt {Comparable(got, kind)}";
                    }
                }

                done += (ulong)count;
            }

            compared += run.PageCount;
        }

        return new CaptureFidelity(compared, different, first);
    }

    private static PageState StateOf(in PageObservation page) =>
        (page.Kind == PageEntryKind.Present ? PageState.Present : 0)
        | (page.Kind is not (PageEntryKind.Present or PageEntryKind.None) ? PageState.Swapped : 0)
        | (page.IsFileOrShared ? PageState.FileOrShared : 0)
        | (page.IsExclusive ? PageState.Exclusive : 0)
        | (page.IsHugeMapped ? PageState.Huge : 0)
        | (page.IsZeroPage ? PageState.Zero : 0);

    // Soft-dirty is not rebuilt; files have no huge entries here; exclusivity of swap, of zero pages and of files says nothing about memory.
    private static PageState Comparable(PageState state, MappingKind kind)
    {
        PageState ignored = PageState.SoftDirty;
        if (kind != MappingKind.PrivateAnonymous)
        {
            ignored |= PageState.Huge;
        }

        if ((state & (PageState.Swapped | PageState.Zero | PageState.FileOrShared)) != 0)
        {
            ignored |= PageState.Exclusive;
        }

        if ((state & (PageState.Swapped | PageState.Zero)) != 0)
        {
            ignored |= PageState.FileOrShared;
        }

        return state & ~ignored;
    }
}
