using System.CommandLine;
using System.Globalization;
using HmmFast.Policies;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Machines;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli;

/// <summary>The part of <c>hmmfast run</c> that compares policies.</summary>
internal sealed class PolicyRun
{
    // Names that stand for several policies.
    private static readonly string[] Groups = ["all", "alias-on-request", "dynamic-owner"];

    private static readonly string[] HabitNames = ["run-forward", "only-asked", "both"];

    private readonly Option<string?> _policy = new("--policy")
    {
        Description = "Compare policies: 'all', or names with commas (owner-only, P3, alias-on-request, ...).",
        HelpName = "NAMES",
    };

    private readonly Option<string?> _scenario = new("--scenario")
    {
        Description = $"What policies are compared on: a file, or one of {string.Join(", ", ScenarioReader.EmbeddedNames)}.",
        HelpName = "NAME|FILE",
    };

    private readonly Option<string?> _memory = new("--memory") { Description = "Size of the scenario's memory, instead of its own.", HelpName = "SIZE" };

    private readonly Option<string?> _habit = new("--habit")
    {
        Description = "How far faults go, instead of what the scenario says: 'run-forward' (the kernel's), 'only-asked', or 'both'.",
        HelpName = "HABIT",
    };

    private readonly Option<bool> _pairs = new("--pairs") { Description = "Show every pair of client and device." };

    private readonly Option<string?> _explain = new("--explain")
    {
        Description = "Tell for one page, by its number in the scenario or its address (0x...), why it ends where it does.",
        HelpName = "PAGE",
    };

    private readonly Option<bool> _csv = new("--csv") { Description = "Print CSV." };

    private readonly Option<bool> _costs = new("--costs") { Description = "Show the cost model's figures and their sources." };

    /// <summary>The options, to be added to the command.</summary>
    public IEnumerable<Option> Options => [_policy, _scenario, _memory, _habit, _pairs, _explain, _csv, _costs];

    /// <summary>True when the comparison is asked for.</summary>
    public bool IsAsked(ParseResult parsed) => parsed.GetResult(_policy) is not null || parsed.GetResult(_scenario) is not null;

    /// <summary>Complains about the comparison's options where no comparison is asked for.</summary>
    public void RefuseOthers(ParseResult parsed)
    {
        foreach (Option option in Options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                throw new UsageException($"{option.Name} belongs to the comparison of policies; add --policy all.");
            }
        }
    }

    /// <summary>Runs the comparison.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="process">The process to compare on; null for the scenario's own memory.</param>
    /// <param name="verify">Whether the reference runs beside the engine.</param>
    /// <param name="json">Whether JSON is printed.</param>
    /// <param name="io">Where to print.</param>
    public int Run(ParseResult parsed, Capture? process, bool verify, bool json, CommandIo io)
    {
        bool csv = parsed.GetValue(_csv);
        if (csv && json)
        {
            throw new UsageException("--csv and --json are two forms of one answer; only one of them can be used.");
        }

        IReadOnlyList<IHmmPolicy> policies = Policies(parsed.GetValue(_policy) ?? "all");
        PolicyScenario scenario = ScenarioReader.Open(parsed.GetValue(_scenario) ?? "default");
        IReadOnlyList<FaultHabit> habits = parsed.GetValue(_habit) is { } habit ? Habits(habit) : scenario.Habits;
        if (scenario.TypedOutputInner is { } inner)
        {
            policies = [.. policies.Select(policy => policy is TypedOutputPolicy ? new TypedOutputPolicy(inner) : policy)];
        }

        if (parsed.GetValue(_memory) is { } size)
        {
            if (process is not null)
            {
                throw new UsageException("--memory sizes the scenario's memory; a process brings its own.");
            }

            scenario = scenario with { PageCount = Pages(size, scenario), Process = null };
        }

        ScenarioMemory memory = process is null ? scenario.OpenMemory() : ScenarioMemory.Of(process);
        Vpn? explained = parsed.GetValue(_explain) is { } page ? Page(page, memory) : null;
        PolicyComparisonReport report = ProgressBar.Run(
            io,
            "comparing",
            progress => PolicyComparison.Run(scenario, memory, policies, habits, verify, explained, progress));
        bool pairs = parsed.GetValue(_pairs);
        if (json)
        {
            PolicyJson.Write(io, report, pairs);
        }
        else if (csv)
        {
            PolicyCsv.Write(io, report, pairs);
        }
        else
        {
            PolicyTables.Print(io, report, pairs, parsed.GetValue(_costs));
        }

        // What could not be carried through is told beside the answer, so that no figure is taken for more than it is.
        IReadOnlyList<string> shortfalls = PolicyTables.Shortfalls(report);
        foreach (string shortfall in shortfalls)
        {
            io.Error.WriteLine($"hmmfast: {shortfall}");
        }

        return report.Differences.Count != 0 ? ExitCode.Different : shortfalls.Count != 0 ? ExitCode.Error : ExitCode.Ok;
    }

    private static List<IHmmPolicy> Policies(string words)
    {
        List<IHmmPolicy> policies = [];
        foreach (string word in words.Split(',', StringSplitOptions.TrimEntries))
        {
            IReadOnlyList<IHmmPolicy> found = PolicyCatalog.Find(word);
            if (found.Count == 0)
            {
                throw new UsageException($"There is no policy '{word}'; the nearest is '{NearestName.Find(word, PolicyCatalog.All.SelectMany(policy => new[] { policy.Name, PolicyCatalog.NumberOf(policy) }).Concat(Groups))}', and there are {string.Join(", ", PolicyCatalog.All.Select(policy => policy.Name))}, their numbers P0 to P11, and 'all'.");
            }

            policies.AddRange(found.Where(policy => !policies.Contains(policy)));
        }

        return policies;
    }

    private static FaultHabit[] Habits(string name) => name switch
    {
        "run-forward" => [FaultHabit.RunForward],
        "only-asked" => [FaultHabit.OnlyAsked],
        "both" => [FaultHabit.RunForward, FaultHabit.OnlyAsked],
        _ => throw new UsageException($"There is no habit '{name}'; the nearest is '{NearestName.Find(name, HabitNames)}', and there are {string.Join(", ", HabitNames)}."),
    };

    private static ulong Pages(string size, PolicyScenario scenario)
    {
        if (!ByteSize.TryParse(size, out ulong bytes) || bytes == 0 || bytes % PageOrder.PageSizeBytes != 0)
        {
            throw new UsageException($"--memory '{size}' is no size of whole {PageOrder.PageSizeBytes}-byte pages, such as 4GiB.");
        }

        ulong pages = bytes / PageOrder.PageSizeBytes;
        if (pages <= uint.MaxValue && FrameBudget.CountFrames(scenario, ScenarioMemory.OfSize(pages)) <= uint.MaxValue)
        {
            return pages;
        }

        ulong largest = FrameBudget.LargestPageCount(scenario) / PageOrder.PagesPerGibibyte;
        throw new UsageException(string.Create(
            CultureInfo.InvariantCulture,
            $"--memory '{size}' has, with the devices' memory and windows, more frames than there are numbers for ({uint.MaxValue}); the largest for the scenario {scenario.Name} is {largest}GiB."));
    }

    private static Vpn Page(string text, ScenarioMemory memory)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address))
        {
            return new Vpn(address / PageOrder.PageSizeBytes);
        }

        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong index) || index >= memory.PageCount)
        {
            throw new UsageException($"--explain '{text}' is neither an address in hexadecimal (0x...) nor a page number from 0 to {memory.PageCount - 1}.");
        }

        foreach (VpnRange extent in memory.Extents)
        {
            if (index < extent.PageCount)
            {
                return extent.Start + index;
            }

            index -= extent.PageCount;
        }

        throw new InvalidOperationException("The page was counted before.");
    }
}
