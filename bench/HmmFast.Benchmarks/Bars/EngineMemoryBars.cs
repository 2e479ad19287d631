using HmmFast.AddressSpaces;
using HmmFast.Memory;
using HmmFast.Physical;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// What pages and frames cost. Exactly: what the columns reserve more for more pages, by the ledger. And in memory that the system has given, column by column, of a large
/// address space with some of its pages touched: all of them, or 1 % in one part or in 2 MiB blocks far apart.
/// </summary>
public static class EngineMemoryBars
{
    private const int BlockPages = (int)PageOrder.PagesPerBlock;
    private const double MostTableBytes = 5.1;
    private const double MostFrameBytes = 12;

    /// <summary>Measures.</summary>
    /// <param name="session">Sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        Reserved(session);
        if (!OperatingSystem.IsLinux())
        {
            session.NotMeasured("resident memory", 0, "", "the system does not tell which pages are resident");
            return;
        }

        Written(session);

        // Address space is not memory: 1 TiB and 4 TiB of it, a smoke run looks at 4 GiB.
        foreach (ulong windowPages in (ulong[])(session.IsSmoke ? [1UL << 20] : [1UL << 28, 1UL << 30]))
        {
            ulong populated = windowPages / 100 / BlockPages * BlockPages;
            Sparse(session, "contiguous", windowPages, populated, populated);
            Sparse(session, "scattered in 2 MiB blocks", windowPages, populated, BlockPages);
        }
    }

    private static void Reserved(BarSession session)
    {
        const ulong Pages = PageOrder.PagesPerGibibyte * 512;
        double table = (double)(ReservedForTable(2 * Pages) - ReservedForTable(Pages)) / Pages;
        session.Add(new BarResult("page table, what the columns reserve", Pages, "bytes a page", table, MostTableBytes, MustStayBelow: true, IsExact: true));

        // Frame columns are reserved for every frame number there can be.
        var ledger = new NativeMemoryLedger();
        using (new FrameTable(trackContent: false, ledger))
        {
            // Counts of each 2 MiB block, and the huge page by which each of the two columns is moved to a border.
            const double Beside = (8.0 / BlockPages) + (2.0 * NativeColumn<byte>.HugeBytes / FrameTable.FrameLimit);
            double frame = (double)ledger.ReservedBytes / FrameTable.FrameLimit;
            session.Add(new BarResult("frames, what the columns reserve", FrameTable.FrameLimit, "bytes a frame", frame, MostFrameBytes + Beside, MustStayBelow: true,
                Note: "(12, and 8 for each 2 MiB block)", IsExact: true));
        }

        ledger.ThrowIfUnbalanced();
    }

    private static long ReservedForTable(ulong windowPages)
    {
        var ledger = new NativeMemoryLedger();
        using (new PageColumns(EngineWorld.Pages(0, windowPages), ledger))
        {
            return ledger.ReservedBytes;
        }
    }

    private static void Written(BarSession session)
    {
        // An address space of 1 TiB (a smoke run: 16 GiB), of which this much is touched.
        ulong pageCount = session.Largest(1 << 14, 1 << 20, 1 << 24);
        ulong window = Math.Max(session.IsSmoke ? 1UL << 22 : 1UL << 28, pageCount * 2);
        using var world = new EngineWorld(pageCount, windowPages: window);
        world.Write(world.All);
        session.Add(new BarResult("page table", pageCount, "bytes a page", (double)TableBytes(world, window) / pageCount, MostTableBytes, MustStayBelow: true,
            $"(resident, of an address space of {window / PageOrder.PagesPerGibibyte:n0} GiB)"));
        session.Add(new BarResult("frames", pageCount, "bytes a frame", (double)FrameBytes(world, pageCount) / pageCount, MostFrameBytes, MustStayBelow: true,
            "(resident; state 4, reverse map 8)"));
        session.Add(new BarResult(
            "frames, with the counts of their 2 MiB blocks", pageCount, "bytes a frame", (double)(FrameBytes(world, pageCount) + BlockCountBytes(world, pageCount)) / pageCount,
            MostFrameBytes + (8.0 / BlockPages) + (3.0 * Environment.SystemPageSize / pageCount), MustStayBelow: true,
            "(resident; 8 bytes a block: frames taken, mappings and entries of 2 MiB folios)"));
    }

    private static void Sparse(BarSession session, string how, ulong windowPages, ulong populated, ulong runPages)
    {
        using var world = new EngineWorld(BlockPages, windowPages: windowPages, frameCount: populated + (2 * BlockPages));
        world.Map(new VpnRange(new Vpn(EngineWorld.First), windowPages));
        ulong runs = populated / runPages;
        for (ulong run = 0; run < runs; run++)
        {
            // Runs lie as far apart as they can, on block borders.
            world.Write(EngineWorld.Pages(windowPages / runs * run / BlockPages * BlockPages, runPages));
        }

        long resident = TableBytes(world, windowPages);

        // 512 pages need 512 bytes, 2 KiB and 8 bytes: alone, far from others, that is one system page of each column.
        double bar = runPages == populated ? MostTableBytes : 3.0 * Environment.SystemPageSize / BlockPages;
        session.Add(new BarResult($"page table, 1 % populated, {how}", windowPages, "resident bytes a populated page", (double)resident / populated, bar, MustStayBelow: true,
            $"({resident:n0} bytes for {populated:n0} pages)"));
    }

    /// <summary>Bytes resident of an address space's class, number and block columns and its notes of upper tables.</summary>
    private static unsafe long TableBytes(EngineWorld world, ulong windowPages)
    {
        PageColumns columns = ((MemorySystem)world.Memory).Core.Spaces[0].Columns;
        return Resident(columns.Class + EngineWorld.First, windowPages)
            + Resident((byte*)(columns.Pfn + EngineWorld.First), windowPages * sizeof(uint))
            + Resident((byte*)(columns.Block + (EngineWorld.First / BlockPages)), windowPages / BlockPages * (ulong)sizeof(BlockDescriptor))
            + Resident(columns.Gibibyte + (EngineWorld.First / PageOrder.PagesPerGibibyte), windowPages / PageOrder.PagesPerGibibyte);
    }

    private static unsafe long FrameBytes(EngineWorld world, ulong frames)
    {
        // Frames are given from the lowest on, which is 1; what devices and swap hold lies behind them.
        FrameTable table = ((MemorySystem)world.Memory).Core.Physical.Frames;
        return Resident((byte*)(table.State + 1), frames * (ulong)sizeof(FrameState)) + Resident((byte*)(table.ReverseMap + 1), frames * (ulong)sizeof(RmapEntry));
    }

    private static unsafe long BlockCountBytes(EngineWorld world, ulong frames)
    {
        FrameTable table = ((MemorySystem)world.Memory).Core.Physical.Frames;
        return Resident((byte*)table.Taken, frames / BlockPages * sizeof(ushort))
            + Resident((byte*)table.FolioMaps, frames / BlockPages * sizeof(uint))
            + Resident((byte*)table.FolioEntries, frames / BlockPages * sizeof(ushort));
    }

    private static unsafe long Resident(byte* from, ulong byteCount)
    {
        // Columns begin on a system page, and so does what is asked for here up to its own length.
        nuint page = (nuint)Environment.SystemPageSize;
        byte* first = (byte*)((nuint)from & ~(page - 1));
        return VirtualMemory.ResidentBytes(first, (nuint)(from + byteCount - first));
    }
}
