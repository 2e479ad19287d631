using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Jobs;
using HmmFast.Simulation.State;

namespace HmmFast.Simulation.Comparison;

/// <summary>Runs a scenario under each of several policies and lays the results side by side.</summary>
public static class PolicyComparison
{
    /// <summary>Runs it.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="memory">The memory it is run on.</param>
    /// <param name="policies">The policies, in order.</param>
    /// <param name="habits">The habits of faults, in order.</param>
    /// <param name="verify">Runs the reference beside the engine and compares every metric and the state at the end.</param>
    /// <param name="explained">A page to follow; null for none.</param>
    /// <param name="progress">Told the work done; null for nobody.</param>
    /// <exception cref="ScenarioException">The scenario does not fit the machine or the memory.</exception>
    public static PolicyComparisonReport Run(
        PolicyScenario scenario,
        ScenarioMemory memory,
        IReadOnlyList<IHmmPolicy> policies,
        IReadOnlyList<FaultHabit> habits,
        bool verify = false,
        Vpn? explained = null,
        IProgress<(ulong Done, ulong Total)>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(policies);
        ArgumentNullException.ThrowIfNull(habits);
        if (explained is { } page && !memory.Extents.Any(extent => extent.Contains(page)))
        {
            throw new ScenarioException($"Page 0x{page.Value:x} is not one of the scenario's pages: {Describe(memory.Extents)}.");
        }

        ulong total = (ulong)(policies.Count * habits.Count * scenario.Rounds * scenario.Steps.Count) * memory.PageCount;
        ulong done = 0;
        int count = policies.Count * habits.Count;
        var results = new PolicyResult[count];
        var traces = new PageTrace?[count];
        var differences = new string?[count];
        Lock gate = new();

        // Each run has a memory system of its own, so that runs need nothing of one another.
        InParallel(0, count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Math.Min(Environment.ProcessorCount, 4)) }, index =>
        {
            IHmmPolicy policy = policies[index % policies.Count];
            FaultHabit habit = habits[index / policies.Count];
            using PolicyRun run = new(scenario, memory, policy, habit, Implementation.Engine, explained);
            results[index] = run.Run(pages =>
            {
                lock (gate)
                {
                    done += pages;
                    progress?.Report((done, total));
                }
            });
            traces[index] = explained is null ? null : new PageTrace(policy.Name, run.Trace);
            if (verify)
            {
                using PolicyRun other = new(scenario, memory, policy, habit, Implementation.Reference, null);
                differences[index] = FirstDifference(results[index], other.Run(null)) ?? StateComparison.FirstDifference(run.System, other.System);
            }
        });

        SetBreakEven(results);
        return new PolicyComparisonReport
        {
            Scenario = scenario,
            MemoryName = memory.Name,
            PageCount = memory.PageCount,
            IsCompacted = memory.IsCompacted,
            Results = results,
            Traces = [.. traces.OfType<PageTrace>()],
            IsVerified = verify,
            Differences =
            [
                .. differences
                    .Select((difference, index) => difference is null ? null : $"{results[index].Policy.Name} ({results[index].Habit}): {difference}")
                    .OfType<string>(),
            ],
        };
    }

    /// <summary>The first metric in which two results differ; null when there is none.</summary>
    public static string? FirstDifference(PolicyResult left, PolicyResult right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        foreach (MetricDescription metric in PolicyMetrics.All)
        {
            if (metric.Value(left) != metric.Value(right))
            {
                return $"{metric.Name}: {metric.Value(left)} and {metric.Value(right)}";
            }
        }

        return null;
    }

    // What goes wrong in one run is told as if it had been the only one.
    private static void InParallel(int first, int end, ParallelOptions options, Action<int> body)
    {
        try
        {
            Parallel.For(first, end, options, body);
        }
        catch (AggregateException several)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }

    private static void SetBreakEven(PolicyResult[] results)
    {
        foreach (PolicyResult result in results)
        {
            PolicyResult? mainline = Array.Find(results, other => other.Policy.Name == "owner-only" && other.Habit == result.Habit);
            if (mainline is not null)
            {
                bool isServed = IsServed(result) && IsServed(mainline);
                result.BreakEven = !isServed ? new BreakEven(null, BreakEven.NotServed) : BreakEven.Against(result.SetupTimeNs, result.UseTimeNs, mainline.SetupTimeNs, mainline.UseTimeNs);
            }
        }
    }

    private static bool IsServed(PolicyResult result) => result.Pages(PageOutcome.Failed) + result.Pages(PageOutcome.Unusable) == 0;

    private static string Describe(IReadOnlyList<VpnRange> extents) => extents.Count <= 4
        ? string.Join(", ", extents)
        : $"{string.Join(", ", extents.Take(3))} and {extents.Count - 3} more";
}
