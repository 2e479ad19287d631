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

    [Fact]
    public void Replay_AnyDigitOfAnAnswerChanged_NeverPasses()
    {
        const int seed = 20260;
        Random random = new(seed);
        (string Name, string[] Lines)[] files = [.. new[] { "core", "rf_core", "coh" }.Select(static name => (name, Recordings.Lines(name + ".jsonl.gz")))];
        for (int round = 0; round < 150; round++)
        {
            (string name, string[] lines) = files[random.Next(files.Length)];
            int at = random.Next(lines.Length);
            int answer = lines[at].IndexOf("\"ret\":", StringComparison.Ordinal);
            int moved = lines[at].IndexOf("\"moved\":", StringComparison.Ordinal);
            int[] digits = [.. Enumerable.Range(0, lines[at].Length).Where(i => IsAnswerDigit(lines[at], i, answer, moved))];
            if (answer < 0 || digits.Length == 0)
            {
                continue;
            }

            int begin = Array.FindLastIndex(lines, at, static line => line.Contains("\"hdr\"", StringComparison.Ordinal));
            int end = Array.FindIndex(lines, at, static line => line.Contains("\"hdr\"", StringComparison.Ordinal));
            string[] part = lines[begin..(end < 0 ? lines.Length : end)];
            int digit = digits[random.Next(digits.Length)];
            char[] changed = part[at - begin].ToCharArray();
            changed[digit] = (char)('0' + (changed[digit] - '0' + 1 + random.Next(9)) % 10);
            part[at - begin] = new string(changed);

            bool isCaught;
            try
            {
                isCaught = Difference(part) is not null;
            }
            catch (TraceFormatException)
            {
                isCaught = true;
            }

            Assert.True(isCaught, $"seed {seed} round {round}: {name} line {at + 1} passes with column {digit} changed: {part[at - begin]}");
        }
    }

    /// <summary>True for digits of the kernel's answer; "moved" is advice and not compared.</summary>
    private static bool IsAnswerDigit(string line, int index, int answer, int moved)
    {
        int movedEnd = moved < 0 ? -1 : line.IndexOf("]]", moved, StringComparison.Ordinal);
        return index > answer && char.IsAsciiDigit(line[index]) && (moved < 0 || index < moved || index > movedEnd);
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
