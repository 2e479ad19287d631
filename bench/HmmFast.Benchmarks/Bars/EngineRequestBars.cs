using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Requests some of whose pages need work: what the interruptions cost the scan, and what the whole call costs beside the reference.</summary>
public static class EngineRequestBars
{
    private const byte WorkClass = 77;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 14, 1 << 18, 1 << 24))
        {
            Scan(session, (int)pageCount);
        }

        ulong size = session.Sizes(1 << 14, 1 << 18).Last();
        EndToEnd(session, size, 2, 10);
        EndToEnd(session, size, 100, 0);
    }

    /// <summary>The scan as the walk does it: up to a page that needs work, and on behind it. Nothing is faulted, so all of it is the scan's own time.</summary>
    private static void Scan(BarSession session, int pageCount)
    {
        KernelSet kernels = KernelSet.Best;
        using var inputs = new KernelInputs(pageCount);
        var ledger = new NativeMemoryLedger();
        using var classes = new NativeColumn<byte>("classes of which 1 % need work", pageCount, ledger, HugePagePolicy.Prefer);
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

        IReadOnlyList<Timing> t = session.Measure(
            "1 % needs work",
            [
                new Contender("scan, nothing needs work", (ulong)pageCount, () => Walk(inputs.Classes.Span(0, pageCount))),
                new Contender("scan, 1 % needs work", (ulong)pageCount, () => Walk(classes.Span(0, pageCount))),
            ]);
        session.Add(new BarResult("resolve with 1 % of pages needing work, scan part", (ulong)pageCount, "of the clean scan", t[1].SpeedOver(t[0]), 0.8));

        void Walk(ReadOnlySpan<byte> over)
        {
            ReadOnlySpan<uint> pfns = inputs.Pfns.Span(0, pageCount);
            Span<ulong> words = inputs.Words.Span(0, pageCount);
            for (int at = 0; at < pageCount; at++)
            {
                at += kernels.Resolve(over[at..], pfns[at..], table, WordFormat.Plain, words[at..]);
            }
        }
    }

    private static void EndToEnd(BarSession session, ulong pageCount, ulong everyNth, double bar)
    {
        using var engine = new EngineWorld(pageCount);
        using var reference = new EngineWorld(pageCount, isReference: true);
        IReadOnlyList<Timing> t = session.Measure(
            "requests",
            [
                Make(engine, $"engine, fault of every {everyNth}. page", everyNth),
                Make(reference, $"reference, fault of every {everyNth}. page", everyNth),
            ]);
        session.Add(new BarResult(
            everyNth == 2 ? "fault, 50 % of pages needing work, alternating" : "fault, 1 % of pages needing work",
            pageCount,
            "x the reference, end to end",
            t[0].SpeedOver(t[1]),
            bar == 0 ? 10 : bar));
    }

    private static Contender Make(EngineWorld world, string name, ulong everyNth)
    {
        world.Write(world.All);
        return new Contender(
            name,
            world.PageCount,
            () => world.Fault(world.All, HmmRequestFlags.Fault),
            () =>
            {
                for (ulong i = 0; i < world.PageCount; i += everyNth)
                {
                    EngineWorld.Must(world.Space.Advise(EngineWorld.Pages(i, 1), Advice.DontNeed), "empty a page");
                }
            });
    }
}
