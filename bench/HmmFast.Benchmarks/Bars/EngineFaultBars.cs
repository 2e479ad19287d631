namespace HmmFast.Benchmarks.Bars;

/// <summary>Faults in empty memory: a frame each, an entry each, a word each, against a loop that only writes those columns.</summary>
public static class EngineFaultBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 14, 1 << 18, 1 << 24))
        {
            using var limits = new EngineColumnLimits(pageCount);
            using var world = new EngineWorld(pageCount);
            world.Write(world.All);
            IReadOnlyList<Timing> t = session.Measure(
                "faults",
                [
                    limits.WriteFaultedColumns(),
                    new Contender("engine, fault in empty memory", pageCount, () => world.Fault(world.All, HmmRequestFlags.Fault | HmmRequestFlags.Write), world.Empty),
                ]);
            if (pageCount < 1 << 24 && session.Rounds > 1)
            {
                // Timings only: the bar is about memory out of cache.
                continue;
            }

            session.Add(new BarResult("fault in empty memory", pageCount, "of writing the same columns", t[1].SpeedOver(t[0]), 0.4,
                Note: "(25 bytes a page: entry 5, frame 12, result word 8)"));
        }
    }
}
