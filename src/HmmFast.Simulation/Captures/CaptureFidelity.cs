namespace HmmFast.Simulation.Captures;

/// <summary>How well a rebuilt process shows what its capture does.</summary>
/// <param name="ComparedPages">Pages that the capture lists, driver mappings left out.</param>
/// <param name="DifferentPages">Of those, pages that differ in presence, swap, zero page, huge mapping, exclusivity or file; and pages beside them that the
/// capture does not list and the process has (up to 512 on each side of a run).</param>
/// <param name="FirstDifference">The first of them and what differs; null when none does.</param>
public sealed record CaptureFidelity(ulong ComparedPages, ulong DifferentPages, string? FirstDifference)
{
    private const int ChunkPages = 4096;
    private const ulong BesidePages = 512;

    /// <summary>Compares a rebuilt process with its capture. Changes nothing. Cost: one observation a populated page.</summary>
    public static CaptureFidelity Measure(LoadedCapture loaded, Capture capture)
    {
        ulong compared = 0;
        ulong different = 0;
        string? first = null;
        PageObservation[] pages = new PageObservation[ChunkPages];
        int vmaIndex = 0;
        ulong done = 0;
        foreach (PageRun run in capture.Runs)
        {
            while (capture.Vmas[vmaIndex].Range.End <= run.Start)
            {
                Beside(done, capture.Vmas[vmaIndex].Range.End.Value);
                vmaIndex++;
                done = 0;
            }

            MappingKind kind = capture.Vmas[vmaIndex].Kind;
            if (kind is MappingKind.DriverIo or MappingKind.DriverMixed or MappingKind.DriverPfn)
            {
                continue;
            }

            Beside(Math.Max(done, capture.Vmas[vmaIndex].Range.Start.Value), run.Start.Value);
            done = run.End.Value;
            for (ulong at = 0; at < run.PageCount;)
            {
                int count = (int)Math.Min(ChunkPages, run.PageCount - at);
                VpnRange chunk = new(run.Start + at, (ulong)count);
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

                at += (ulong)count;
            }

            compared += run.PageCount;
        }

        if (done != 0)
        {
            Beside(done, capture.Vmas[vmaIndex].Range.End.Value);
        }

        return new CaptureFidelity(compared, different, first);

        // The ends of a gap, where a touch of the run beside it could have left something.
        void Beside(ulong from, ulong to)
        {
            if (from == 0 || from >= to)
            {
                return;
            }

            ulong head = Math.Min(to, from + BesidePages);
            Empty(from, head);
            Empty(Math.Max(head, to - Math.Min(to, BesidePages)), to);
        }

        void Empty(ulong from, ulong to)
        {
            if (from >= to)
            {
                return;
            }

            int count = (int)(to - from);
            loaded.Space.Observe(VpnRange.FromBounds(new Vpn(from), new Vpn(to)), pages.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                if (pages[i].Kind != PageEntryKind.None)
                {
                    different++;
                    first ??= $"{new Vpn(from + (ulong)i)}: captured nothing, rebuilt {StateOf(pages[i])}";
                }
            }
        }
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
