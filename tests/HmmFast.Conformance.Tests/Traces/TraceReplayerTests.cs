using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>The replayer catches what is wrong: implementations that lie in one place, and recordings that say something else.</summary>
public sealed class TraceReplayerTests
{
    /// <summary>Each lie with the lowest level that must catch it.</summary>
    public static TheoryData<Lie, ConformanceLevel> Lies => new()
    {
        { Lie.EverythingIsWritable, ConformanceLevel.Hmm },
        { Lie.OrderIsZero, ConformanceLevel.Hmm },
        { Lie.WordsAfterAnErrorAreCleared, ConformanceLevel.Hmm },
        { Lie.NeverBusy, ConformanceLevel.Hmm },
        { Lie.FaultsDoNotRunForward, ConformanceLevel.Hmm },
        { Lie.NobodyOwnsPrivatePages, ConformanceLevel.Hmm },
        { Lie.ContentIsShifted, ConformanceLevel.Hmm },
        { Lie.HolesAreProtected, ConformanceLevel.Hmm },
        { Lie.PartlyExclusiveIsEnough, ConformanceLevel.Hmm },
        { Lie.InvalidationsAreLost, ConformanceLevel.Hmm },
        { Lie.MigrationsHaveNoOwner, ConformanceLevel.Hmm },
        { Lie.VmasAreNotMerged, ConformanceLevel.State },
        { Lie.MapCountIsOneTooHigh, ConformanceLevel.State },
        { Lie.EverythingIsExclusive, ConformanceLevel.State },
        { Lie.ChildHasOtherFrames, ConformanceLevel.State },
        { Lie.EverythingIsSoftDirty, ConformanceLevel.All },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public void Replay_ImplementationThatLies_IsCaughtAtItsLevel(Lie lie, ConformanceLevel level)
    {
        int honest = CountFailures(Lie.None, level);
        int lying = CountFailures(lie, level);

        Assert.True(lying > honest, $"{lie} at level {level}: {lying} sequences fail, {honest} without the lie");
    }

    [Theory]
    [InlineData(Lie.VmasAreNotMerged)]
    [InlineData(Lie.MapCountIsOneTooHigh)]
    [InlineData(Lie.EverythingIsSoftDirty)]
    public void Replay_LieAboveTheLevel_IsNotCompared(Lie lie) =>
        Assert.Equal(CountFailures(Lie.None, ConformanceLevel.Hmm), CountFailures(lie, ConformanceLevel.Hmm));

    [Fact]
    public void Replay_ImplementationThatThrows_IsADifferenceAtItsStep()
    {
        TraceSequence sequence = Recordings.Read("extra.jsonl.gz").Sequences[0];
        TraceReplayer replayer = new(static _ => throw new NotSupportedException("no memory here"), ConformanceLevel.Hmm);

        TraceDifference? difference = replayer.Replay("file", sequence);

        Assert.NotNull(difference);
        Assert.Equal("exception", difference.Field);
        Assert.Contains("no memory here", difference.Got, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_RecordingChangedInOneNumber_Differs()
    {
        // Every count, byte, flag and content of a passing sequence matters: change one at a time.
        (string Old, string New)[] changes =
        [
            ("\"cpages\":1", "\"cpages\":2"),
            ("\"faults\":1", "\"faults\":0"),
            ("\"err_cpages\":0", "\"err_cpages\":1"),
            ("\"errno\":\"EFAULT\"", "\"errno\":\"EPERM\""),
            ("\"errno\":\"ENOENT\"", "\"errno\":\"EINVAL\""),
            (",2,2,\"P\",\"es\"", ",1,2,\"P\",\"es\""),
            (",2,2,\"P\",\"es\"", ",2,2,\"P\",\"s\""),
            (",2,2,\"P\",\"es\"", ",2,2,\"P\",\"e\""),
            (",2,2,\"P\",\"es\",\"AB\",1", ",2,2,\"P\",\"es\",\"AB\",2"),
            (",34,0,\"D\"", ",34,0,\"d\""),
            (",34,0,\"D\"", ",34,34,\"D\""),
            ("\"=\"]]", "\"!\"]]"),
            ("\"rw-p\",\"anon\",0", "\"r--p\",\"anon\",0"),
            ("\"memfd\",1", "\"memfd\",2"),
        ];
        string[] lines = Recordings.Lines("core.jsonl.gz");
        int found = 0;
        foreach ((string old, string replacement) in changes)
        {
            int at = Array.FindIndex(lines, line => line.Contains(old, StringComparison.Ordinal));
            Assert.True(at > 0, $"'{old}' does not stand in the recording");
            int begin = Array.FindLastIndex(lines, at, static line => line.Contains("\"hdr\"", StringComparison.Ordinal));
            int end = Array.FindIndex(lines, at, static line => line.Contains("\"hdr\"", StringComparison.Ordinal));
            string[] part = lines[begin..end];
            Assert.Null(Difference(part));
            int place = part[at - begin].IndexOf(old, StringComparison.Ordinal);
            part[at - begin] = part[at - begin][..place] + replacement + part[at - begin][(place + old.Length)..];
            TraceDifference? difference = Difference(part);
            Assert.True(difference is not null, $"'{old}' changed to '{replacement}' in line {at + 1} passes");
            Assert.Equal(at - begin + 1, difference.LineNumber);
            found++;
        }

        Assert.Equal(changes.Length, found);
    }

    private static TraceDifference? Difference(string[] lines)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(string.Concat(lines.Select(static line => line + "\n")));
        TraceFile file = TraceReader.Parse("changed.jsonl", text);
        return new TraceReplayer(ConformanceEngine.Reference.Create, ConformanceLevel.All).Replay(file.Path, file.Sequences[0]);
    }

    private static int CountFailures(Lie lie, ConformanceLevel level)
    {
        TraceReplayer replayer = new(options => new LyingMemorySystem(ConformanceEngine.Reference.Create(options), lie), level);
        int failures = 0;
        foreach ((string name, int count) in (ReadOnlySpan<(string, int)>)[("core.jsonl.gz", 12), ("rf_core.jsonl.gz", 12), ("extra.jsonl.gz", 25), ("rf_script_thp.jsonl.gz", 60), ("matrix_thp.jsonl.gz", 20)])
        {
            failures += Recordings.Read(name).Sequences.Take(count).Count(sequence => replayer.Replay(name, sequence) is not null);
        }

        return failures;
    }
}
