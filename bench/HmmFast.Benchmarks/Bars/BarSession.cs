namespace HmmFast.Benchmarks.Bars;

/// <summary>Collects the timings and bars of one run of the harness.</summary>
public sealed class BarSession(int rounds, ulong largestPageCount)
{
    private readonly List<Timing> _timings = [];
    private readonly List<BarResult> _bars = [];

    /// <summary>Rounds per contender.</summary>
    public int Rounds { get; } = rounds;

    /// <summary>Sizes past this are left out (a smoke run, or a machine with less memory).</summary>
    public ulong LargestPageCount { get; } = largestPageCount;

    /// <summary>All timings so far.</summary>
    public IReadOnlyList<Timing> Timings => _timings;

    /// <summary>All bars so far.</summary>
    public IReadOnlyList<BarResult> Bars => _bars;

    /// <summary>Times contenders in turn and keeps the result under <paramref name="group"/>.</summary>
    public IReadOnlyList<Timing> Measure(string group, IReadOnlyList<Contender> contenders)
    {
        IReadOnlyList<Timing> timings = Duel.Measure(contenders, Rounds);
        foreach (Timing timing in timings)
        {
            _timings.Add(timing with { Name = $"{group}: {timing.Name}" });
        }

        return timings;
    }

    /// <summary>Keeps a timing that another program measured (the C walk, the running kernel).</summary>
    public void Add(Timing timing) => _timings.Add(timing);

    /// <summary>Keeps and prints a bar.</summary>
    public void Add(BarResult bar)
    {
        _bars.Add(bar);
        string relation = bar.MustStayBelow ? "at most" : "at least";
        Console.WriteLine(
            $"{(bar.IsMet ? "met    " : "NOT MET")} {bar.Work}, {bar.PageCount:n0} pages: {bar.Measure} {bar.Value:0.00} ({relation} {bar.Bar:0.##}) {bar.Note}");
    }

    /// <summary>Sizes of the list that this session measures.</summary>
    public IEnumerable<ulong> Sizes(params ulong[] pageCounts) => pageCounts.Where(count => count <= LargestPageCount);
}
