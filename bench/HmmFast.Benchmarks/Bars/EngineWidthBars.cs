using HmmFast.Kernels;

namespace HmmFast.Benchmarks.Bars;

/// <summary>The snapshot with the vector loops of narrower machines, in the same process.</summary>
public static class EngineWidthBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        ulong largest = session.Largest(1 << 14, 1 << 20, 1 << 24);
        foreach (KernelSet set in KernelSet.All)
        {
            double bar = set.WidthBits switch { 256 => 1.2, 128 => 0.5, _ => 0 };
            if (bar > 0)
            {
                using var limits = new MemoryLimits(largest);
                using var world = new EngineWorld(largest, set);
                world.Mix();
                IReadOnlyList<Timing> t = session.Measure("widths", [limits.Copy(), new Contender($"engine, snapshot, {set.Name} bits", largest, world.Snapshot)]);
                session.Add(new BarResult($"resolve, {set.Name} bits", largest, "x memcpy of the result array", t[1].SpeedOver(t[0]), bar));
            }
        }

        Scalar(session, Math.Min(largest, 1 << 18));
    }

    private static void Scalar(BarSession session, ulong pageCount)
    {
        using var engine = new EngineWorld(pageCount, KernelSet.Choose("scalar"));
        using var reference = new EngineWorld(pageCount, isReference: true);
        engine.Mix();
        reference.Mix();
        IReadOnlyList<Timing> t = session.Measure(
            "widths",
            [new Contender("engine, snapshot, scalar", pageCount, engine.Snapshot), new Contender(EngineSnapshotBars.ReferenceSnapshot, pageCount, reference.Snapshot)]);
        session.Add(new BarResult("resolve, scalar", pageCount, "x the reference", t[0].SpeedOver(t[1]), 1.0));
    }
}
