using HmmFast.Faulting;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// The engine's main work through its public interface: one range fault over mixed classes in random order that faults nothing, against the memory limits, the
/// walk in C, the running kernel and the reference.
/// </summary>
public static class EngineSnapshotBars
{
    private const ulong Largest = 1 << 24;

    // The reference keeps objects; a few rounds are enough for what takes half a second.
    private const int LargestReferenceRounds = 2;

    /// <summary>Name under which the engine's timings are kept.</summary>
    internal const string Snapshot = "engine, snapshot";

    /// <summary>Name under which the reference's timings are kept.</summary>
    internal const string ReferenceSnapshot = "reference, snapshot";

    private const HmmRequestFlags FaultWrite = HmmRequestFlags.Fault | HmmRequestFlags.Write;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Folder of the C programs, or null.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        Timing? reference = null;
        double bytesAPage = 0;
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 16, 1 << 18, 1 << 20, Largest))
        {
            if (pageCount < Largest || ReferenceFits(session, bytesAPage))
            {
                reference = MeasureReference(session, pageCount, out bytesAPage);
            }

            MeasureEngine(session, pageCount, reference!, Walk(session, baselines, pageCount), Scan(session, pageCount));
        }
    }

    private static bool ReferenceFits(BarSession session, double bytesAPage)
    {
        // Filling it needs room beside what it holds in the end.
        const double Room = 2;
        double needed = bytesAPage * Largest * Room;
        if (needed <= MachineNote.AvailableBytes())
        {
            return true;
        }

        session.NotMeasured("the reference's snapshot", Largest, "", $"it would take some {needed / (1 << 30):0} GiB");
        return false;
    }

    private static Timing MeasureReference(BarSession session, ulong pageCount, out double bytesAPage)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Timing timing;
        using (var world = new EngineWorld(pageCount, isReference: true))
        {
            world.Mix();
            timing = session.Measure("snapshot", [new Contender(ReferenceSnapshot, pageCount, world.Snapshot)], pageCount == Largest ? Math.Min(session.Rounds, LargestReferenceRounds) : 0)[0];
            bytesAPage = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / pageCount;
            GC.KeepAlive(world);
        }

        // What it held must not lie beside the engine.
        GC.Collect();
        return timing;
    }

    private static Timing? Walk(BarSession session, string? baselines, ulong pageCount)
    {
        Timing? known = session.Timings.LastOrDefault(timing => timing.Name == Baselines.WalkName && timing.PageCount == pageCount);
        if (known is null)
        {
            foreach (Timing timing in Baselines.KernelWalk(baselines, session.Rounds, [pageCount]))
            {
                known = timing;
                session.Add(timing);
            }
        }

        return known;
    }

    // Measured with the limits; a run of this group alone goes without.
    private static Timing? Scan(BarSession session, ulong pageCount) =>
        session.Timings.LastOrDefault(timing => timing.Name == Baselines.ScanName && timing.PageCount == pageCount);

    private static void MeasureEngine(BarSession session, ulong pageCount, Timing reference, Timing? walk, Timing? scan)
    {
        using var limits = new MemoryLimits(pageCount);
        using var world = new EngineWorld(pageCount);
        world.Mix();
        using var outputs = new EngineOutputs(pageCount);
        Action classifyAll = () => outputs.Classify(world);
        Action classifyWork = () => outputs.Classify(world, FaultWrite);
        Action perPage = () => world.Fault(world.All, HmmRequestFlags.None, FaultWrite);
        var classify = new Contender("engine, classify", pageCount, classifyAll);
        var work = new Contender("engine, classify, many pages need work", pageCount, classifyWork);
        IReadOnlyList<Timing> t = session.Measure(
            "snapshot",
            [
                limits.Copy(), new Contender(Snapshot, pageCount, world.Snapshot), classify, work, new Contender("engine, per-page requests", pageCount, perPage),
                limits.ReadClasses(), .. limits.StreamForms(),
            ]);
        Timing copy = t[0];
        Timing snapshot = t[1];
        Timing stream = Timing.FastestOf(t.Skip(6));
        session.Add(stream with { Name = "snapshot: stream limit" });
        session.Ratio("resolve", pageCount, "of the stream limit", snapshot, stream, 0.9, $"({stream.Name})");
        if (pageCount is 1 << 16 or Largest)
        {
            session.Ratio("resolve", pageCount, "x memcpy of the result array", snapshot, copy, pageCount == Largest ? 2.0 : 1.2, $"(the stream limit itself is {stream.SpeedOver(copy):0.00} x memcpy)");
        }

        if (scan is not null)
        {
            session.Ratio("resolve", pageCount, "x the running kernel's PAGEMAP_SCAN", snapshot, scan, null, "(of a process with as much of the mix as one can have)");
        }

        if (pageCount == Largest)
        {
            MeasureLargest(session, limits, [classify, work], t, reference, walk);
        }

        if (pageCount == 1 << 20)
        {
            session.Ratio("classify", pageCount, "x memcpy of the result array", t[2], copy, 6);
            session.Ratio("classify, many pages need work", pageCount, "x memcpy of the result array", t[3], copy, 6, WorkNote(outputs.Classify(world, FaultWrite), pageCount));
        }

        EngineAllocations.Add(session, "resolve", pageCount, world.Snapshot);
        EngineAllocations.Add(session, "classify", pageCount, classifyAll);
        EngineAllocations.Add(session, "classify, many pages need work", pageCount, classifyWork);
        EngineAllocations.Add(session, "resolve with per-page requests", pageCount, perPage);
    }

    private static void MeasureLargest(BarSession session, MemoryLimits limits, Contender[] classify, IReadOnlyList<Timing> t, Timing reference, Timing? walk)
    {
        if (walk is null)
        {
            session.NotMeasured("resolve", Largest, "x the C walk", Baselines.NotBuilt);
        }
        else
        {
            session.Ratio("resolve", Largest, "x the C walk", t[1], walk, 40);
        }

        session.Ratio("resolve", Largest, "x the reference", t[1], reference, 20, reference.PageCount == Largest ? "" : $"(the reference at {reference.PageCount:n0} pages)");

        // As for the kernel alone: the column is half of the last cache, so all readers have the same contender before them.
        IReadOnlyList<Timing> readers = session.Measure("snapshot, readers",
            [limits.FillNonTemporal(), limits.ReadClasses(), limits.FillNonTemporal("fill again"), classify[0], limits.FillNonTemporal("fill a third time"), classify[1]]);
        session.Ratio("classify", Largest, "of the read limit", readers[3], readers[1], 0.9);
        session.Ratio("classify, many pages need work", Largest, "of the read limit", readers[5], readers[1], 0.9);
        session.Ratio("resolve with per-page requests", Largest, "x memcpy of the result array", t[4], t[0], 1.0);
    }

    private static string WorkNote(HmmClassification counts, ulong pageCount) => $"({100.0 * counts.Work / pageCount:0} % of pages need work)";
}
