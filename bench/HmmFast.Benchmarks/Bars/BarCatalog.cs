namespace HmmFast.Benchmarks.Bars;

/// <summary>Every group of bars, in the order in which they are measured.</summary>
public static class BarCatalog
{
    private static readonly (string Name, Action<BarSession, string?> Measure)[] Groups =
    [
        ("limits", MemoryLimitBars.Measure),
        ("kernels", KernelBars.Measure),
        ("kernel stops", KernelStopBars.Measure),
        ("engine snapshot", EngineSnapshotBars.Measure),
        ("engine growth", EngineGrowthBars.Measure),
        ("engine widths", EngineWidthBars.Measure),
        ("engine requests", EngineRequestBars.Measure),
        ("engine shapes", EngineShapeBars.Measure),
        ("engine faults", EngineFaultBars.Measure),
        ("engine migration", EngineMigrationBars.Measure),
        ("engine fork", EngineForkBars.Measure),
        ("engine threads", EngineThreadBars.Measure),
        ("engine calls", EngineCallBars.Measure),
        ("engine memory", EngineMemoryBars.Measure),
        ("policies", PolicyBars.Measure),
        ("topology", TopologyBars.Measure),
        ("readers", ReaderBars.Measure),
    ];

    /// <summary>Measures the groups, prints each bar, writes the result files where a folder is given.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="results">Folder for result files, or null.</param>
    /// <param name="baselines">Folder of the C programs, or null.</param>
    /// <param name="filter">Part of a group's name, or null for all.</param>
    /// <param name="gate">False in a smoke run: figures at a small size mean nothing, only that they could be measured; counts that are exact still count.</param>
    /// <returns>Bars not met, as an exit code of 0 or 1.</returns>
    public static int Run(BarSession session, string? results, string? baselines, string? filter, bool gate = true)
    {
        Console.WriteLine($"{MachineNote.Current.Cpu}, {MachineNote.Current.Isa}, {session.Rounds} rounds");
        Console.WriteLine(session.Run.Text);
        string? folder = null;
        foreach ((string name, Action<BarSession, string?> measure) in Groups)
        {
            if (filter is null || name.Contains(filter, StringComparison.OrdinalIgnoreCase))
            {
                session.BeginGroup(name);
                measure(session, baselines);
                if (results is not null)
                {
                    // After every group: what takes minutes is not lost when a later group fails. A run of some groups replaces theirs alone.
                    folder = BarReport.Write(session, results, "bars", keepsOthers: filter is not null);
                }
            }
        }

        Summarize(session, gate ? folder : null);
        if (folder is not null)
        {
            Console.WriteLine($"results in {folder}");
        }

        return session.Bars.Any(bar => bar.IsMissed && (gate || bar.IsExact)) ? 1 : 0;
    }

    private static void Summarize(BarSession session, string? folder)
    {
        BarResult[] missing = [.. session.Bars.Where(static bar => bar.NotMeasured.Length > 0)];
        foreach (IGrouping<string, BarResult> why in missing.GroupBy(static bar => bar.NotMeasured))
        {
            IEnumerable<string> works = why.GroupBy(static bar => bar.Work).Select(static work => $"{work.Key} at {string.Join(", ", work.Select(static bar => $"{bar.PageCount:n0}"))}");
            Console.WriteLine($"not measured, {why.Key}: {string.Join("; ", works)}");
        }

        if (folder is not null)
        {
            BarReasons reasons = BarReasons.Read(folder);
            foreach (BarResult bar in session.Bars.Where(bar => bar.IsMissed && reasons.For(bar) is null))
            {
                Console.WriteLine($"{BarReasons.FileName} lacks: {BarReasons.EmptyRow(bar)}");
            }
        }

        // Exact ones by themselves: they decide a smoke run.
        int exact = session.Bars.Count(static bar => bar.IsExact);
        int broken = session.Bars.Count(static bar => bar.IsExact && bar.IsMissed);
        Console.WriteLine($"exact counts: {exact - broken} as they must be, {broken} broken");
        Console.WriteLine(
            $"bars: {session.Bars.Count(static bar => bar.IsMet)} met, {session.Bars.Count(static bar => bar.IsMissed)} not met, {missing.Length} not measured; {session.Bars.Count(static bar => bar.IsInformation)} for information; {session.Run.After([]).ElapsedSeconds:0} s");
    }
}
