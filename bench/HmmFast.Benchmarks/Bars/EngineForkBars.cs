namespace HmmFast.Benchmarks.Bars;

/// <summary>fork, and write protection of everything, against copying the page table's columns.</summary>
public static class EngineForkBars
{
    // A child is an object with an empty table or two of its own; what it is made of does not grow with its pages.
    private const long MostForkBytes = 4096;

    // A VMA may be split or joined.
    private const long MostProtectBytes = 256;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 18, 1 << 24))
        {
            using var limits = new EngineColumnLimits(pageCount);
            using var world = new EngineWorld(pageCount);
            IAddressSpace? child = null;
            void Restore()
            {
                child?.Dispose();
                child = null;
                EngineWorld.Must(world.Space.Protect(world.All, Protection.ReadWrite), "unprotect");
                world.Write(world.All);
            }

            void Fork() => child = world.Space.Fork();
            void Protect() => EngineWorld.Must(world.Space.Protect(world.All, Protection.Read), "protect");
            IReadOnlyList<Timing> t = session.Measure(
                "fork",
                [
                    limits.CopyColumns(),
                    limits.CopyToFreshColumns(),
                    new Contender("engine, fork", pageCount, Fork, Restore),
                    new Contender("engine, write-protect", pageCount, Protect, Restore),
                ]);

            // The bars are about memory out of cache. A small child's first touches of its columns are most of its fork.
            double? bar = pageCount == 1 << 24 ? 0.5 : null;
            session.Ratio("fork", pageCount, "of copying both columns", t[2], t[0], bar, "(into memory that is already there, which a child's columns are not)");
            session.Ratio("fork", pageCount, "of copying both columns into fresh memory", t[2], t[1], bar);
            session.Ratio("write-protect", pageCount, "of copying both columns", t[3], t[0], bar);
            EngineAllocations.Add(session, "write-protect", pageCount, Protect, Restore, MostProtectBytes);
            EngineAllocations.Add(session, "fork", pageCount, Fork, Restore, MostForkBytes);
            Restore();
        }
    }
}
