using System.Globalization;
using ScottPlot;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Pages a second against the size of what is looked at, one line a contender, with the sizes at which the caches end.</summary>
public static class BarPlots
{
    // What a resolve touches a page: 5 bytes read, 8 written.
    private const double BytesOfAPage = 13;

    private static readonly (string File, string Title, (string Timing, string Label)[] Lines)[] Plots =
    [
        ("snapshot", "Range fault that faults nothing: pages a second",
        [
            ("snapshot: " + EngineSnapshotBars.Snapshot, "engine"),
            ("limits: stream, 5 in 8 out", "stream, 5 bytes in, 8 out"),
            ("limits: stream, 5 in 8 out, non-temporal", "the same past the caches"),
            ("limits: memcpy of the result array", "memcpy of the result array"),
            ("snapshot: " + EngineSnapshotBars.ReferenceSnapshot, "reference"),
            (Baselines.WalkName, "walk in C, shaped like the kernel's"),
            ("running kernel, PAGEMAP_SCAN", "running kernel, PAGEMAP_SCAN"),
            ("running kernel, /proc/self/pagemap", "running kernel, pagemap"),
        ]),
        ("classify", "What needs work, without frame numbers: pages a second",
        [
            ("snapshot: engine, classify", "engine, classify"),
            ("limits: read of the class column", "read of the class column"),
            ("snapshot: " + EngineSnapshotBars.Snapshot, "engine, snapshot"),
            ("snapshot: engine, per-page requests", "engine, per-page requests"),
            ("limits: memcpy of the result array", "memcpy of the result array"),
        ]),
    ];

    /// <summary>Writes every plot that has lines to a folder.</summary>
    /// <returns>Names of the files written.</returns>
    public static IReadOnlyList<string> Write(BarReport.ResultFile results, string folder)
    {
        var written = new List<string>();
        foreach ((string file, string title, (string Timing, string Label)[] lines) in Plots)
        {
            using var plot = new Plot();
            int drawn = 0;
            foreach ((string timing, string label) in lines)
            {
                drawn += Draw(plot, results.Timings, timing, label) ? 1 : 0;
            }

            if (drawn < 2)
            {
                continue;
            }

            MarkCaches(plot, results.Machine);
            plot.Title($"{title}\n{results.Machine.Cpu}, one core", size: 14);
            plot.XLabel("pages");
            plot.YLabel("pages a second");
            plot.Axes.Bottom.TickGenerator = Ticks(8, 29, 2, PageText);
            plot.Axes.Left.TickGenerator = TenTicks();
            plot.ShowLegend(Edge.Right);
            plot.SaveSvg(Path.Combine(folder, file + ".svg"), 1000, 560);
            written.Add(file + ".svg");
        }

        return written;
    }

    private static bool Draw(Plot plot, IReadOnlyList<Timing> timings, string name, string label)
    {
        // Where something was measured more than once at one size, the last counts.
        var points = timings.Where(timing => timing.Name == name).GroupBy(timing => timing.PageCount).Select(group => group.Last()).OrderBy(timing => timing.PageCount).ToArray();
        if (points.Length == 0)
        {
            return false;
        }

        ScottPlot.Plottables.Scatter line = plot.Add.Scatter(
            points.Select(point => Math.Log2(point.PageCount)).ToArray(), points.Select(point => Math.Log10(point.PagesPerSecond)).ToArray());
        line.LegendText = label;
        line.LineWidth = 2;
        line.MarkerSize = 6;
        return true;
    }

    private static void MarkCaches(Plot plot, MachineNote machine)
    {
        for (int level = 0; level < machine.CacheBytes.Count; level++)
        {
            ScottPlot.Plottables.VerticalLine mark = plot.Add.VerticalLine(Math.Log2(machine.CacheBytes[level] / BytesOfAPage), 1, Colors.Gray, LinePattern.Dashed);
            mark.LabelText = string.Create(CultureInfo.InvariantCulture, $"L{level + 1} {machine.CacheBytes[level] >> 10:n0} KiB");
            mark.LabelFontSize = 10;
            mark.LabelBackgroundColor = Colors.Gray;
            mark.LabelOppositeAxis = true;
            mark.ExcludeFromLegend = true;
        }
    }

    private static ScottPlot.TickGenerators.NumericManual Ticks(int from, int to, int step, Func<int, string> text)
    {
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        for (int i = from; i <= to; i += step)
        {
            ticks.AddMajor(i, text(i));
        }

        return ticks;
    }

    private static ScottPlot.TickGenerators.NumericManual TenTicks()
    {
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        string[] units = ["1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G", "10 G", "100 G", "1 T"];
        for (int power = 0; power < units.Length; power++)
        {
            ticks.AddMajor(power, units[power]);
            for (int digit = 2; digit < 10; digit++)
            {
                ticks.AddMinor(power + Math.Log10(digit));
            }
        }

        return ticks;
    }

    private static string PageText(int log2) => log2 switch
    {
        >= 20 => $"{1 << (log2 - 20)} Mi",
        >= 10 => $"{1 << (log2 - 10)} Ki",
        _ => $"{1 << log2}",
    };
}
