using System.Diagnostics;
using HmmFast.Simulation.Machines;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// Reading a machine's description within a second, in milliseconds: own texts larger than any real one met so far, and, where the
/// folder of real machines' files lies beside the repository, the slowest of them.
/// </summary>
public static class ReaderBars
{
    private const double LimitMs = 1_000;
    private const int LargeFunctionCount = 2_000;
    private const int SmokeFunctionCount = 36;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds; in a smoke run the texts are small.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        int functionCount = !session.IsSmoke ? LargeFunctionCount : SmokeFunctionCount;
        byte[] lspci = LargeMachineTexts.LspciText(functionCount);
        byte[] json = LargeMachineTexts.Json(functionCount);
        int count = MachineReader.Parse(lspci, "lspci").Functions.Count;
        Add(session, $"read lspci -vvv of {count:n0} functions, {lspci.Length / 1024:n0} KiB", count, Time(session, () => MachineReader.Parse(lspci, "lspci")));
        Add(session, $"read own JSON of {count:n0} functions, {json.Length / 1024:n0} KiB", count, Time(session, () => MachineReader.Parse(json, "json")));

        string? slowest = null;
        double[] slowestMs = [0];
        foreach (string file in RealFiles())
        {
            double[] elapsedMs = Time(session, () => MachineReader.Open(file));
            if (elapsedMs[elapsedMs.Length / 2] > slowestMs[slowestMs.Length / 2])
            {
                (slowest, slowestMs) = (file, elapsedMs);
            }
        }

        if (slowest is not null)
        {
            Add(session, $"read the slowest real file, {Path.GetFileName(slowest)}", MachineReader.Open(slowest).Functions.Count, slowestMs);
        }
    }

    private static double[] Time(BarSession session, Func<MachineDescription> read)
    {
        double[] elapsedMs = new double[session.Rounds];
        for (int round = -1; round < session.Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            GC.KeepAlive(read());

            // The first one warms up and is not counted.
            if (round >= 0)
            {
                elapsedMs[round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
        }

        Array.Sort(elapsedMs);
        return elapsedMs;
    }

    private static void Add(BarSession session, string work, int count, double[] elapsedMs) => session.Add(new BarResult(
        work, (ulong)count, "ms", elapsedMs[elapsedMs.Length / 2], LimitMs, MustStayBelow: true,
        $"(functions, not pages; {elapsedMs[0]:0.00} to {elapsedMs[^1]:0.00} ms)"));

    private static IEnumerable<string> RealFiles()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string beside = Path.Combine(at.FullName, "shared", "topologies");
            if (Directory.Exists(beside))
            {
                return Directory.EnumerateFiles(beside, "*", SearchOption.AllDirectories)
                    .Where(static file => Path.GetExtension(file) is ".xml" or ".gz" || Path.GetDirectoryName(file)!.EndsWith("lspci", StringComparison.Ordinal)
                        || Path.GetDirectoryName(file)!.EndsWith("nvidia-smi", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal);
            }
        }

        return [];
    }
}
