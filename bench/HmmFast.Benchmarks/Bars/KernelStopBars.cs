using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>What stops cost the loop alone, without the walk around it and without the work: the part of <see cref="EngineRequestBars"/> that is the kernel's.</summary>
public static class KernelStopBars
{
    private const byte WorkClass = 77;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 18, 1 << 24))
        {
            Scan(session, (int)pageCount);
        }
    }

    /// <summary>
    /// The scan as the walk does it: up to a page that needs work, and on from there. Nothing is faulted, so all of it is the scan's own time. A fault runs forward
    /// to the end of its 2 MiB block, so the walk stops once a block; under the other habit it stops at every page.
    /// </summary>
    private static void Scan(BarSession session, int pageCount)
    {
        KernelSet kernels = KernelSet.Best;
        using var inputs = new KernelInputs(pageCount);
        var ledger = new NativeMemoryLedger();
        using var classes = new NativeColumn<byte>("classes of which 1 % need work", pageCount, ledger, HugePagePolicy.Prefer);
        using var firsts = new NativeColumn<byte>("classes of which the first of a block needs work", pageCount, ledger, HugePagePolicy.Prefer);
        const byte Work = Resolution.WorkMask & -Resolution.WorkMask;
        byte[] entries = [.. inputs.Table.Entries[..WorkClass], Work];
        var table = new ByteTable(entries);
        var random = new Random(3);
        Span<byte> marked = classes.Span(0, pageCount);
        inputs.Classes.Span(0, pageCount).CopyTo(marked);
        for (int i = 0; i < pageCount / 100; i++)
        {
            marked[random.Next(pageCount)] = WorkClass;
        }

        Span<byte> once = firsts.Span(0, pageCount);
        inputs.Classes.Span(0, pageCount).CopyTo(once);
        for (int block = 0; block < pageCount; block += PageOrder.PagesPerBlock)
        {
            int first = marked.Slice(block, PageOrder.PagesPerBlock).IndexOf(WorkClass);
            if (first >= 0)
            {
                once[block + first] = WorkClass;
            }
        }

        IReadOnlyList<Timing> t = session.Measure(
            "1 % needs work",
            [
                new Contender("scan, nothing needs work", (ulong)pageCount, () => Walk(inputs.Classes.Span(0, pageCount))),
                new Contender("scan, 1 % needs work, stopping once a block", (ulong)pageCount, () => Walk(firsts.Span(0, pageCount))),
                new Contender("scan, 1 % needs work, stopping at every page", (ulong)pageCount, () => Walk(classes.Span(0, pageCount))),
            ]);
        double stopNs = (t[2].Median - t[0].Median) * 100;
        session.Ratio("kernel: resolve, 1 % needs work, stops once a block", (ulong)pageCount, "of the clean scan", t[1], t[0], 0.8, "(the loop alone, started anew behind each stop; nothing is faulted)");
        session.Ratio("kernel: resolve, 1 % needs work, stops at every page", (ulong)pageCount, "of the clean scan", t[2], t[0], 0.8, $"(a stop costs {stopNs:0} ns)");

        void Walk(ReadOnlySpan<byte> over)
        {
            ReadOnlySpan<uint> pfns = inputs.Pfns.Span(0, pageCount);
            Span<ulong> words = inputs.Words.Span(0, pageCount);

            // Behind a stop the walk looks one block ahead, then two, then four, and to the end of the last of them.
            int ahead = pageCount;
            for (int at = 0; at < pageCount;)
            {
                long end = ((long)at + ahead + PageOrder.PagesPerBlock - 1) & ~(PageOrder.PagesPerBlock - 1L);
                int piece = (int)Math.Min(end, pageCount) - at;
                int done = kernels.Resolve(over.Slice(at, piece), pfns.Slice(at, piece), table, WordFormat.Plain, words.Slice(at, piece));
                at += done < piece ? done + 1 : done;
                ahead = done < piece ? PageOrder.PagesPerBlock : Math.Min(ahead * 2, pageCount);
            }
        }
    }
}
