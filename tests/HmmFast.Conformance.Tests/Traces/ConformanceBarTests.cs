using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>Both implementations give every answer that the kernel gave. What is reached is held: one sequence less is a failure.</summary>
public sealed class ConformanceBarTests
{
    /// <summary>Every recording with every implementation.</summary>
    public static TheoryData<string, string> All
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (string name in Recordings.Names)
            {
                foreach (ConformanceEngine engine in ConformanceEngine.Both)
                {
                    data.Add(name, engine.Name);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Replay_Recording_EverySequenceIsEqualAtEveryLevel(string name, string engine)
    {
        // Level all compares what the levels below compare, and more.
        TraceFile file = Recordings.Read(name);
        ConformanceReport report = ConformanceRunner.Run(file, ConformanceEngine.Both.Single(candidate => candidate.Name == engine), ConformanceLevel.All);

        Assert.True(report.Failed == 0, $"{name} on {engine}: {report.Failed} of {file.Sequences.Count} fail:\n{string.Join("\n", report.Differences.Take(5))}");
        Assert.Equal(file.Sequences.Count, report.Passed);
    }
}
