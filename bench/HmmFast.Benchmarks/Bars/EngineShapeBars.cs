using System.Runtime.InteropServices;
using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Answers in other shapes: runs, 2 MiB entries, holes, scattered pages.</summary>
public static class EngineShapeBars
{
    private const int BatchPages = 2048;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 14, 1 << 18, 1 << 20, 1 << 24))
        {
            Blocks(session, pageCount);
            Extents(session, pageCount, isInRuns: true);
            Extents(session, pageCount, isInRuns: false);
        }

        Batches(session, session.Largest(1 << 14, 1 << 18, 1 << 20));
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

        // In the same kind of memory as the words of the snapshot they are held against.
        NativeMemoryLedger ledger = new();
        using NativeColumn<uint> startColumn = new("first pages", (long)pageCount, ledger, HugePagePolicy.Prefer);
        using NativeColumn<ulong> firstColumn = new("first words", (long)pageCount, ledger, HugePagePolicy.Prefer);
        int count = 0;
        string what = isInRuns ? "runs of 64" : "no runs";
        void Run() => EngineWorld.Must(
            world.Columns.RangeFaultExtents(
                world.Request(world.All),
                startColumn.Span(0, (int)pageCount),
                MemoryMarshal.Cast<ulong, HmmPfn>(firstColumn.Span(0, (int)pageCount)),
                out count,
                out _),
            "extents");
        IReadOnlyList<Timing> t = session.Measure(
            $"extents, {what}", [new Contender("engine, snapshot page by page", pageCount, world.Snapshot), new Contender("engine, extents", pageCount, Run)]);
        session.Add(new BarResult($"extents, {what}", pageCount, "x resolve page by page", t[1].SpeedOver(t[0]), isInRuns ? 5 : 0.7,
            Note: $"({(double)pageCount / count:0.0} pages a run)"));
        EngineAllocations.Add(session, $"extents, {what}", pageCount, Run);
    }

    private static void Blocks(BarSession session, ulong pageCount)
    {
        using var limits = new MemoryLimits(pageCount);
        using var huge = new EngineWorld(pageCount);
        using var holes = new EngineWorld(pageCount);
        EngineWorld.Must(huge.Space.Advise(huge.All, Advice.HugePage), "advise huge pages");
        huge.Write(huge.All);
        IReadOnlyList<Timing> t = session.Measure(
            "blocks",
            [
                limits.Fill(), limits.FillNonTemporal(),
                new Contender("engine, snapshot of 2 MiB entries", pageCount, huge.Snapshot),
                new Contender("engine, snapshot of holes", pageCount, holes.Snapshot),
            ]);
        Timing fill = t[0].Median <= t[1].Median ? t[0] : t[1];
        session.Add(new BarResult("resolve of 2 MiB entries", pageCount, "of the fill limit", t[2].SpeedOver(fill), 0.95));
        session.Add(new BarResult("resolve of holes", pageCount, "of the fill limit", t[3].SpeedOver(fill), 0.95));
    }

    private static void Batches(BarSession session, ulong pageCount)
    {
        using var engine = new EngineWorld(pageCount);
        using var reference = new EngineWorld(pageCount, isReference: true);
        engine.Mix();
        reference.Mix();
        var pages = new Vpn[BatchPages];
        var words = new HmmPfn[BatchPages];
        var random = new Random(5);
        for (int i = 0; i < BatchPages; i++)
        {
            pages[i] = new Vpn(EngineWorld.First + (ulong)random.NextInt64((long)pageCount));
        }

        void Batch() => EngineWorld.Must(engine.Columns.RangeFaultBatch(engine.Request(engine.All), pages, words, out _), "batch");
        IReadOnlyList<Timing> t = session.Measure(
            $"batches over {pageCount:n0} pages",
            [
                new Contender("engine, batch", BatchPages, Batch),
                new Contender("reference, page by page", BatchPages, () =>
                {
                    for (int i = 0; i < BatchPages; i++)
                    {
                        EngineWorld.Must(reference.Space.RangeFault(reference.Request(new VpnRange(pages[i], 1)), words.AsSpan(i, 1)), "reference");
                    }
                }),
            ]);
        session.Add(new BarResult("batch of scattered pages", BatchPages, "x the reference", t[0].SpeedOver(t[1]), 5, Note: $"(out of {pageCount:n0} pages)"));
        EngineAllocations.Add(session, "batch of scattered pages", BatchPages, Batch);
    }
}
