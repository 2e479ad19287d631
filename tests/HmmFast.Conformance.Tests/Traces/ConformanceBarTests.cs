using System.Collections.Concurrent;
using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>The bars: how much of each recording both implementations must reproduce, at every level.</summary>
public sealed class ConformanceBarTests
{
    private static readonly string[] Exact = ["core", "coh", "rf_core", "extra", "matrix_small", "rf_script_small"];
    private static readonly string[] Huge = ["thp", "rf_thp", "matrix_thp", "rf_script_thp"];

    private static readonly ConcurrentDictionary<(string Name, string Engine), ConformanceReport> Reports = new();

    /// <summary>Recording, implementation, level, smallest share of sequences in percent.</summary>
    public static TheoryData<string, string, ConformanceLevel, double> Bars
    {
        get
        {
            TheoryData<string, string, ConformanceLevel, double> bars = [];
            foreach (ConformanceEngine engine in ConformanceEngine.Both)
            {
                foreach (string name in Exact)
                {
                    bars.Add(name, engine.Name, ConformanceLevel.Hmm, 100);
                    bars.Add(name, engine.Name, ConformanceLevel.State, 100);
                    bars.Add(name, engine.Name, ConformanceLevel.All, 99);
                }

                bars.Add("full", engine.Name, ConformanceLevel.Hmm, 100);
                bars.Add("full", engine.Name, ConformanceLevel.State, 99);
                foreach (string name in Huge)
                {
                    bars.Add(name, engine.Name, ConformanceLevel.Hmm, 98);
                    bars.Add(name, engine.Name, ConformanceLevel.State, 97);
                }
            }

            return bars;
        }
    }

    [Theory]
    [MemberData(nameof(Bars))]
    public void Replay_Recording_ReachesItsBar(string name, string engine, ConformanceLevel level, double percent)
    {
        TraceFile file = Recordings.Read(name + ".jsonl.gz");
        ConformanceEngine implementation = ConformanceEngine.Both.Single(candidate => candidate.Name == engine);
        ConformanceReport everything = Reports.GetOrAdd((name, engine), _ => ConformanceRunner.Run(file, implementation, ConformanceLevel.All));

        // What is equal at level all is equal below; only the others are looked at again.
        TraceReplayer replayer = new(implementation.Create, level);
        HashSet<int> unequal = [.. everything.Differences.Select(static difference => difference.Seed)];
        TraceDifference[] differences =
        [
            .. file.Sequences.Where(sequence => unequal.Contains(sequence.Header.Seed))
                .Select(sequence => replayer.Replay(file.Path, sequence))
                .OfType<TraceDifference>(),
        ];
        int total = file.Sequences.Count;
        Assert.Equal(total, everything.Passed + everything.Failed);
        double share = 100.0 * (total - differences.Length) / total;
        Assert.True(share >= percent, $"{name} on {engine} at level {level}: {differences.Length} of {total} fail; first: {differences.FirstOrDefault()}");
    }
}
