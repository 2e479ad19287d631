using System.Diagnostics;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Times contenders in turn, round after round in one process, so that a drift of the machine's speed meets all of them alike;
/// in time of the thread, so that what else runs on the machine counts only by the memory and cache it takes.</summary>
/// <remarks>
/// Work that needs nothing prepared runs once uncounted before each sample and is repeated until the sample is long enough. Work that does is prepared before each
/// repeat and has no uncounted run, so a limit that such work is held against must have a preparation as well.
/// </remarks>
public static class Duel
{
    // A sample shorter than this is repeated until it is this long: the clock's own cost stays far below one part in a thousand.
    private const double ShortestSampleNs = 1_000_000;

    // Preparing may cost many times the work; this often is enough for what is short.
    private const int MostPreparedRepeats = 50;

    // Up to this size something of the work may stay in cache from one run to the next, and is meant to.
    private const ulong LargestWarmedPageCount = 1 << 22;

    // What reading the clock twice adds to every prepared run.
    private static readonly double ClockNs = MeasureClock();

    /// <summary>Runs every contender <paramref name="rounds"/> times, in turn, after one uncounted round.</summary>
    public static IReadOnlyList<Timing> Measure(IReadOnlyList<Contender> contenders, int rounds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        int[] repeats = [.. contenders.Select(RepeatsFor)];
        double[][] samples = [.. contenders.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contenders.Count; i++)
            {
                samples[i][round] = Sample(contenders[i], repeats[i]);
            }
        }

        var timings = new Timing[contenders.Count];
        for (int i = 0; i < contenders.Count; i++)
        {
            timings[i] = Of(contenders[i].Name, contenders[i].PageCount, samples[i]);
        }

        return timings;
    }

    /// <summary>The timing that samples in the order of their rounds make.</summary>
    public static Timing Of(string name, ulong pageCount, double[] samples)
    {
        double[] sorted = [.. samples.Order()];
        return new Timing(name, pageCount, Median(sorted), sorted[0], sorted[^1], samples.Length) { Samples = samples };
    }

    private static double Median(double[] sorted) =>
        sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;

    private static int RepeatsFor(Contender contender)
    {
        // The uncounted runs: compiled, tiered up, pages touched. The last one sets how often a sample repeats the work.
        double nsPerRun = double.MaxValue;
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 60 && (i < 2 || Stopwatch.GetElapsedTime(started).TotalMilliseconds < 400); i++)
        {
            nsPerRun = Math.Min(nsPerRun, Sample(contender, 1) * contender.PageCount);
        }

        return (int)Math.Clamp(ShortestSampleNs / Math.Max(nsPerRun, 1), 1, contender.Prepare is null ? 10_000 : MostPreparedRepeats);
    }

    private static double Sample(Contender contender, int repeats) =>
        (contender.Prepare is null ? Unprepared(contender, repeats) : Prepared(contender, repeats)) / ((double)contender.PageCount * repeats);

    private static double Unprepared(Contender contender, int repeats)
    {
        if (contender.PageCount <= LargestWarmedPageCount)
        {
            // Not counted: the contender before this one left the caches to its own memory.
            contender.Run();
        }

        long excluded = 0;
        long from = ThreadClock.NowNs();
        for (int i = 0; i < repeats; i++)
        {
            contender.Run();
            excluded += contender.ExcludedNs?.Invoke() ?? 0;
        }

        return ThreadClock.NowNs() - from - excluded;
    }

    private static double Prepared(Contender contender, int repeats)
    {
        double total = 0;
        for (int i = 0; i < repeats; i++)
        {
            contender.Prepare!();
            long from = ThreadClock.NowNs();
            contender.Run();
            double ns = ThreadClock.NowNs() - from - ClockNs;
            total += Math.Max(ns - (contender.ExcludedNs?.Invoke() ?? 0), 1);
        }

        return total;
    }

    private static double MeasureClock()
    {
        long[] costs = new long[1001];
        for (int i = 0; i < costs.Length; i++)
        {
            long from = ThreadClock.NowNs();
            costs[i] = ThreadClock.NowNs() - from;
        }

        Array.Sort(costs);
        return costs[costs.Length / 2];
    }
}
