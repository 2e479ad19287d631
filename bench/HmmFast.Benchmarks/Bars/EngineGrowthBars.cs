namespace HmmFast.Benchmarks.Bars;

/// <summary>How the time a page grows with the size, beside how the memory limit grows; and what sparse memory costs.</summary>
public static class EngineGrowthBars
{
    /// <summary>Measures; only where the largest size is above 16 Mi pages.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        ulong largest = session.Largest(1 << 14, 1 << 20, 1 << 24, 1 << 26, 1 << 28);
        ulong smallest = Math.Min(largest, 1 << 18);
        (Timing engine, Timing limit) small = MeasureOne(session, smallest);
        (Timing engine, Timing limit) large = MeasureOne(session, largest);
        double growth = large.engine.Median / small.engine.Median;
        double limitGrowth = large.limit.Median / small.limit.Median;
        session.Add(new BarResult(
            $"growth of the time a page from {smallest:n0} pages",
            largest,
            "of the stream limit's growth",
            growth / limitGrowth,
            1,
            MustStayBelow: true,
            Note: $"(the time a page grows {growth:0.00} times, the limit's {limitGrowth:0.00} times)"));
        Sparse(session);
    }

    private static (Timing Engine, Timing Limit) MeasureOne(BarSession session, ulong pageCount)
    {
        using var limits = new MemoryLimits(pageCount);
        using var world = new EngineWorld(pageCount);

        // A page's kind costs nothing by itself: where filling page by page would take minutes, everything is written.
        if (pageCount <= 1 << 20)
        {
            world.Mix();
        }
        else
        {
            world.Write(world.All);
        }

        IReadOnlyList<Timing> t = session.Measure(
            "growth", [limits.Copy(), limits.Stream(), limits.StreamNonTemporal(), new Contender(EngineSnapshotBars.Snapshot, pageCount, world.Snapshot)]);
        return (t[3], t[1].Median <= t[2].Median ? t[1] : t[2]);
    }

    private static void Sparse(BarSession session)
    {
        // 4 TiB of address space, 2 MiB in every gibibyte: what lies between must cost nothing.
        ulong windowPages = session.Rounds > 1 ? 1UL << 30 : 1UL << 22;
        ulong populated = windowPages / PageOrder.PagesPerGibibyte;
        using var world = new EngineWorld(1 << 12, windowPages: windowPages, frameCount: (populated + 1) * PageOrder.PagesPerBlock);
        var all = new VpnRange(new Vpn(EngineWorld.First), windowPages);
        world.Map(all);
        for (ulong i = 0; i < populated; i++)
        {
            world.Write(EngineWorld.Pages(i * PageOrder.PagesPerGibibyte, PageOrder.PagesPerBlock));
        }

        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(all, null);
        var request = new HmmRange { Range = all, Notifier = notifier, NotifierSequence = notifier.ReadBegin() };
        var starts = new uint[populated * 4];
        var firsts = new HmmPfn[populated * 4];
        int runs = 0;
        IReadOnlyList<Timing> t = session.Measure("sparse", [new Contender("engine, extents of sparse memory", windowPages, () =>
            EngineWorld.Must(world.Columns.RangeFaultExtents(request, starts, firsts, out runs, out _), "sparse extents"))]);
        session.Add(new BarResult(
            "extents of sparse memory, one 2 MiB block in every GiB",
            windowPages,
            "microseconds a populated block",
            t[0].Median * windowPages / populated / 1000,
            10,
            MustStayBelow: true,
            Note: $"({windowPages / PageOrder.PagesPerGibibyte:n0} GiB in {t[0].Median * windowPages / 1e6:0.00} ms, {runs:n0} runs)"));
    }
}
