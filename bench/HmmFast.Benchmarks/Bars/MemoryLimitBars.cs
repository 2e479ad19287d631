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
            IReadOnlyList<Timing> t = session.Measure(
                "limits",
                [limits.Copy(), limits.ReadClasses(), limits.ReadColumns(), limits.WriteColumns(), limits.CopyColumns(), .. limits.StreamForms(), .. limits.FillForms(), .. limits.ZeroForms()]);
            session.Add(Timing.FastestOf(t.Skip(5).Take(4)) with { Name = "limits: stream limit" });
            session.Add(Timing.FastestOf(t.Skip(9).Take(3)) with { Name = "limits: fill limit" });
        }

        IReadOnlyList<Timing> walk = Baselines.KernelWalk(baselines, session.Rounds, session.Sizes(1 << 12, 1 << 16, 1 << 18, 1 << 20, 1 << 24));
        IReadOnlyList<Timing> kernel = Baselines.RunningKernel(baselines, session.Rounds, session.Sizes(1 << 12, 1 << 18, 1 << 20, 1 << 24));
        foreach (Timing timing in walk.Concat(kernel))
        {
            session.Add(timing);
        }

        if (walk.Count == 0)
        {
            session.NotMeasured("the walk in C", 0, "", Baselines.NotBuilt);
        }

        if (!kernel.Any(static timing => timing.Name == Baselines.ScanName))
        {
            session.NotMeasured("the running kernel's PAGEMAP_SCAN", 0, "", kernel.Count == 0 ? Baselines.NotBuilt : "this kernel has no PAGEMAP_SCAN (Linux 6.7 and later have)");
        }
    }
}
