using System.Diagnostics;
using HmmFast.Topology;

namespace HmmFast.Benchmarks.Bars;

/// <summary>All pairs of a large machine within a time, in milliseconds: the median of the rounds, rule and matrix included.</summary>
public static class TopologyBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds; in a smoke run only the small machine is measured.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        Measure(session, 1_000, 50);
        if (!session.IsSmoke)
        {
            Measure(session, 10_000, 5_000);
        }
    }

    private static void Measure(BarSession session, int functionCount, double limitMs)
    {
        PciTopology topology = LargeMachine.Build(functionCount);
        double[] elapsedMs = new double[session.Rounds];
        for (int round = -1; round < session.Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            var matrix = P2PdmaMatrix.Compute(new P2PdmaDistance(topology));
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            GC.KeepAlive(matrix);

            // The first one warms up and is not counted.
            if (round >= 0)
            {
                elapsedMs[round] = elapsed;
            }
        }

        Array.Sort(elapsedMs);
        session.Add(new BarResult(
            $"all pairs of {functionCount:n0} PCI functions",
            (ulong)functionCount * (ulong)functionCount,
            "ms",
            elapsedMs[elapsedMs.Length / 2],
            limitMs,
            MustStayBelow: true,
            $"(pairs, not pages; {elapsedMs[0]:0.00} to {elapsedMs[^1]:0.00} ms)"));
    }
}
