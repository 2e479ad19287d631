using HmmFast.Kernels;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// The loops under the engine against the memory limits: what the engine could at best reach. At every width this machine has; a limit is the better of its
/// forms (ordinary or non-temporal stores).
/// </summary>
public static class KernelBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 16, 1 << 18, 1 << 20, 1 << 24))
        {
            using var limits = new MemoryLimits(pageCount);
            using var inputs = new KernelInputs((int)pageCount);
            Best(session, limits, inputs);
            Widths(session, limits, inputs);
        }
    }

    private static void Best(BarSession session, MemoryLimits limits, KernelInputs inputs)
    {
        ulong pages = limits.PageCount;
        var kernels = new KernelContenders(inputs, KernelSet.Best);
        IReadOnlyList<Timing> t = session.Measure("kernels",
        [
            limits.Copy(), limits.Fill(), limits.FillNonTemporal(), limits.ReadClasses(), limits.Stream(), limits.StreamNonTemporal(), limits.ReadColumns(),
            kernels.Resolve, kernels.ResolveAll, kernels.ResolveSticky, kernels.PerPage, kernels.Classify,
            kernels.ResolveRuns, kernels.ExtentsOfRuns, kernels.ExtentsWithoutRuns, kernels.Huge, kernels.Hole, kernels.Map,
        ]);
        Timing copy = t[0];
        Timing fill = Faster(t[1], t[2]);
        Timing stream = Faster(t[4], t[5]);
        Timing resolve = t[7];
        if (pages is 1 << 24 or 1 << 16)
        {
            session.Add(new BarResult("kernel: resolve", pages, "x memcpy of the result array", resolve.SpeedOver(copy), pages == 1 << 24 ? 2.0 : 1.2,
                Note: $"(the stream limit itself is {stream.SpeedOver(copy):0.00} x memcpy)"));
        }

        session.Add(new BarResult("kernel: resolve, 77 classes", pages, "of the stream limit", resolve.SpeedOver(stream), 0.9));
        session.Add(new BarResult("kernel: resolve, 256 classes", pages, "of the stream limit", t[8].SpeedOver(stream), 0.9));
        if (pages == 1 << 24)
        {
            session.Add(new BarResult("kernel: resolve with per-page requests", pages, "x memcpy of the result array", t[10].SpeedOver(copy), 1.0));

            // The column is half of the last cache: what the contender before left there decides what reading costs, so both have the same one before them.
            IReadOnlyList<Timing> readers = session.Measure("readers",
                [limits.FillNonTemporal(), limits.ReadClasses(), limits.FillNonTemporal("fill again"), kernels.Classify]);
            session.Add(new BarResult("kernel: classify", pages, "of the read limit", readers[3].SpeedOver(readers[1]), 0.9));
            session.Add(new BarResult("kernel: extents, no runs", pages, "x resolve", t[14].SpeedOver(resolve), 0.7));
        }

        if (pages == 1 << 20)
        {
            session.Add(new BarResult("kernel: classify", pages, "x memcpy of the result array", t[11].SpeedOver(copy), 6));
        }

        session.Add(new BarResult("kernel: extents, runs of 64", pages, "x resolve", t[13].SpeedOver(t[12]), 5,
            Note: $"(reading the columns is itself {t[6].SpeedOver(t[12]):0.0} x resolve)"));
        session.Add(new BarResult("kernel: huge entries", pages, "of the fill limit", t[15].SpeedOver(fill), 0.95));
        session.Add(new BarResult("kernel: holes", pages, "of the fill limit", t[16].SpeedOver(fill), 0.95));
    }

    private static void Widths(BarSession session, MemoryLimits limits, KernelInputs inputs)
    {
        List<Contender> contenders = [limits.Copy()];
        foreach (KernelSet set in KernelSet.All)
        {
            var kernels = new KernelContenders(inputs, set);
            contenders.AddRange([kernels.Resolve, kernels.ResolveAll, kernels.Classify, kernels.PerPage]);
        }

        IReadOnlyList<Timing> t = session.Measure("widths", contenders);
        if (limits.PageCount != 1 << 24)
        {
            return;
        }

        for (int i = 0; i < KernelSet.All.Count; i++)
        {
            KernelSet set = KernelSet.All[i];
            double bar = set.WidthBits switch { 256 => 1.2, 128 => 0.5, _ => 0 };
            if (bar > 0)
            {
                session.Add(new BarResult($"kernel: resolve, {set.Name} bits", limits.PageCount, "x memcpy of the result array", t[1 + (4 * i)].SpeedOver(t[0]), bar));
            }
        }
    }

    private static Timing Faster(Timing a, Timing b) => a.Median <= b.Median ? a : b;
}
