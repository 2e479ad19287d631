using System.Diagnostics;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Two threads that resolve in one address space, each its own range under its own notifier, in cache.</summary>
/// <remarks>
/// In elapsed time between two barriers, so that waiting for one another counts. A loop without logic over as many bytes runs on one and two threads in the same
/// rounds: what two of this machine's processors give at all. Other processes can only make it worse, so there are many short rounds and the best of their medians counts.
/// </remarks>
public static class EngineThreadBars
{
    private const ulong RangePages = 1 << 13;

    // A round of some 2 ms: shorter than a time slice, and long beside what passing a barrier takes.
    private const int CallsARound = 2_000;
    private const int ShortRounds = 25;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        if (Environment.ProcessorCount < 2)
        {
            session.NotMeasured("resolve by two threads, each its own range", RangePages, "x one thread, elapsed time", "there is one processor");
            return;
        }

        using var world = new EngineWorld(RangePages * 2);
        world.Mix();
        using var limits = new MemoryLimits(RangePages * 2);
        int calls = session.IsSmoke ? 10 : CallsARound;
        int shortRounds = session.IsSmoke ? 1 : ShortRounds;
        using var team = new ThreadTeam(2);
        using IMmuIntervalNotifier first = world.Space.InsertNotifier(EngineWorld.Pages(0, RangePages), null);
        using IMmuIntervalNotifier second = world.Space.InsertNotifier(EngineWorld.Pages(RangePages, RangePages), null);
        void Engine(int index) => Resolve(world, index == 0 ? first : second, index, calls);
        void Stream(int index)
        {
            for (int i = 0; i < calls; i++)
            {
                limits.StreamPart((ulong)index * RangePages, RangePages);
            }
        }

        _ = team.Run(2, Engine);
        _ = team.Run(2, Stream);
        var engine = new Rates(session.Rounds);
        var stream = new Rates(session.Rounds);
        for (int round = 0; round < session.Rounds; round++)
        {
            engine.Begin();
            stream.Begin();
            for (int i = 0; i < shortRounds; i++)
            {
                engine.Add(team.Run(1, Engine), team.Run(2, Engine));
                stream.Add(team.Run(1, Stream), team.Run(2, Stream));
            }

            engine.End(round);
            stream.End(round);
        }

        double pages = (double)calls * RangePages;
        Keep(session, "engine, snapshot", engine, pages);
        Keep(session, "stream, 5 in 8 out", stream, pages);
        session.Add(new BarResult("resolve by two threads, each its own range", RangePages, "x one thread, elapsed time", engine.Elapsed.Max(), 1.8,
            Note: FormattableString.Invariant($"(in the time that the threads ran {engine.Ran.Max():0.00} x; the loop without logic: {stream.Elapsed.Max():0.00} x elapsed, {stream.Ran.Max():0.00} x)"))
        {
            Lowest = engine.Elapsed.Min(),
            Highest = engine.Elapsed.Max(),
        });
        session.Add(new BarResult("resolve by two threads, each its own range", RangePages, "of what the loop without logic gains", engine.Elapsed.Max() / stream.Elapsed.Max(), 0)
        {
            IsInformation = true,
        });
    }

    private static void Keep(BarSession session, string name, Rates rates, double pages)
    {
        session.Add(Duel.Of($"threads: {name}, one thread", RangePages, [.. rates.OneNs.Select(ns => ns / pages)]));
        session.Add(Duel.Of($"threads: {name}, each of two threads", RangePages, [.. rates.TwoNs.Select(ns => ns / pages)]));
    }

    private static void Resolve(EngineWorld world, IMmuIntervalNotifier notifier, int index, int calls)
    {
        Span<HmmPfn> words = world.Words.Slice(index * (int)RangePages, (int)RangePages);
        var request = new HmmRange { Range = notifier.Range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), Owner = EngineWorld.Near, IgnoresWords = true };
        for (int i = 0; i < calls; i++)
        {
            EngineWorld.Must(world.Space.RangeFault(request, words), "snapshot");
        }
    }

    /// <summary>How much more two threads do than one, a median of short rounds for each round.</summary>
    private sealed class Rates(int rounds)
    {
        private readonly List<(long ElapsedNs, long RanNs)> _one = [];
        private readonly List<(long ElapsedNs, long RanNs)> _two = [];

        public double[] Elapsed { get; } = new double[rounds];

        public double[] Ran { get; } = new double[rounds];

        public double[] OneNs { get; } = new double[rounds];

        public double[] TwoNs { get; } = new double[rounds];

        public void Begin()
        {
            _one.Clear();
            _two.Clear();
        }

        public void Add((long ElapsedNs, long RanNs) one, (long ElapsedNs, long RanNs) two)
        {
            _one.Add(one);
            _two.Add(two);
        }

        public void End(int round)
        {
            OneNs[round] = Median(_one.Select(static run => run.ElapsedNs));
            TwoNs[round] = Median(_two.Select(static run => run.ElapsedNs));
            Elapsed[round] = 2 * OneNs[round] / TwoNs[round];
            Ran[round] = 2.0 * Median(_one.Select(static run => run.RanNs)) / Median(_two.Select(static run => run.RanNs));
        }

        private static long Median(IEnumerable<long> values)
        {
            long[] sorted = [.. values.Order()];
            return sorted[sorted.Length / 2];
        }
    }

    /// <summary>Threads that are there all the time and begin a piece of work together.</summary>
    private sealed class ThreadTeam : IDisposable
    {
        private readonly Thread[] _threads;
        private readonly Barrier _start;
        private readonly long[] _fromTicks;
        private readonly long[] _toTicks;
        private readonly long[] _ranNs;
        private Action<int>? _work;
        private Exception? _failure;
        private int _count;

        public ThreadTeam(int size)
        {
            // The caller takes part in the barrier only to start and to await the others.
            _start = new Barrier(size + 1);
            _fromTicks = new long[size];
            _toTicks = new long[size];
            _ranNs = new long[size];
            _threads = [.. Enumerable.Range(0, size).Select(index => new Thread(() => Live(index)) { IsBackground = true })];
            foreach (Thread thread in _threads)
            {
                thread.Start();
            }
        }

        /// <summary>Runs work on so many threads; from the first one's start to the last one's end, and the longest time that one ran.</summary>
        public (long ElapsedNs, long RanNs) Run(int count, Action<int> work)
        {
            (_work, _count) = (work, count);
            _start.SignalAndWait();
            _start.SignalAndWait();
            if (_failure is not null)
            {
                throw new InvalidOperationException("A thread failed.", _failure);
            }

            long elapsed = _toTicks.Take(count).Max() - _fromTicks.Take(count).Min();
            return ((long)(elapsed * (1e9 / Stopwatch.Frequency)), _ranNs.Take(count).Max());
        }

        public void Dispose()
        {
            _work = null;
            _start.SignalAndWait();
            foreach (Thread thread in _threads)
            {
                thread.Join();
            }

            _start.Dispose();
        }

        private void Live(int index)
        {
            while (true)
            {
                _start.SignalAndWait();
                if (_work is null)
                {
                    return;
                }

                if (index < _count)
                {
                    One(index);
                }

                _start.SignalAndWait();
            }
        }

        private void One(int index)
        {
            try
            {
                long ran = ThreadClock.NowNs();
                _fromTicks[index] = Stopwatch.GetTimestamp();
                _work!(index);
                _toTicks[index] = Stopwatch.GetTimestamp();
                _ranNs[index] = ThreadClock.NowNs() - ran;
            }
            catch (Exception failure) when (failure is InvalidOperationException or ArgumentException)
            {
                _failure = failure;
            }
        }
    }
}
