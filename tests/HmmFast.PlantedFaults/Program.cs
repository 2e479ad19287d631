using System.Collections.Concurrent;
using System.CommandLine;
using HmmFast.PlantedFaults;
using HmmFast.Testing;
using Spectre.Console;

var filterOption = new Option<string?>("--filter") { Description = "Only faults whose name, file or check contains this text." };
var listOption = new Option<bool>("--list") { Description = "List the faults and end." };
var seedOption = new Option<int?>("--seed") { Description = "Seed for the checks; without it each check draws its own and prints it." };
var secondsOption = new Option<int>("--seconds") { Description = "Time limit for one mutant.", DefaultValueFactory = _ => 120 };
var jobsOption = new Option<int>("--jobs") { Description = "Mutants run at a time.", DefaultValueFactory = _ => Environment.ProcessorCount };
var root = new RootCommand("Plants each listed mistake into the sources, builds the mutant, and expects the named check to notice it. Leaves the sources alone.")
{
    filterOption,
    listOption,
    seedOption,
    secondsOption,
    jobsOption,
};
root.SetAction(result => Faults(
    result.GetValue(filterOption),
    result.GetValue(listOption),
    result.GetValue(seedOption),
    TimeSpan.FromSeconds(result.GetValue(secondsOption)),
    Math.Max(1, result.GetValue(jobsOption))));
return root.Parse(args).Invoke();

static int Faults(string? filter, bool list, int? seed, TimeSpan limit, int jobs)
{
    List<PlantedFault> faults =
    [
        .. FaultCatalog.All.Where(fault => filter is null
            || fault.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)
            || fault.File.Contains(filter, StringComparison.OrdinalIgnoreCase)
            || fault.Check.Contains(filter, StringComparison.OrdinalIgnoreCase)),
    ];
    if (faults.Count == 0)
    {
        Console.Error.WriteLine($"No fault's name, file or check contains \"{filter}\".");
        return 2;
    }

    if (list)
    {
        foreach (PlantedFault fault in faults)
        {
            Console.WriteLine($"{fault.Name}: {fault.Rule} ({fault.File}; caught by {fault.Check})");
        }

        return 0;
    }

    if (Console.IsOutputRedirected)
    {
        // A log has no width to wrap at.
        AnsiConsole.Profile.Width = 1000;
    }

    string buildDirectory = AppContext.BaseDirectory;
    var compiler = new MutantCompiler(RepositoryRoot.Find(), buildDirectory);
    var runner = new MutantRunner(buildDirectory, limit);
    int failed = 0;

    // The unmutated build must pass every check used, or "caught" would mean nothing.
    Parallel.ForEach(
        faults.Select(fault => fault.Check).Distinct().Order(StringComparer.Ordinal),
        new ParallelOptions { MaxDegreeOfParallelism = jobs },
        check =>
        {
            (MutantFate fate, string detail) = runner.Run(buildDirectory, check, seed);
            if (fate != MutantFate.Survived)
            {
                Interlocked.Increment(ref failed);
                Report($"{check} does not pass without any fault planted", fate, detail, isGood: false);
            }
        });
    if (failed > 0)
    {
        Console.WriteLine($"planted faults: 0 passed, {failed} failed");
        return 1;
    }

    int caught = 0;
    var compiled = new BlockingCollection<(PlantedFault Fault, string Directory, string? Problem)>(boundedCapacity: 4);
    Task compiling = Task.Run(() =>
    {
        try
        {
            foreach (PlantedFault fault in faults)
            {
                string directory = runner.PrepareDirectory(fault.Name);
                compiled.Add((fault, directory, compiler.Compile(fault, directory)));
            }
        }
        finally
        {
            // Or those that wait for the next mutant would wait for ever when compiling throws.
            compiled.CompleteAdding();
        }
    });
    Parallel.ForEach(
        Partitioner.Create(compiled.GetConsumingEnumerable(), EnumerablePartitionerOptions.NoBuffering),
        new ParallelOptions { MaxDegreeOfParallelism = jobs },
        mutant =>
        {
            (MutantFate fate, string detail) = mutant.Problem is null
                ? runner.Run(mutant.Directory, mutant.Fault.Check, seed)
                : (MutantFate.Broken, mutant.Problem);
            Directory.Delete(mutant.Directory, recursive: true);
            bool isCaught = mutant.Fault.KillsProcess ? fate == MutantFate.Crashed : fate is MutantFate.Caught or MutantFate.Hung;
            Interlocked.Increment(ref isCaught ? ref caught : ref failed);
            Report($"{mutant.Fault.Name} ({mutant.Fault.Rule})", fate, detail, isCaught);
        });
    compiling.Wait();
    Console.WriteLine($"planted faults: {caught} passed, {failed} failed");
    return failed == 0 ? 0 : 1;
}

static void Report(string what, MutantFate fate, string detail, bool isGood)
{
    string colour = isGood ? "green" : "red";
    string shown = detail.Length > 160 ? detail[..160] + "…" : detail;
    lock (typeof(MutantFate))
    {
        AnsiConsole.MarkupLineInterpolated($"[{colour}]{fate.ToString().ToLowerInvariant()}[/] {what}: [dim]{shown}[/]");
    }
}
