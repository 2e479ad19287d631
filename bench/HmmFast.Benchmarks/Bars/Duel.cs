using System.Diagnostics;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Times contenders in turn, round after round in one process, so that a drift of the machine's speed meets all of them alike;
/// in time of the thread, so that what else runs on the machine counts only by the memory and cache it takes.</summary>
public static class Duel
{
    // A sample shorter than this is repeated until it is this long: the clock's own cost stays far below one part in a thousand.
    private const double ShortestSampleNs = 1_000_000;

    // Up to this size something of the work may stay in cache from one run to the next, and is meant to.
    private const ulong LargestWarmedPageCount = 1 << 22;

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
            Array.Sort(samples[i]);
            timings[i] = new Timing(contenders[i].Name, contenders[i].PageCount, Median(samples[i]), samples[i][0], samples[i][^1], rounds);
        }

        return timings;
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

        return contender.Prepare is null ? (int)Math.Clamp(ShortestSampleNs / Math.Max(nsPerRun, 1), 1, 10_000) : 1;
    }

    private static double Sample(Contender contender, int repeats)
    {
        contender.Prepare?.Invoke();
        if (contender.Prepare is null && contender.PageCount <= LargestWarmedPageCount)
        {
            // Not counted: the contender before this one left the caches to its own memory.
            contender.Run();
        }

        double from = NowNs(contender);
        for (int i = 0; i < repeats; i++)
        {
            contender.Run();
        }

        return (NowNs(contender) - from) / ((double)contender.PageCount * repeats);
    }

    private static double NowNs(Contender contender) => contender.IsThreaded
        ? Stopwatch.GetElapsedTime(0).TotalNanoseconds
        : ThreadClock.NowNs();
}
