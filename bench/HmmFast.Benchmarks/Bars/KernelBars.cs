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
        Contender[] works =
        [
            kernels.Resolve, kernels.ResolveAll, kernels.PerPage, kernels.Classify, kernels.ResolveRuns, kernels.ExtentsOfRuns, kernels.ExtentsWithoutRuns, kernels.Huge, kernels.Hole,
            kernels.ResolveSticky, kernels.Map,
        ];
        IReadOnlyList<Timing> t = session.Measure(
            "kernels", [limits.Copy(), limits.ReadColumns(), limits.ReadClasses(), .. works, .. limits.FillForms(), .. limits.ZeroForms(), .. limits.StreamForms()]);
        Timing copy = t[0];
        Timing read = t[1];
        Timing[] work = [.. t.Skip(3).Take(works.Length)];
        Timing[] forms = [.. t.Skip(3 + works.Length)];
        Timing fill = Timing.FastestOf(forms[..3]);
        Timing zeros = Timing.FastestOf(forms[3..6]);
        Timing stream = Timing.FastestOf(forms[6..]);
        Timing resolve = work[0];
        if (pages is 1 << 24 or 1 << 16)
        {
            session.Ratio("kernel: resolve", pages, "x memcpy of the result array", resolve, copy, pages == 1 << 24 ? 2.0 : 1.2, $"(the stream limit itself is {stream.SpeedOver(copy):0.00} x memcpy)");
        }

        session.Ratio("kernel: resolve, 77 classes", pages, "of the stream limit", resolve, stream, 0.9, $"({stream.Name})");
        session.Ratio("kernel: resolve, 256 classes", pages, "of the stream limit", work[1], stream, 0.9);
        if (pages == 1 << 24)
        {
            session.Ratio("kernel: resolve with per-page requests", pages, "x memcpy of the result array", work[2], copy, 1.0);

            // The column is half of the last cache: what the contender before left there decides what reading costs, so both have the same one before them.
            IReadOnlyList<Timing> readers = session.Measure("readers",
                [limits.FillNonTemporal(), limits.ReadClasses(), limits.FillNonTemporal("fill again"), kernels.Classify]);
            session.Ratio("kernel: classify", pages, "of the read limit", readers[3], readers[1], 0.9);
        }

        if (pages == 1 << 20)
        {
            session.Ratio("kernel: classify", pages, "x memcpy of the result array", work[3], copy, 6);
        }

        session.Ratio("kernel: extents, runs of 64", pages, "x resolve", work[5], work[4], 5, $"(reading the columns is itself {read.SpeedOver(work[4]):0.0} x resolve)");
        session.Ratio("kernel: extents, no runs", pages, "x resolve", work[6], resolve, 0.7);
        session.Ratio("kernel: huge entries", pages, "of the fill limit", work[7], fill, 0.95);
        session.Ratio("kernel: holes", pages, "of the limit of zeros", work[8], zeros, 0.95);
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
                session.Ratio($"kernel: resolve, {set.Name} bits", limits.PageCount, "x memcpy of the result array", t[1 + (4 * i)], t[0], bar);
            }
        }
    }
}
