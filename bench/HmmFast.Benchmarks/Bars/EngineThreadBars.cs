namespace HmmFast.Benchmarks.Bars;

/// <summary>Two threads that resolve in one address space, each its own range under its own notifier, in cache.</summary>
public static class EngineThreadBars
{
    private const ulong RangePages = 1 << 13;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        if (Environment.ProcessorCount < 2)
        {
            return;
        }

        using var world = new EngineWorld(RangePages * 2);
        world.Mix();
        int calls = session.Rounds > 1 ? 4_000 : 10;
        double[] ratios = new double[session.Rounds];
        double[] one = new double[session.Rounds];
        double[] two = new double[session.Rounds];
        Run(world, 2, calls);
        for (int round = 0; round < session.Rounds; round++)
        {
            one[round] = Run(world, 1, calls);
            two[round] = Run(world, 2, calls);
            ratios[round] = 2 * one[round] / two[round];
        }

        Array.Sort(one);
        Array.Sort(two);
        Array.Sort(ratios);
        session.Add(new Timing("threads: engine, snapshot, one thread", RangePages, one[one.Length / 2], one[0], one[^1], session.Rounds));
        session.Add(new Timing("threads: engine, snapshot, each of two threads", RangePages, two[two.Length / 2], two[0], two[^1], session.Rounds));
        session.Add(new BarResult("resolve by two threads, each its own range", RangePages, "x one thread", ratios[ratios.Length / 2], 1.8,
            Note: "(by the time that each thread ran, the slower one's: what they cost each other)"));
    }

    /// <summary>Nanoseconds a page that the slowest thread ran.</summary>
    private static double Run(EngineWorld world, int threadCount, int calls)
    {
        var elapsedNs = new double[threadCount];
        using var start = new Barrier(threadCount);
        var threads = new Thread[threadCount];
        for (int i = 0; i < threadCount; i++)
        {
            int index = i;
            threads[i] = new Thread(() => elapsedNs[index] = Resolve(world, index, calls, start));
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return elapsedNs.Max() / calls / RangePages;
    }

    private static double Resolve(EngineWorld world, int index, int calls, Barrier start)
    {
        VpnRange range = EngineWorld.Pages((ulong)index * RangePages, RangePages);
        IMmuIntervalNotifier notifier;
        lock (world)
        {
            notifier = world.Space.InsertNotifier(range, null);
        }

        var words = world.Words.Slice(index * (int)RangePages, (int)RangePages);
        var request = new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), Owner = EngineWorld.Near };
        start.SignalAndWait();
        long from = ThreadClock.NowNs();
        for (int i = 0; i < calls; i++)
        {
            EngineWorld.Must(world.Space.RangeFault(request, words), "snapshot");
        }

        long ns = ThreadClock.NowNs() - from;
        start.SignalAndWait();
        lock (world)
        {
            notifier.Dispose();
        }

        return ns;
    }
}
