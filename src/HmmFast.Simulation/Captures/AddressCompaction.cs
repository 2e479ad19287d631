namespace HmmFast.Simulation.Captures;

/// <summary>Closes the unused spans of a captured address space, so that it fits a window that the engine can keep.</summary>
/// <remarks>
/// A 47-bit address space is mostly gap: a program at 0x55…, libraries and heap at 0x7f…. Whole spans of 512 GiB (one entry of the top page table)
/// that hold no VMA are left out; every address keeps its place inside its span, so that blocks, tables and holes stay what they were.
/// </remarks>
public static class AddressCompaction
{
    /// <summary>Pages of a span: one entry of the top page table.</summary>
    public const ulong SpanPages = 512UL * PageOrder.PagesPerGibibyte;

    /// <summary>Most pages a window may have (16 TiB).</summary>
    public const ulong MaxWindowPages = (1UL << 32) - PageOrder.PagesPerBlock;

    /// <summary>Gives the capture itself when it fits, else one with its unused spans closed.</summary>
    /// <param name="capture">The capture.</param>
    /// <param name="isClosed">True when spans were closed.</param>
    /// <exception cref="CaptureException">Even the used spans do not fit.</exception>
    public static Capture Fit(Capture capture, out bool isClosed)
    {
        isClosed = false;
        if (capture.Vmas.IsEmpty || WindowPages(capture) <= MaxWindowPages)
        {
            return capture;
        }

        isClosed = true;
        CapturedVma[] vmas = capture.Vmas.ToArray();
        PageRun[] runs = capture.Runs.ToArray();
        ulong nextSpan = 0;
        ulong lastUsed = ulong.MaxValue;
        int run = 0;
        for (int i = 0; i < vmas.Length; i++)
        {
            VpnRange range = vmas[i].Range;
            ulong first = range.Start.Value / SpanPages;
            ulong last = (range.End.Value - 1) / SpanPages;
            ulong target = first == lastUsed ? nextSpan - 1 : nextSpan;
            ulong shift = unchecked((target - first) * SpanPages);
            vmas[i] = vmas[i] with { Range = Shifted(range, shift) };
            for (; run < runs.Length && runs[run].Start < range.End; run++)
            {
                runs[run] = new PageRun(new Vpn(unchecked(runs[run].Start.Value + shift)), runs[run].PageCount, runs[run].State);
            }

            nextSpan = target + (last - first) + 1;
            lastUsed = last;
        }

        Capture closed = new(capture.Facts, vmas, capture.Files.ToArray(), runs, capture.Frames.ToArray());
        return WindowPages(closed) <= MaxWindowPages
            ? closed
            : throw new CaptureException(
                capture.Facts.ProcessName,
                $"its mappings reach over {WindowPages(closed)} pages even without unused spans; {MaxWindowPages} can be kept.");
    }

    private static ulong WindowPages(Capture capture)
    {
        ulong start = capture.Vmas[0].Range.Start.Value / PageOrder.PagesPerBlock * PageOrder.PagesPerBlock;
        ulong end = capture.Vmas[^1].Range.End.Value + PageOrder.PagesPerBlock;
        return end - start;
    }

    private static VpnRange Shifted(VpnRange range, ulong shift) => new(new Vpn(unchecked(range.Start.Value + shift)), range.PageCount);
}
