using System.Text.Json.Nodes;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Costs;

namespace HmmFast.Cli;

/// <summary>Prints a comparison of policies as JSON: <c>policies</c> holds an object a policy, every metric by its stable name.</summary>
internal static class PolicyJson
{
    public static void Write(CommandIo io, PolicyComparisonReport report, bool pairs)
    {
        JsonObject units = [];
        foreach (MetricDescription metric in PolicyMetrics.All)
        {
            units.Add(metric.Name, metric.Unit);
        }

        units.Add("breakEvenUses", "uses");
        JsonArray policies = [];
        for (int i = 0; i < report.Results.Count; i++)
        {
            policies.Add(Policy(report, report.Results[i], i < report.Traces.Count ? report.Traces[i] : null, pairs));
        }

        JsonObject costs = [];
        foreach (CostFigure figure in report.Scenario.Costs.Figures)
        {
            costs.Add(figure.Name, new JsonObject { ["value"] = figure.Value, ["unit"] = figure.Unit, ["source"] = figure.Source });
        }

        JsonOutput.Write(io, new JsonObject
        {
            ["scenario"] = report.Scenario.Name,
            ["description"] = report.Scenario.Description,
            ["memory"] = report.MemoryName,
            ["pages"] = report.PageCount,
            ["rounds"] = report.Scenario.Rounds,
            ["uses"] = report.Scenario.Uses,
            ["units"] = units,
            ["policies"] = policies,
            ["costs"] = costs,
            ["checksPaid"] = report.Scenario.Costs.ChecksPaid == CheckCharge.PerRun ? "perRun" : "perPage",
            ["verified"] = report.IsVerified,
            ["differences"] = new JsonArray([.. report.Differences.Select(difference => JsonValue.Create(difference))]),
        });
    }

    private static JsonObject Policy(PolicyComparisonReport report, PolicyResult result, PageTrace? trace, bool pairs)
    {
        JsonObject policy = new()
        {
            ["policy"] = result.Policy.Name,
            ["number"] = PolicyCatalog.NumberOf(result.Policy),
            ["habit"] = result.Habit == FaultHabit.RunForward ? "runForward" : "onlyAsked",
        };
        foreach (MetricDescription metric in PolicyMetrics.All)
        {
            double value = metric.Value(result);
            policy.Add(metric.Name, metric.Unit == "ns" ? JsonValue.Create(Math.Round(value)) : JsonValue.Create((ulong)value));
        }

        if (result.BreakEven is { } breakEven)
        {
            policy.Add("breakEvenUses", breakEven.Uses is { } uses ? JsonValue.Create(Math.Round(uses, 2)) : null);
            policy.Add("breakEvenMeaning", breakEven.Meaning);
        }

        policy.Add("shortfalls", new JsonArray([.. result.Shortfalls.Select(shortfall => new JsonObject
        {
            ["line"] = shortfall.Line,
            ["step"] = shortfall.Step,
            ["status"] = shortfall.Status.ToString(),
            ["lacking"] = shortfall.Lacking,
            ["missingPages"] = shortfall.MissingPages,
            ["requests"] = shortfall.Requests,
            ["firstRound"] = shortfall.FirstRound,
            ["message"] = shortfall.Describe(report.Scenario),
        })]));
        if (pairs)
        {
            policy.Add("pairs", new JsonArray([.. result.Pairs.Where(pair => pair.Total != 0).Select(pair => Pair(report, pair))]));
        }

        if (trace is not null)
        {
            policy.Add("explanation", new JsonArray([.. trace.Lines.Select(line => JsonValue.Create(line.Trim()))]));
        }

        return policy;
    }

    private static JsonObject Pair(PolicyComparisonReport report, PairCounts pair)
    {
        JsonObject counts = new()
        {
            ["client"] = report.Scenario.Devices[pair.Client].Name,
            ["provider"] = pair.Provider < 0 ? "system" : report.Scenario.Devices[pair.Provider].Name,
            ["pages"] = pair.Total,
            ["collateralPages"] = pair.CollateralPages,
        };
        foreach ((string name, ulong value) in PairMetrics.Of(pair))
        {
            counts.Add(name, value);
        }

        foreach (PageOutcome outcome in Enum.GetValues<PageOutcome>())
        {
            if (outcome != PageOutcome.None)
            {
                string name = outcome.ToString();
                counts.Add(char.ToLowerInvariant(name[0]) + name[1..] + "Pages", pair[outcome]);
            }
        }

        return counts;
    }
}
