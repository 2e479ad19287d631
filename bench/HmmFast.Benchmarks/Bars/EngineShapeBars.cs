namespace HmmFast.Benchmarks.Bars;

/// <summary>Answers in other shapes: runs, 2 MiB entries, holes, scattered pages.</summary>
public static class EngineShapeBars
{
    private const int BatchPages = 2048;

    // One set again and again would stay in the first cache: a device's faults do not.
    private const int BatchSets = 64;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 18, 1 << 20, 1 << 24))
        {
            Blocks(session, pageCount);
            Extents(session, pageCount, isInRuns: true);
            Extents(session, pageCount, isInRuns: false);
        }

        ulong referencePages = session.Largest(1 << 12, 1 << 14, 1 << 18, 1 << 20);
        Batches(session, referencePages, referencePages);
        if (session.LargestPageCount >= 1 << 24)
        {
            Batches(session, 1 << 24, referencePages);
        }
    }

    /// <summary>Whole 2 MiB blocks from their descriptors; also for sizes at which nothing else is measured.</summary>
    internal static void Blocks(BarSession session, ulong pageCount)
    {
        using var limits = new MemoryLimits(pageCount);
        Timing huge;
        IReadOnlyList<Timing> t;
        using (var world = new EngineWorld(pageCount))
        {
            EngineWorld.Must(world.Space.Advise(world.All, Advice.HugePage), "advise huge pages");
            world.Write(world.All);
            t = session.Measure("blocks", [new Contender("engine, snapshot of 2 MiB entries", pageCount, world.Snapshot), .. limits.FillForms()]);
            huge = t[0];
        }

        Timing fill = Timing.FastestOf(t.Skip(1));
        session.Ratio("resolve of 2 MiB entries", pageCount, "of the fill limit", huge, fill, 0.95, $"({fill.Name})");

        // One after the other: at the largest size both worlds would not fit.
        using var holes = new EngineWorld(pageCount);
        t = session.Measure("blocks", [new Contender("engine, snapshot of holes", pageCount, holes.Snapshot), .. limits.ZeroForms()]);
        Timing zeros = Timing.FastestOf(t.Skip(1));
        session.Ratio("resolve of holes", pageCount, "of the limit of zeros", t[0], zeros, 0.95, $"({zeros.Name})");
    }

    private static void Extents(BarSession session, ulong pageCount, bool isInRuns)
    {
        using var world = new EngineWorld(pageCount);
        if (isInRuns)
        {
            world.MixInRuns();
        }
        else
        {
            world.Mix();
        }

        using var outputs = new EngineOutputs(pageCount);
        string what = isInRuns ? "runs of 64" : "no runs";
        void Run() => outputs.Extents(world);
        IReadOnlyList<Timing> t = session.Measure(
            $"extents, {what}", [new Contender("engine, snapshot page by page", pageCount, world.Snapshot), new Contender("engine, extents", pageCount, Run)]);
        session.Ratio($"extents, {what}", pageCount, "x resolve page by page", t[1], t[0], isInRuns ? 5 : 0.7, $"({(double)pageCount / outputs.ExtentCount:0.0} pages a run)");
        EngineAllocations.Add(session, $"extents, {what}", pageCount, Run);
    }

    /// <summary>The reference keeps objects, so where the engine's process is too large for it, it has a smaller one.</summary>
    private static void Batches(BarSession session, ulong pageCount, ulong referencePages)
    {
        using var engine = new EngineWorld(pageCount);
        using var reference = new EngineWorld(referencePages, isReference: true);
        engine.Mix();
        reference.Mix();
        var words = new HmmPfn[BatchPages];
        Vpn[][] sets = Sets(pageCount);
        Vpn[][] referenceSets = Sets(referencePages);
        int next = 0;
        int nextReference = 0;
        void Batch() => EngineWorld.Must(engine.Columns.RangeFaultBatch(engine.Request(engine.All), sets[next++ % BatchSets], words, out _), "batch");
        IReadOnlyList<Timing> t = session.Measure(
            $"batches over {pageCount:n0} pages",
            [
                new Contender("engine, batch", BatchPages, Batch),
                new Contender("reference, page by page", BatchPages, () =>
                {
                    Vpn[] pages = referenceSets[nextReference++ % BatchSets];
                    for (int i = 0; i < BatchPages; i++)
                    {
                        EngineWorld.Must(reference.Space.RangeFault(reference.Request(new VpnRange(pages[i], 1)), words.AsSpan(i, 1)), "reference");
                    }
                }),
            ]);
        string beside = referencePages == pageCount ? "" : $"; the reference's out of {referencePages:n0}";
        session.Ratio($"batch of scattered pages out of {pageCount:n0}", BatchPages, "x the reference", t[0], t[1], 5, $"({BatchSets} batches in turn{beside})");
        EngineAllocations.Add(session, $"batch of scattered pages out of {pageCount:n0}", BatchPages, Batch);
    }

    private static Vpn[][] Sets(ulong pageCount)
    {
        var random = new Random(5);
        var sets = new Vpn[BatchSets][];
        for (int set = 0; set < BatchSets; set++)
        {
            sets[set] = [.. Enumerable.Range(0, BatchPages).Select(_ => new Vpn(EngineWorld.First + (ulong)random.NextInt64((long)pageCount)))];
        }

        return sets;
    }
}
