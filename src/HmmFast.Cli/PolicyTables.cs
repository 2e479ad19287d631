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
        "localPages", "privatePages", "aliasBusPages", "aliasHostBridgePages", "systemPages", "holePages", "failedPages", "unusablePfns",
        "migratedPages", "collateralPages", "ownPulledBackPages", "pingPongPages", "evictedPages",
    ];

    private static readonly string[] CostColumns =
    [
        "rangeFaultCalls", "secondCalls", "busyRetries", "failedRequests", "checksPerPage", "checksPerRun", "dmaMapFailures", "dmaP2pLookups", "tlbInvalidations",
        "revokedPages", "ownerChanges", "pairsLostToCliques",
    ];

    private static readonly string[] TimeColumns = ["structPageBytes", "setupTimeNs", "useTimeNs", "totalTimeNs"];

    public static void Print(CommandIo io, PolicyComparisonReport report, bool pairs, bool costs)
    {
        PolicyScenario scenario = report.Scenario;
        io.Output.WriteLine(Invariant($"{scenario.Name}: {scenario.Description}"));
        io.Output.WriteLine(Invariant(
            $"{ByteSize.Format(report.PageCount * PageOrder.PageSizeBytes)} of {report.MemoryName}, {scenario.Rounds} x [{string.Join(", ", scenario.Steps.Select(step => Describe(scenario, step)))}], {ByteSize.Format((ulong)scenario.ChunkPageCount * PageOrder.PageSizeBytes)} a request"));
        if (report.IsCompacted)
        {
            io.Output.WriteLine("unused address spans of 512 GiB are closed up: addresses count without them");
        }

        PrintTable(io, "where the pages went", report, WhereColumns, breakEven: false);
        PrintTable(io, "calls and checks", report, CostColumns, breakEven: false);
        PrintTable(io, "memory and time", report, TimeColumns, breakEven: true);
        io.Output.WriteLine("= as owner-only; numbers are pages or calls, k and M thousands and millions; times under the cost model (--costs), a use reads all of it once");
        if (pairs)
        {
            PrintPairs(io, report);
        }

        if (costs)
        {
            PrintCosts(io, scenario.Costs);
        }

        foreach (PageTrace trace in report.Traces)
        {
            io.Output.WriteLine();
            io.Output.WriteLine($"{trace.Policy}:");
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

        bool severalHabits = report.Results.Any(result => result.Habit != report.Results[0].Habit);
        foreach (PolicyResult result in report.Results)
        {
            PolicyResult? mainline = report.Results.FirstOrDefault(other => other.Policy.Name == "owner-only" && other.Habit == report.Results[0].Habit);
            string habit = severalHabits ? result.Habit == FaultHabit.RunForward ? " (run)" : " (asked)" : "";
            List<Text> cells = [new Text($"{PolicyCatalog.NumberOf(result.Policy),-4}{result.Policy.Name}{habit}")];
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

    private static void PrintPairs(CommandIo io, PolicyComparisonReport report)
    {
        foreach (PolicyResult result in report.Results)
        {
            Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(result.Policy.Name) };
            foreach (string header in (string[])["client", "page was on", "pages", "local", "private", "exporter", "bus", "bridge", "system", "failed", "unusable", "collateral"])
            {
                TableColumn column = new TableColumn(header).NoWrap();
                table.AddColumn(header is "client" or "page was on" ? column : column.RightAligned());
            }

            foreach (PairCounts pair in result.Pairs.Where(pair => pair.Total != 0))
            {
                table.AddRow(
                    report.Scenario.Devices[pair.Client].Name,
                    pair.Provider < 0 ? "system" : report.Scenario.Devices[pair.Provider].Name,
                    Count(pair.Total),
                    Count(pair[PageOutcome.Local]),
                    Count(pair[PageOutcome.PrivateLink]),
                    Count(pair[PageOutcome.PrivateExporterMapped]),
                    Count(pair[PageOutcome.AliasBus]),
                    Count(pair[PageOutcome.AliasHostBridge]),
                    Count(pair[PageOutcome.System] + pair[PageOutcome.SystemWholeRange]),
                    Count(pair[PageOutcome.Failed]),
                    Count(pair[PageOutcome.Unusable]),
                    Count(pair.CollateralPages));
            }

            io.Tables.Write(table);
        }
    }

    private static void PrintCosts(CommandIo io, CostModel costs)
    {
        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle("cost model") };
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

    private static string Describe(PolicyScenario scenario, ScenarioStep step) => step.Kind switch
    {
        ScenarioStepKind.Fault => $"{string.Join("+", step.Devices.Select(device => scenario.Devices[device].Name))} {(step.Writes ? "writes" : "reads")}{Part(step)}",
        ScenarioStepKind.LinkDown => "link down",
        ScenarioStepKind.LinkUp => "link up",
        ScenarioStepKind.Restore => "devices take back",
        _ => $"{step.Kind.ToString().ToLowerInvariant()} {string.Join("+", step.Devices.Select(device => scenario.Devices[device].Name))}".TrimEnd(),
    };

    private static string Part(ScenarioStep step) => step.From == 0 && step.To == 1 ? "" : Invariant($" {step.From * 100:0}-{step.To * 100:0} %");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
