using System.Globalization;
using ScottPlot;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// Pages a second against the bytes that the work goes over, one line a contender, with the sizes at which the caches end. Bytes and not pages, since contenders touch different numbers
/// of them a page: so a cache's mark is right for every line.
/// </summary>
public static class BarPlots
{
    // Columns read and words written; what C's walk and the running kernel touch beside entries and answers (tables above, 64-byte structures) is left out.
    private const double ResolveBytes = 13;
    private const double CopyBytes = 16;
    private const double WordBytes = 8;
    private const double ColumnBytes = 5;
    private const double ClassBytes = 1;
    private const double EntryAndWordBytes = 16;

    private sealed record Line(string Label, double BytesOfAPage, params string[] Timings);

    private static readonly Line Engine = new("engine (largest size: written pages)", ResolveBytes, "growth: " + EngineSnapshotBars.Snapshot, "snapshot: " + EngineSnapshotBars.Snapshot);
    private static readonly Line Memcpy = new("memcpy of the result array", CopyBytes, "limits: memcpy of the result array");

    private static readonly (string File, string Title, Line[] Lines)[] Plots =
    [
        ("snapshot", "Range fault that faults nothing: pages a second",
        [
            Engine,
            new("stream, 5 bytes in, 8 out, fastest form", ResolveBytes, "limits: stream, 5 in 8 out", "limits: stream limit"),
            Memcpy,
            new("fill of the result array, fastest form", WordBytes, "limits: fill of the result array", "limits: fill limit"),
            new("read of both columns", ColumnBytes, "limits: read of both columns"),
            new("reference (bytes as the engine's)", ResolveBytes, "snapshot: " + EngineSnapshotBars.ReferenceSnapshot),
            new("walk in C, shaped like the kernel's", EntryAndWordBytes, Baselines.WalkName),
            new("running kernel, PAGEMAP_SCAN", EntryAndWordBytes, Baselines.ScanName),
            new("running kernel, pagemap", EntryAndWordBytes, Baselines.PagemapName),
        ]),
        ("classify", "What needs work, without frame numbers: pages a second",
        [
            new("engine, classify (largest size: written pages)", ClassBytes, "growth, readers: engine, classify", "snapshot: engine, classify"),
            new("engine, classify, many pages need work", ClassBytes, "snapshot: engine, classify, many pages need work"),
            new("read of the class column", ClassBytes, "limits: read of the class column"),
            Engine,
            new("engine, per-page requests", ResolveBytes + WordBytes, "snapshot: engine, per-page requests"),
            Memcpy,
            new("walk in C, shaped like the kernel's", EntryAndWordBytes, Baselines.WalkName),
            new("running kernel, PAGEMAP_SCAN", EntryAndWordBytes, Baselines.ScanName),
        ]),
    ];

    /// <summary>Writes every plot that has lines to a folder.</summary>
    /// <returns>Names of the files written.</returns>
    public static IReadOnlyList<string> Write(BarReport.ResultFile results, string folder)
    {
        var written = new List<string>();
        foreach ((string file, string title, Line[] lines) in Plots)
        {
            using var plot = new Plot();
            if (lines.Count(line => Draw(plot, results.Timings, line)) < 2)
            {
                continue;
            }

            MarkCaches(plot, results.Machine);

            // The last, empty line is where the marks of the caches stand.
            plot.Title($"{title}\n{results.Machine.Cpu}, one core\n ", size: 14);
            plot.XLabel("bytes that the work goes over");
            plot.YLabel("pages a second");
            plot.Axes.Bottom.TickGenerator = Ticks(10, 34, 2, ByteText);
            plot.Axes.Left.TickGenerator = TenTicks();
            plot.ShowLegend(Edge.Right);
            plot.SaveSvg(Path.Combine(folder, file + ".svg"), 1150, 600);
            written.Add(file + ".svg");
        }

        return written;
    }

    private static bool Draw(Plot plot, IReadOnlyList<Timing> timings, Line line)
    {
        // Where something was measured more than once at one size, the last of the list's last name counts.
        Timing[] points = [.. timings.Where(timing => line.Timings.Contains(timing.Name))
            .OrderBy(timing => Array.IndexOf(line.Timings, timing.Name))
            .GroupBy(static timing => timing.PageCount)
            .Select(static group => group.Last())
            .OrderBy(static timing => timing.PageCount)];
        if (points.Length == 0)
        {
            return false;
        }

        ScottPlot.Plottables.Scatter drawn = plot.Add.Scatter(
            points.Select(point => Math.Log2(point.PageCount * line.BytesOfAPage)).ToArray(), points.Select(point => Math.Log10(point.PagesPerSecond)).ToArray());
        drawn.LegendText = line.Label;
        drawn.LineWidth = 2;
        drawn.MarkerSize = 6;
        return true;
    }

    private static void MarkCaches(Plot plot, MachineNote machine)
    {
        for (int level = 0; level < machine.CacheBytes.Count; level++)
        {
            ScottPlot.Plottables.VerticalLine mark = plot.Add.VerticalLine(Math.Log2(machine.CacheBytes[level]), 1, Colors.Gray, LinePattern.Dashed);
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

    private static string ByteText(int log2) => log2 switch
    {
        >= 30 => $"{1 << (log2 - 30)} GiB",
        >= 20 => $"{1 << (log2 - 20)} MiB",
        _ => $"{1 << (log2 - 10)} KiB",
    };
}
