using System.Globalization;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Costs;
using HmmFast.Simulation.Scenarios;
using Spectre.Console;

namespace HmmFast.Cli;

/// <summary>Prints a comparison of policies for people. What is as under owner-only is printed as =, so that what differs stands out.</summary>
internal static class PolicyTables
{
    private const string Same = "=";

    private static readonly string[] WhereColumns =
    [
        "localPages", "privatePages", "aliasBusPages", "aliasHostBridgePages", "systemPages", "coherentPages", "holePages", "failedPages", "unusablePfns",
        "migratedPages", "collateralPages", "ownPulledBackPages", "pingPongPages", "evictedPages",
    ];

    private static readonly string[] CostColumns =
    [
        "rangeFaultCalls", "secondCalls", "busyRetries", "failedRequests", "checksPerPage", "checksPerRun", "dmaMapFailures", "dmaP2pLookups", "tlbInvalidations",
        "revokedPages", "ownerChanges", "pairsLostToCliques", "outOfMemoryRequests", "failedChanges", "missingFrames", "fullDeviceMoves",
    ];

    private static readonly string[] TimeColumns = ["structPageBytes", "setupTimeNs", "useTimeNs", "totalTimeNs"];

    public static void Print(CommandIo io, PolicyComparisonReport report, bool pairs, bool costs)
    {
        PolicyScenario scenario = report.Scenario;
        io.Output.WriteLine(Invariant($"{scenario.Name}: {scenario.Description}"));
        io.Output.WriteLine(Invariant(
            $"{ByteSize.Format(report.PageCount * PageOrder.PageSizeBytes)} of {report.MemoryName}, {scenario.Rounds} x [{string.Join(", ", scenario.Steps.Select(step => step.Describe(scenario)))}], {ByteSize.Format((ulong)scenario.ChunkPageCount * PageOrder.PageSizeBytes)} a request"));
        if (report.IsCompacted)
        {
            io.Output.WriteLine("unused address spans of 512 GiB are closed up: addresses count without them");
        }

        PrintTable(io, "where the pages went", report, WhereColumns, breakEven: false);
        PrintTable(io, "calls and checks", report, CostColumns, breakEven: false);
        PrintTable(io, "memory and time", report, TimeColumns, breakEven: true);
        io.Output.WriteLine("= as owner-only; numbers are pages or calls, k and M thousands and millions; times under the cost model (--costs), a use reads all of it once");
        foreach (string shortfall in Shortfalls(report))
        {
            io.Output.WriteLine(shortfall);
        }

        if (pairs)
        {
            PrintPairs(io, report);
        }

        if (costs)
        {
            PrintCosts(io, scenario.Costs);
        }

        for (int i = 0; i < report.Traces.Count; i++)
        {
            PageTrace trace = report.Traces[i];
            io.Output.WriteLine();
            io.Output.WriteLine($"{Name(report, report.Results[i])}:");
            foreach (string line in trace.Lines)
            {
                io.Output.WriteLine("  " + line);
            }
        }

        if (report.IsVerified)
        {
            io.Output.WriteLine(report.Differences.Count == 0
                ? Invariant($"verify: equal. The reference gave the same metrics and final state under {report.Results.Count} policies.")
                : "verify: DIFFERENT.");
            foreach (string difference in report.Differences)
            {
                io.Output.WriteLine("  " + difference);
            }
        }
    }

    private static void PrintTable(CommandIo io, string title, PolicyComparisonReport report, string[] names, bool breakEven)
    {
        List<MetricDescription> shown = [];
        List<string> equal = [];
        foreach (string name in names)
        {
            MetricDescription metric = PolicyMetrics.Find(name);
            double first = metric.Value(report.Results[0]);
            if (report.Results.Count > 1 && report.Results.All(result => metric.Value(result) == first))
            {
                equal.Add($"{metric.Header} {Format(metric, first)}");
            }
            else
            {
                shown.Add(metric);
            }
        }

        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(title) };
        table.AddColumn(new TableColumn("policy").NoWrap().PadLeft(0).PadRight(0));
        foreach (MetricDescription metric in shown)
        {
            table.AddColumn(new TableColumn(metric.Header).RightAligned().NoWrap().PadLeft(1).PadRight(0));
        }

        if (breakEven)
        {
            table.AddColumn(new TableColumn("migrating pays").RightAligned().NoWrap().PadLeft(1).PadRight(0));
        }

        foreach (PolicyResult result in report.Results)
        {
            PolicyResult? mainline = report.Results.FirstOrDefault(other => other.Policy.Name == "owner-only" && other.Habit == report.Results[0].Habit);
            List<Text> cells = [new Text($"{PolicyCatalog.NumberOf(result.Policy),-4}{Name(report, result)}")];
            foreach (MetricDescription metric in shown)
            {
                double value = metric.Value(result);
                bool isSame = mainline is not null && !ReferenceEquals(mainline, result) && metric.Value(mainline) == value;
                cells.Add(isSame ? new Text(Same, new Style(decoration: Decoration.Dim)) : new Text(Format(metric, value), mainline is null || ReferenceEquals(mainline, result) ? Style.Plain : new Style(decoration: Decoration.Bold)));
            }

            if (breakEven)
            {
                cells.Add(new Text(BreakEvenText(result.BreakEven)));
            }

            table.AddRow(cells);
        }

        io.Tables.Write(table);
        if (equal.Count != 0)
        {
            io.Output.WriteLine($"the same everywhere: {string.Join(", ", equal)}");
        }
    }

    /// <summary>What could not be carried through, a sentence for each step and all the policies under which it happened alike.</summary>
    public static IReadOnlyList<string> Shortfalls(PolicyComparisonReport report)
    {
        List<(string Text, List<string> Policies)> told = [];
        foreach (PolicyResult result in report.Results)
        {
            foreach (StepShortfall shortfall in result.Shortfalls)
            {
                string text = shortfall.Describe(report.Scenario);
                List<string>? known = told.Find(other => other.Text == text).Policies;
                if (known is null)
                {
                    told.Add((text, [Name(report, result)]));
                }
                else
                {
                    known.Add(Name(report, result));
                }
            }
        }

        return [.. told.Select(item => $"{item.Text} (under {string.Join(", ", item.Policies)})")];
    }

    private static void PrintPairs(CommandIo io, PolicyComparisonReport report)
    {
        foreach (PolicyResult result in report.Results)
        {
            PrintPairTable(
                io,
                report,
                result,
                ("pages", pair => Count(pair.Total)),
                ("local", pair => Count(pair[PageOutcome.Local])),
                ("private", pair => Count(pair[PageOutcome.PrivateLink])),
                ("exporter", pair => Count(pair[PageOutcome.PrivateExporterMapped])),
                ("bus", pair => Count(pair[PageOutcome.AliasBus])),
                ("bridge", pair => Count(pair[PageOutcome.AliasHostBridge])),
                ("system", pair => Count(pair[PageOutcome.System] + pair[PageOutcome.SystemWholeRange] - pair.CoherentPages)),
                ("coherent", pair => Count(pair.CoherentPages)),
                ("failed", pair => Count(pair[PageOutcome.Failed])),
                ("unusable", pair => Count(pair[PageOutcome.Unusable])));
            PrintPairTable(
                io,
                report,
                result,
                ("to RAM", pair => Count(pair.MigratedPages)),
                ("pingpong", pair => Count(pair.PingPongPages)),
                ("collateral", pair => Count(pair.CollateralPages)),
                ("calls", pair => Count(pair.Calls)),
                ("EBUSY", pair => Count(pair.BusyCalls)),
                ("checks/4K", pair => Count(pair.ChecksPerPage)),
                ("checks/run", pair => Count(pair.ChecksPerRun)),
                ("map fail", pair => Count(pair.MapFailures)),
                ("a use", pair => Time(pair.UseTimeNs)));
        }
    }

    private static void PrintPairTable(CommandIo io, PolicyComparisonReport report, PolicyResult result, params (string Header, Func<PairCounts, string> Cell)[] columns)
    {
        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(Name(report, result)) };
        table.AddColumn(new TableColumn("client").NoWrap());
        table.AddColumn(new TableColumn("page was on").NoWrap());
        foreach ((string header, _) in columns)
        {
            table.AddColumn(new TableColumn(header).NoWrap().RightAligned());
        }

        foreach (PairCounts pair in result.Pairs.Where(pair => pair.Total != 0))
        {
            string provider = pair.Provider < 0 ? "system" : report.Scenario.Devices[pair.Provider].Name;
            table.AddRow([report.Scenario.Devices[pair.Client].Name, provider, .. columns.Select(column => column.Cell(pair))]);
        }

        io.Tables.Write(table);
    }

    private static string Name(PolicyComparisonReport report, PolicyResult result)
    {
        bool severalHabits = report.Results.Any(other => other.Habit != report.Results[0].Habit);
        string habit = !severalHabits ? "" : result.Habit == FaultHabit.RunForward ? " (run)" : " (asked)";
        return result.Policy.Name + habit;
    }

    private static void PrintCosts(CommandIo io, CostModel costs)
    {
        string paid = costs.ChecksPaid == CheckCharge.PerRun ? "run of pages of one pagemap" : "page";
        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle($"cost model; a check is charged once a {paid}") };
        table.AddColumn(new TableColumn("figure").NoWrap());
        table.AddColumn(new TableColumn("value").RightAligned().NoWrap());
        table.AddColumn("source");
        foreach (CostFigure figure in costs.Figures)
        {
            table.AddRow(new Text(figure.Name), new Text(Invariant($"{figure.Value:G6} {figure.Unit}")), new Text(figure.Source));
        }

        io.Tables.Write(table);
    }

    private static string BreakEvenText(BreakEven? breakEven) => breakEven switch
    {
        null => "",
        { Uses: null, Meaning: "as owner-only" } => Same,
        { Uses: null, Meaning: BreakEven.NotServed } => "(pages not served)",
        { Uses: null } => "never",
        { Uses: 0 } => "at once",
        { Uses: { } uses } when breakEven.Meaning.StartsWith("this", StringComparison.Ordinal) => Invariant($"up to {uses:0.#} uses"),
        { Uses: { } uses } => Invariant($"after {uses:0.#} uses"),
    };

    private static string Format(MetricDescription metric, double value) => metric.Unit switch
    {
        "ns" => Time(value),
        "B" => value == 0 ? "0" : ByteSize.Format((ulong)value).Replace(" ", "", StringComparison.Ordinal),
        _ => Count(value),
    };

    private static string Count(double value) => value switch
    {
        < 10_000 => value.ToString("0", CultureInfo.InvariantCulture),
        < 1_000_000 => Invariant($"{value / 1e3:0.0}k"),
        < 1e9 => Invariant($"{value / 1e6:0.00}M"),
        _ => Invariant($"{value / 1e9:0.00}G"),
    };

    private static string Time(double ns) => ns switch
    {
        < 1e3 => Invariant($"{ns:0}ns"),
        < 1e6 => Invariant($"{ns / 1e3:0.0}us"),
        < 1e9 => Invariant($"{ns / 1e6:0.0}ms"),
        _ => Invariant($"{ns / 1e9:0.00}s"),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
