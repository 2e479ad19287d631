using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// What the columns of a large address space cost when 1 % of it is populated, in resident bytes a populated page: in one contiguous part, and in 2 MiB blocks
/// spread evenly.
/// </summary>
public static class SparseMemoryBars
{
    private const int BlockPages = 512;

    /// <summary>Measures; sizes are in address space, which is not memory, so they do not depend on the session's.</summary>
    /// <param name="session">Where the figures go.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // 1 TiB and 4 TiB of 4 KiB pages; a smoke run looks at 1 GiB.
        ulong[] sizes = session.Rounds > 1 ? [1UL << 28, 1UL << 30] : [1UL << 18];
        foreach (ulong pageCount in sizes)
        {
            ulong populated = pageCount / 100 / BlockPages * BlockPages;
            Add(session, "contiguous", pageCount, populated, populated);
            Add(session, "scattered in 2 MiB blocks", pageCount, populated, BlockPages);
        }
    }

    private static void Add(BarSession session, string how, ulong pageCount, ulong populated, ulong runPages)
    {
        NativeMemoryLedger ledger = new();
        long resident;
        long reserved;
        using (NativeColumn<byte> classes = new("classes", (long)pageCount, ledger))
        using (NativeColumn<uint> pfns = new("frame numbers", (long)pageCount, ledger))
        using (NativeColumn<ulong> blocks = new("blocks", (long)pageCount / BlockPages, ledger))
        {
            ulong runs = populated / runPages;
            for (ulong run = 0; run < runs; run++)
            {
                // Runs lie as far apart as they can, on block borders.
                long start = (long)(pageCount / runs * run / BlockPages * BlockPages);
                classes.Span(start, (int)runPages).Fill(7);
                pfns.Span(start, (int)runPages).Fill((uint)start + 1);
                blocks.Span(start / BlockPages, (int)(runPages / BlockPages)).Fill(1);
            }

            resident = classes.MeasureResidentBytes() + pfns.MeasureResidentBytes() + blocks.MeasureResidentBytes();
            reserved = ledger.ReservedBytes;
        }

        ledger.ThrowIfUnbalanced();
        double perPage = (double)resident / populated;

        // 512 pages need 512 bytes, 2 KiB and 8 bytes: alone, far from others, that is one system page of each column.
        double bar = runPages == populated ? 5.1 : 3.0 * Environment.SystemPageSize / BlockPages;
        session.Add(new BarResult(
            $"sparse columns, 1 % populated, {how}",
            pageCount,
            "resident bytes a populated page",
            perPage,
            bar,
            MustStayBelow: true,
            $"({resident:n0} bytes resident of {reserved:n0} reserved)"));
    }
}
