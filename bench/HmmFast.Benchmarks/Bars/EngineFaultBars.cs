namespace HmmFast.Benchmarks.Bars;

/// <summary>Faults in empty memory: a frame each, an entry each, a word each, against a loop that only writes those columns, copying the answer, and the reference.</summary>
public static class EngineFaultBars
{
    // The reference keeps objects; past this it takes minutes.
    private const ulong LargestReferencePageCount = 1 << 18;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 18, 1 << 24))
        {
            using var columns = new EngineColumnLimits(pageCount);
            using var limits = new MemoryLimits(pageCount);
            using var world = new EngineWorld(pageCount);
            world.Write(world.All);
            List<Contender> contenders = [.. columns.WriteFaultedColumns(), limits.Copy() with { Prepare = static () => { } }, Make("engine", world)];
            using EngineWorld? reference = pageCount <= LargestReferencePageCount ? new EngineWorld(pageCount, isReference: true) : null;
            if (reference is not null)
            {
                contenders.Add(Make("reference", reference));
            }

            IReadOnlyList<Timing> t = session.Measure("faults", contenders);
            Timing limit = Timing.FastestOf(t.Take(2));

            // The bar is about memory out of cache; smaller sizes are for reading beside it.
            session.Ratio("fault in empty memory", pageCount, "of writing the same columns", t[3], limit, pageCount == 1 << 24 ? 0.4 : null,
                $"({limit.Name}; 25 bytes a page: entry 5, frame 12, result word 8)");
            session.Ratio("fault in empty memory", pageCount, "x memcpy of the result array", t[3], t[2], null);
            if (reference is not null)
            {
                session.Ratio("fault in empty memory", pageCount, "x the reference", t[3], t[4], null);
            }

            EngineAllocations.Add(session, "fault in empty memory", pageCount, () => Fault(world), world.Empty);
        }
    }

    private static Contender Make(string who, EngineWorld world) => new($"{who}, fault in empty memory", world.PageCount, () => Fault(world), world.Empty);

    private static void Fault(EngineWorld world) => world.Fault(world.All, HmmRequestFlags.Fault | HmmRequestFlags.Write);
}
