namespace HmmFast.Benchmarks.Bars;

/// <summary>Collects the timings and bars of one run of the harness.</summary>
public sealed class BarSession
{
    private readonly List<Timing> _timings = [];
    private readonly List<BarResult> _bars = [];
    private readonly List<string> _groups = [];
    private string _group = "";

    /// <param name="rounds">Rounds per contender.</param>
    /// <param name="largestPageCount">Sizes past this are left out (a smoke run, or a machine with less memory).</param>
    public BarSession(int rounds, ulong largestPageCount)
    {
        Rounds = rounds;
        LargestPageCount = largestPageCount;
        Run = RunNote.Begin(rounds, largestPageCount);
    }

    /// <summary>Rounds per contender.</summary>
    public int Rounds { get; }

    /// <summary>Sizes past this are left out.</summary>
    public ulong LargestPageCount { get; }

    /// <summary>True when only what still runs is asked, not how fast.</summary>
    public bool IsSmoke => Rounds == 1;

    /// <summary>When, where and of what was measured, as known when the run began.</summary>
    public RunNote Run { get; }

    /// <summary>All timings so far.</summary>
    public IReadOnlyList<Timing> Timings => _timings;

    /// <summary>All bars so far.</summary>
    public IReadOnlyList<BarResult> Bars => _bars;

    /// <summary>Groups measured so far.</summary>
    public IReadOnlyList<string> Groups => _groups;

    /// <summary>What follows belongs to this group.</summary>
    public void BeginGroup(string name)
    {
        _group = name;
        _groups.Add(name);
    }

    /// <summary>Times contenders in turn and keeps the result under <paramref name="title"/>.</summary>
    public IReadOnlyList<Timing> Measure(string title, IReadOnlyList<Contender> contenders, int rounds = 0)
    {
        IReadOnlyList<Timing> timings = Duel.Measure(contenders, rounds == 0 ? Rounds : rounds);
        foreach (Timing timing in timings)
        {
            Add(timing with { Name = $"{title}: {timing.Name}" });
        }

        return timings;
    }

    /// <summary>Keeps a timing that another program measured (the C walk, the running kernel).</summary>
    public void Add(Timing timing) => _timings.Add(timing with { Group = _group });

    /// <summary>Keeps and prints a bar.</summary>
    public void Add(BarResult bar)
    {
        BarResult kept = bar with { Group = _group, Isa = bar.Isa.Length == 0 ? MachineNote.Current.Isa : bar.Isa };
        _bars.Add(kept);
        if (kept.NotMeasured.Length > 0)
        {
            // Counted and listed at the end.
            return;
        }

        string state = kept.IsInformation ? "-      " : kept.IsMet ? "met    " : "NOT MET";
        string asked = kept.IsInformation ? "" : $"({(kept.MustStayBelow ? "at most" : "at least")} {kept.Bar:0.##}) ";
        string spread = kept.Highest > 0 ? $"[{kept.Lowest:0.00} to {kept.Highest:0.00}] " : "";
        Console.WriteLine($"{state} {kept.Work}, {kept.PageCount:n0} pages: {kept.Measure} {kept.Value:0.00} {spread}{asked}{kept.Note}");
    }

    /// <summary>Keeps the ratio of two timings as a bar, with its spread over the rounds.</summary>
    /// <param name="work">What is done.</param>
    /// <param name="pageCount">At what size.</param>
    /// <param name="measure">The ratio in words.</param>
    /// <param name="engine">What is judged.</param>
    /// <param name="limit">What it is judged by.</param>
    /// <param name="bar">What must be reached; null for a figure that nothing is asked of.</param>
    /// <param name="note">What to know when reading it.</param>
    public void Ratio(string work, ulong pageCount, string measure, Timing engine, Timing limit, double? bar, string note = "")
    {
        (double lowest, double highest) = engine.SpreadOver(limit);
        Add(new BarResult(work, pageCount, measure, engine.SpeedOver(limit), bar ?? 0, Note: note)
        {
            Lowest = lowest,
            Highest = highest,
            IsInformation = bar is null,
        });
    }

    /// <summary>Keeps that there is no figure, and why: what is missing must not look like what is met.</summary>
    public void NotMeasured(string work, ulong pageCount, string measure, string why) =>
        Add(new BarResult(work, pageCount, measure, 0, 0) { NotMeasured = why });

    /// <summary>Sizes of the list that this session measures; the others are kept as not measured.</summary>
    public IReadOnlyList<ulong> Sizes(params ulong[] pageCounts)
    {
        foreach (ulong count in pageCounts.Where(count => count > LargestPageCount))
        {
            LeaveOut(count);
        }

        return [.. pageCounts.Where(count => count <= LargestPageCount)];
    }

    /// <summary>The largest size of the list that this session measures; where that is not the last of the list, that one is kept as not measured.</summary>
    public ulong Largest(params ulong[] pageCounts)
    {
        if (pageCounts[^1] > LargestPageCount)
        {
            LeaveOut(pageCounts[^1]);
        }

        return pageCounts.Last(count => count <= LargestPageCount);
    }

    private void LeaveOut(ulong pageCount)
    {
        string work = $"all of {_group}";
        if (!_bars.Any(bar => bar.Work == work && bar.PageCount == pageCount))
        {
            NotMeasured(work, pageCount, "", $"the largest size of this run is {LargestPageCount:n0} pages");
        }
    }
}
