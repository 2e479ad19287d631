using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Runs the C programs of bench/c, which bench/run.sh builds, and reads what they measured.</summary>
public static class Baselines
{
    /// <summary>Name under which the C walk's timings are kept.</summary>
    public const string WalkName = "C walk shaped like the kernel's";

    /// <summary>Name under which the running kernel's scan is kept.</summary>
    public const string ScanName = "running kernel, PAGEMAP_SCAN";

    /// <summary>Name under which reading the running kernel's pagemap is kept.</summary>
    public const string PagemapName = "running kernel, /proc/self/pagemap";

    /// <summary>Why there are no figures.</summary>
    public const string NotBuilt = "the C programs are not built (bench/run.sh builds them with gcc)";

    /// <summary>The C walk at some sizes; empty when the program has not been built.</summary>
    public static IReadOnlyList<Timing> KernelWalk(string? directory, int rounds, IEnumerable<ulong> pageCounts) =>
        [.. Run(directory, "kernel_walk", rounds, pageCounts).Select(line => Read(WalkName, line, "ns_per_page", "fastest", "slowest", rounds))];

    /// <summary>The running kernel's pagemap and PAGEMAP_SCAN; empty where it has not been built or is not Linux.</summary>
    public static IReadOnlyList<Timing> RunningKernel(string? directory, int rounds, IEnumerable<ulong> pageCounts)
    {
        var timings = new List<Timing>();
        foreach (JsonElement line in Run(directory, "pagemap_scan", rounds, pageCounts))
        {
            timings.Add(Read(PagemapName, line, "pagemap_ns_per_page", "pagemap_fastest", "pagemap_slowest", rounds));
            if (line.GetProperty("scan_ns_per_page").ValueKind == JsonValueKind.Number)
            {
                timings.Add(Read(ScanName, line, "scan_ns_per_page", "scan_fastest", "scan_slowest", rounds));
            }
        }

        return timings;
    }

    private static Timing Read(string name, JsonElement line, string median, string fastest, string slowest, int rounds) => new(
        name,
        line.GetProperty("pages").GetUInt64(),
        line.GetProperty(median).GetDouble(),
        line.GetProperty(fastest).GetDouble(),
        line.GetProperty(slowest).GetDouble(),
        rounds);

    private static List<JsonElement> Run(string? directory, string program, int rounds, IEnumerable<ulong> pageCounts)
    {
        string path = directory is null ? "" : Path.Combine(directory, program);
        var lines = new List<JsonElement>();
        if (!File.Exists(path))
        {
            return lines;
        }

        var start = new ProcessStartInfo(path) { RedirectStandardOutput = true };
        start.ArgumentList.Add(rounds.ToString(CultureInfo.InvariantCulture));
        foreach (ulong count in pageCounts)
        {
            start.ArgumentList.Add(count.ToString(CultureInfo.InvariantCulture));
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
