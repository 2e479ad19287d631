namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// The engine's main work through its public interface: one range fault over mixed classes in random order that faults nothing, against the memory limits, the
/// walk in C and the reference.
/// </summary>
public static class EngineSnapshotBars
{
    // The reference keeps objects; past this it takes minutes to fill.
    private const ulong LargestReferencePageCount = 1 << 20;

    /// <summary>Name under which the engine's timings are kept.</summary>
    internal const string Snapshot = "engine, snapshot";

    /// <summary>Name under which the reference's timings are kept.</summary>
    internal const string ReferenceSnapshot = "reference, snapshot";

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Folder of the C programs, or null.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        Timing? reference = null;
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 16, 1 << 18, 1 << 20, 1 << 24))
        {
            reference = pageCount <= LargestReferencePageCount ? MeasureReference(session, pageCount) : reference;
            MeasureEngine(session, pageCount, reference!, Walk(session, baselines, pageCount));
        }
    }

    private static Timing MeasureReference(BarSession session, ulong pageCount)
    {
        using var world = new EngineWorld(pageCount, isReference: true);
        world.Mix();
        return session.Measure("snapshot", [new Contender(ReferenceSnapshot, pageCount, world.Snapshot)])[0];
    }

    private static Timing? Walk(BarSession session, string? baselines, ulong pageCount)
    {
        Timing? known = session.Timings.LastOrDefault(timing => timing.Name == Baselines.WalkName && timing.PageCount == pageCount);
        if (known is null && baselines is not null)
        {
            foreach (Timing timing in Baselines.KernelWalk(baselines, session.Rounds, [pageCount]))
            {
                known = timing;
                session.Add(timing);
            }
        }

        return known;
    }

    private static void MeasureEngine(BarSession session, ulong pageCount, Timing reference, Timing? walk)
    {
        using var limits = new MemoryLimits(pageCount);
        using var world = new EngineWorld(pageCount);
        world.Mix();
        ulong[] bitmap = new ulong[(pageCount + 63) / 64];
        var classify = new Contender("engine, classify", pageCount, () => world.Columns.Classify(world.Request(world.All), bitmap));
        IReadOnlyList<Timing> t = session.Measure(
            "snapshot",
            [
                limits.Copy(), limits.Stream(), limits.StreamNonTemporal(), limits.ReadClasses(),
                new Contender(Snapshot, pageCount, world.Snapshot),
                classify,
                new Contender("engine, per-page requests", pageCount, () => world.Fault(world.All, HmmRequestFlags.None, HmmRequestFlags.Fault | HmmRequestFlags.Write)),
            ]);
        Timing copy = t[0];
        Timing stream = t[1].Median <= t[2].Median ? t[1] : t[2];
        Timing snapshot = t[4];
        session.Add(new BarResult("resolve", pageCount, "of the stream limit", snapshot.SpeedOver(stream), 0.9));
        if (pageCount is 1 << 16 or 1 << 24)
        {
            session.Add(new BarResult("resolve", pageCount, "x memcpy of the result array", snapshot.SpeedOver(copy), pageCount == 1 << 24 ? 2.0 : 1.2,
                Note: $"(the stream limit itself is {stream.SpeedOver(copy):0.00} x memcpy)"));
        }

        if (pageCount == 1 << 24)
        {
            if (walk is not null)
            {
                session.Add(new BarResult("resolve", pageCount, "x the C walk", snapshot.SpeedOver(walk), 40));
            }

            session.Add(new BarResult("resolve", pageCount, "x the reference", snapshot.SpeedOver(reference), 20, Note: $"(the reference at {reference.PageCount:n0} pages)"));

            // As for the kernel alone: the column is half of the last cache, so both readers have the same contender before them.
            IReadOnlyList<Timing> readers = session.Measure("snapshot, readers",
                [limits.FillNonTemporal(), limits.ReadClasses(), limits.FillNonTemporal("fill again"), classify]);
            session.Add(new BarResult("classify", pageCount, "of the read limit", readers[3].SpeedOver(readers[1]), 0.9));
            session.Add(new BarResult("resolve with per-page requests", pageCount, "x memcpy of the result array", t[6].SpeedOver(copy), 1.0));
        }

        if (pageCount == 1 << 20)
        {
            session.Add(new BarResult("classify", pageCount, "x memcpy of the result array", t[5].SpeedOver(copy), 6));
        }

        EngineAllocations.Add(session, "resolve", pageCount, world.Snapshot);
        EngineAllocations.Add(session, "classify", pageCount, () => world.Columns.Classify(world.Request(world.All), bitmap));
        EngineAllocations.Add(session, "resolve with per-page requests", pageCount, () => world.Fault(world.All, HmmRequestFlags.None, HmmRequestFlags.Fault | HmmRequestFlags.Write));
    }
}
