namespace HmmFast.Benchmarks.Bars;

/// <summary>Every group of bars, in the order in which they are measured.</summary>
public static class BarCatalog
{
    private static readonly (string Name, Action<BarSession, string?> Measure)[] Groups =
    [
        ("limits", MemoryLimitBars.Measure),
        ("kernels", KernelBars.Measure),
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
        ("sparse memory", SparseMemoryBars.Measure),
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
        string? folder = null;
        foreach ((string name, Action<BarSession, string?> measure) in Groups)
        {
            if (filter is null || name.Contains(filter, StringComparison.OrdinalIgnoreCase))
            {
                measure(session, baselines);
                if (results is not null)
                {
                    // After every group: what takes minutes is not lost when a later group fails. A run of some groups replaces theirs alone.
                    folder = BarReport.Write(session, results, "bars", keepsOthers: filter is not null);
                }
            }
        }

        int missed = session.Bars.Count(bar => !bar.IsMet);
        Console.WriteLine($"bars: {session.Bars.Count - missed} met, {missed} not met");
        if (folder is not null)
        {
            Console.WriteLine($"results in {folder}");
        }

        return session.Bars.Any(bar => !bar.IsMet && (gate || bar.IsExact)) ? 1 : 0;
    }
}
