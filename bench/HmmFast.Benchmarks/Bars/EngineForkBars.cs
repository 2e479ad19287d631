namespace HmmFast.Benchmarks.Bars;

/// <summary>fork, and write protection of everything, against copying the page table's columns.</summary>
public static class EngineForkBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 14, 1 << 20, 1 << 24))
        {
            using var limits = new EngineColumnLimits(pageCount);
            using var world = new EngineWorld(pageCount);
            IAddressSpace? child = null;
            IReadOnlyList<Timing> t = session.Measure(
                "fork",
                [
                    limits.CopyColumns(),
                    limits.CopyToFreshColumns(),
                    new Contender("engine, fork", pageCount, () => child = world.Space.Fork(), () =>
                    {
                        child?.Dispose();
                        EngineWorld.Must(world.Space.Protect(world.All, Protection.ReadWrite), "unprotect");
                        world.Write(world.All);
                    }),
                    new Contender("engine, write-protect", pageCount, () => EngineWorld.Must(world.Space.Protect(world.All, Protection.Read), "protect"), () =>
                    {
                        child?.Dispose();
                        child = null;
                        EngineWorld.Must(world.Space.Protect(world.All, Protection.ReadWrite), "unprotect");
                        world.Write(world.All);
                    }),
                ]);
            EngineWorld.Must(world.Space.Protect(world.All, Protection.ReadWrite), "unprotect");
            child?.Dispose();
            if (pageCount < 1 << 24 && session.Rounds > 1)
            {
                // Timings only: the bar is about memory out of cache. A small child's first touches of its columns are most of its fork.
                continue;
            }

            session.Add(new BarResult("fork", pageCount, "of copying both columns into fresh memory", t[2].SpeedOver(t[1]), 0.5,
                Note: $"({t[2].SpeedOver(t[0]):0.00} of a copy into memory that is already there)"));
            session.Add(new BarResult("write-protect", pageCount, "of copying both columns", t[3].SpeedOver(t[0]), 0.5));
        }
    }
}
