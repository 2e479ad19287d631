using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>Sequences no kernel has been asked: recorded from the reference and replayed on the engine, by everything a recording shows.</summary>
public sealed class CrossReplayTests
{
    // More sequences in a run, when somebody wants to look longer.
    private const string ScaleVariable = "HMMFAST_CROSS_SCALE";
    private const int StepCount = 60;

    [Theory]
    [InlineData("core", DeviceMemoryKind.Private, 1_000_000, 80)]
    [InlineData("core", DeviceMemoryKind.Coherent, 2_000_000, 40)]
    [InlineData("small", DeviceMemoryKind.Private, 3_000_000, 80)]
    [InlineData("small", DeviceMemoryKind.Coherent, 4_000_000, 40)]
    [InlineData("thp", DeviceMemoryKind.Private, 5_000_000, 30)]
    [InlineData("thp", DeviceMemoryKind.Coherent, 6_000_000, 15)]
    public void Replay_ReferenceRecordedEngineAsked_EveryAnswerIsEqual(string mode, DeviceMemoryKind kind, int firstSeed, int sequenceCount)
    {
        int scale = int.TryParse(Environment.GetEnvironmentVariable(ScaleVariable), out int times) && times > 0 ? times : 1;
        TraceReplayer replayer = new(ConformanceEngine.Fast.Create, ConformanceLevel.All, explain: true);
        List<TraceDifference> differences = [];
        for (int seed = firstSeed; seed < firstSeed + sequenceCount * scale; seed++)
        {
            TraceSequence sequence = Record(seed, mode, kind);
            if (replayer.Replay($"{mode}-{kind}", sequence) is { } difference)
            {
                differences.Add(difference);
            }
        }

        string first = differences.Count > 0 ? differences[0].Explanation ?? "" : "";
        Assert.True(differences.Count == 0, $"{differences.Count} sequences differ:\n{string.Join("\n", differences.Take(5))}\n{first}");
    }

    [Theory]
    [InlineData(Lie.NeverBusy)]
    [InlineData(Lie.FaultsDoNotRunForward)]
    [InlineData(Lie.MapCountIsOneTooHigh)]
    [InlineData(Lie.MigrationsHaveNoOwner)]
    [InlineData(Lie.PartlyExclusiveIsEnough)]
    public void Replay_EngineThatLies_IsCaughtByGeneratedSequences(Lie lie)
    {
        TraceReplayer replayer = new(options => new LyingMemorySystem(ConformanceEngine.Fast.Create(options), lie), ConformanceLevel.All);

        Assert.Contains(Enumerable.Range(1_000_000, 40), seed => replayer.Replay("core", Record(seed, "core", DeviceMemoryKind.Private)) is not null);
    }

    private static TraceSequence Record(int seed, string mode, DeviceMemoryKind kind)
    {
        SequenceGenerator generator = new(seed, mode, kind);
        using TraceRecorder recorder = new(ConformanceEngine.Reference.Create, generator.Header);
        TraceStep? step = null;
        try
        {
            recorder.Record(generator.First());
            for (int number = 1; number < StepCount; number++)
            {
                step = generator.Next(number, recorder.HasChild);
                recorder.Record(step);
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InvalidOperationException($"The reference fails at seed {seed} ({mode}, {kind}), step {step}: {error.Message}", error);
        }

        return recorder.Sequence;
    }
}
