using System.CommandLine;
using System.Globalization;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli;

/// <summary><c>hmmfast graph</c>: a process worth capturing. Builds a large graph on the managed heap and keeps it until told to stop.</summary>
public static class GraphCommand
{
    private const int ArrayOverheadBytes = 24;
    private const int MaxDegree = 1000;
    private const ulong MaxBytes = 1UL << 40;

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandIo io)
    {
        Option<string> memory = new("--memory") { Description = "How large the graph shall be.", DefaultValueFactory = _ => "1GiB", HelpName = "SIZE" };
        Option<int?> seconds = NumberOption.Whole("--seconds", "How long to keep it.", least: 0, standard: 60);
        Option<int?> seed = NumberOption.Whole("--seed", "Seed of the graph.", int.MinValue, standard: 1);
        Command command = new("graph", "Builds a large graph and keeps it in memory: a process to capture.") { memory, seconds, seed };
        command.SetAction((parsed, cancellation) =>
        {
            string text = parsed.GetRequiredValue(memory);
            if (!ByteSize.TryParse(text, out ulong bytes) || bytes is 0 or > MaxBytes)
            {
                throw new UsageException($"--memory '{text}' is no size between 1 byte and {ByteSize.Format(MaxBytes)}.");
            }

            int keep = parsed.GetRequiredValue(seconds)!.Value;
            List<int[]> neighbours = Build(bytes, new Random(parsed.GetRequiredValue(seed)!.Value), out long edges);
            io.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"pid {Environment.ProcessId}: {neighbours.Count:N0} nodes, {edges:N0} edges; kept for {keep} s"));
            io.Output.Flush();
            cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(keep));
            GC.KeepAlive(neighbours);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    // Degrees as in real networks: most nodes have few neighbours, a few have many.
    private static List<int[]> Build(ulong bytes, Random random, out long edges)
    {
        List<int[]> neighbours = [];
        edges = 0;
        for (ulong built = 0; built < bytes;)
        {
            int degree = (int)Math.Min(MaxDegree, 4 / (1 - random.NextDouble()));
            int[] targets = new int[degree];
            for (int i = 0; i < degree; i++)
            {
                targets[i] = random.Next(neighbours.Count + 1);
            }

            neighbours.Add(targets);
            edges += degree;
            built += (ulong)(ArrayOverheadBytes + (degree * sizeof(int)));
        }

        return neighbours;
    }
}
