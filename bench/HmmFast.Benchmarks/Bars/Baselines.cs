using System.Diagnostics;
using System.Text.Json;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Runs the C programs of bench/c, which bench/run.sh builds, and reads what they measured.</summary>
public static class Baselines
{
    /// <summary>Name under which the C walk's timings are kept.</summary>
    public const string WalkName = "C walk shaped like the kernel's";

    /// <summary>The C walk at some sizes; empty when the program has not been built.</summary>
    public static IReadOnlyList<Timing> KernelWalk(string? directory, int rounds, IEnumerable<ulong> pageCounts) =>
        [.. Run(directory, "kernel_walk", rounds, pageCounts).Select(line => new Timing(
            WalkName,
            line.GetProperty("pages").GetUInt64(),
            line.GetProperty("ns_per_page").GetDouble(),
            line.GetProperty("fastest").GetDouble(),
            line.GetProperty("slowest").GetDouble(),
            rounds))];

    /// <summary>The running kernel's pagemap and PAGEMAP_SCAN; empty where it has not been built or is not Linux.</summary>
    public static IReadOnlyList<Timing> RunningKernel(string? directory, int rounds, IEnumerable<ulong> pageCounts)
    {
        var timings = new List<Timing>();
        foreach (JsonElement line in Run(directory, "pagemap_scan", rounds, pageCounts))
        {
            ulong pages = line.GetProperty("pages").GetUInt64();
            double read = line.GetProperty("pagemap_ns_per_page").GetDouble();
            timings.Add(new Timing("running kernel, /proc/self/pagemap", pages, read, read, read, rounds));
            if (line.GetProperty("scan_ns_per_page").ValueKind == JsonValueKind.Number)
            {
                double scan = line.GetProperty("scan_ns_per_page").GetDouble();
                timings.Add(new Timing("running kernel, PAGEMAP_SCAN", pages, scan, scan, scan, rounds));
            }
        }

        return timings;
    }

    private static List<JsonElement> Run(string? directory, string program, int rounds, IEnumerable<ulong> pageCounts)
    {
        string path = directory is null ? "" : Path.Combine(directory, program);
        var lines = new List<JsonElement>();
        if (!File.Exists(path))
        {
            return lines;
        }

        var start = new ProcessStartInfo(path) { RedirectStandardOutput = true };
        start.ArgumentList.Add(rounds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        foreach (ulong count in pageCounts)
        {
            start.ArgumentList.Add(count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        using Process process = Process.Start(start)!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            lines.Add(document.RootElement.Clone());
        }

        process.WaitForExit();
        return process.ExitCode == 0 ? lines : throw new InvalidOperationException($"{path} ended with {process.ExitCode}.");
    }
}
