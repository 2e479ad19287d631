namespace HmmFast.Benchmarks.Bars;

/// <summary>The memory limits alone, for reading beside everything else; no bars.</summary>
public static class MemoryLimitBars
{
    /// <summary>Measures the limits at every size, and the C baselines where they are built.</summary>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pages in session.Sizes(1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 28))
        {
            using var limits = new MemoryLimits(pages);
            session.Measure(
                "limits",
                [limits.Copy(), limits.Fill(), limits.ReadClasses(), limits.ReadColumns(), limits.Stream(), limits.StreamNonTemporal(), limits.WriteColumns(), limits.CopyColumns()]);
        }

        ulong[] walkSizes = [.. session.Sizes(1 << 12, 1 << 16, 1 << 20, 1 << 24)];
        foreach (Timing timing in Baselines.KernelWalk(baselines, session.Rounds, walkSizes))
        {
            session.Add(timing);
        }

        foreach (Timing timing in Baselines.RunningKernel(baselines, session.Rounds, session.Sizes(1 << 12, 1 << 16, 1 << 19)))
        {
            session.Add(timing);
        }
    }
}
