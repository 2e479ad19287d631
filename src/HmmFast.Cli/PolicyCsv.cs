using System.Globalization;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;

namespace HmmFast.Cli;

/// <summary>Prints a comparison of policies as CSV: a line a policy, or a line a policy and pair. No field holds a comma.</summary>
internal static class PolicyCsv
{
    public static void Write(CommandIo io, PolicyComparisonReport report, bool pairs)
    {
        if (pairs)
        {
            WritePairs(io, report);
            return;
        }

        io.Output.WriteLine(string.Join(",", PolicyMetrics.All.Select(metric => metric.Name).Prepend("habit").Prepend("number").Prepend("policy").Append("breakEvenUses")));
        foreach (PolicyResult result in report.Results)
        {
            IEnumerable<string> values = PolicyMetrics.All.Select(metric => Number(metric.Value(result)));
            io.Output.WriteLine(string.Join(",", [.. Row(result), .. values, result.BreakEven?.Uses is { } uses ? uses.ToString("0.##", CultureInfo.InvariantCulture) : ""]));
        }
    }

    private static void WritePairs(CommandIo io, PolicyComparisonReport report)
    {
        PageOutcome[] outcomes = [.. Enum.GetValues<PageOutcome>().Where(outcome => outcome != PageOutcome.None)];
        io.Output.WriteLine(string.Join(",", ["policy", "number", "habit", "client", "provider", "pages", "collateralPages", .. PairMetrics.Of(report.Results[0].Pairs[0]).Select(metric => metric.Name), .. outcomes.Select(outcome => outcome + "Pages")]));
        foreach (PolicyResult result in report.Results)
        {
            foreach (PairCounts pair in result.Pairs.Where(pair => pair.Total != 0))
            {
                string provider = pair.Provider < 0 ? "system" : report.Scenario.Devices[pair.Provider].Name;
                io.Output.WriteLine(string.Join(
                    ",",
                    [.. Row(result), report.Scenario.Devices[pair.Client].Name, provider, Number(pair.Total), Number(pair.CollateralPages), .. PairMetrics.Of(pair).Select(metric => Number(metric.Value)), .. outcomes.Select(outcome => Number(pair[outcome]))]));
            }
        }
    }

    private static IEnumerable<string> Row(PolicyResult result) =>
        [result.Policy.Name, PolicyCatalog.NumberOf(result.Policy), result.Habit == FaultHabit.RunForward ? "runForward" : "onlyAsked"];

    private static string Number(double value) => Math.Round(value).ToString("0", CultureInfo.InvariantCulture);
}
