namespace HmmFast.Benchmarks.Bars;

/// <summary>How the time a page grows with the size, beside how the memory limit grows; and what sparse memory costs.</summary>
public static class EngineGrowthBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        ulong largest = session.Largest(1 << 12, 1 << 14, 1 << 20, 1 << 24, 1 << 26, 1 << 28);
        ulong smallest = Math.Min(largest, 1 << 18);
        (Timing engine, Timing limit) small = Written(session, smallest, addBars: false);
        (Timing engine, Timing limit) large = Written(session, largest, addBars: true);
        if (largest > 1 << 24 || session.IsSmoke)
        {
            // Up to there they are measured with the other shapes.
            EngineShapeBars.Blocks(session, largest);
        }

        double growth = large.engine.Median / small.engine.Median;
        double limitGrowth = large.limit.Median / small.limit.Median;
        session.Add(new BarResult(
            $"growth of the time a page from {smallest:n0} pages",
            largest,
            "of the stream limit's growth",
            growth / limitGrowth,
            1,
            MustStayBelow: true,
            Note: $"(written memory at both sizes; the time a page grows {growth:0.00} times, the limit's {limitGrowth:0.00} times)"));
        Sparse(session);
    }

    /// <summary>Written memory, since mixing page by page would take minutes at the largest size; a page's kind costs nothing by itself.</summary>
    private static (Timing Engine, Timing Limit) Written(BarSession session, ulong pageCount, bool addBars)
    {
        using var limits = new MemoryLimits(pageCount);
        using var world = new EngineWorld(pageCount);
        world.Write(world.All);
        using var outputs = new EngineOutputs(pageCount);
        IReadOnlyList<Timing> t = session.Measure(
            "growth",
            [
                new Contender(EngineSnapshotBars.Snapshot, pageCount, world.Snapshot), limits.Copy(), .. limits.StreamForms(),
                new Contender("engine, extents", pageCount, () => outputs.Extents(world)),
            ]);
        Timing stream = Timing.FastestOf(t.Skip(2).Take(4));
        session.Add(stream with { Name = "growth: stream limit" });
        if (addBars)
        {
            IReadOnlyList<Timing> readers = session.Measure("growth, readers",
                [limits.FillNonTemporal(), limits.ReadClasses(), limits.FillNonTemporal("fill again"), new Contender("engine, classify", pageCount, () => outputs.Classify(world))]);
            session.Ratio("resolve of written memory", pageCount, "of the stream limit", t[0], stream, 0.9, $"({stream.Name}; {t[0].SpeedOver(t[1]):0.00} x memcpy of the result array)");
            session.Ratio("classify of written memory", pageCount, "of the read limit", readers[3], readers[1], 0.9);
            session.Ratio("extents of written memory", pageCount, "x resolve page by page", t[^1], t[0], 5, $"({outputs.ExtentCount:n0} runs)");
        }

        return (t[0], stream);
    }

    private static void Sparse(BarSession session)
    {
        // 4 TiB of address space, 2 MiB in every gibibyte: what lies between must cost nothing.
        ulong windowPages = session.IsSmoke ? 1UL << 22 : 1UL << 30;
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
