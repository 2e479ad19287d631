using System.Text;
using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>A recording that is not whole and of the known format is refused with its line; nothing in it is skipped.</summary>
public sealed class TraceReaderTests
{
    // A fork, a child, device operations and madvise in one short sequence.
    private const string Sample = "rf_script_small.jsonl.gz";

    private static readonly Lazy<string[]> SampleLines = new(static () => Recordings.Lines(Sample));

    /// <summary>What is done to a good file, and the line that must be named (0: as the case says).</summary>
    public static TheoryData<string> Mutations => [.. MutationTable.Keys];

    private static readonly Dictionary<string, (Func<List<string>, int> Break, string Reason)> MutationTable = new()
    {
        ["a step is missing"] = (static lines => { lines.RemoveAt(2); return 3; }, "out of order"),
        ["two steps are swapped"] = (static lines => { (lines[1], lines[2]) = (lines[2], lines[1]); return 2; }, "out of order"),
        ["a step stands twice"] = (static lines => { lines.Insert(2, lines[1]); return 3; }, "out of order"),
        ["the header is missing"] = (static lines => { lines.RemoveAt(0); return 1; }, "header"),
        ["a sequence has no step"] = (static lines => { lines.Insert(0, lines[0].Replace("\"seed\":1,", "\"seed\":77777,", StringComparison.Ordinal)); return 1; }, "no step"),
        ["a seed comes again"] = (static lines => { int at = lines.FindIndex(1, IsHeader); lines[at] = WithSeed(lines[at], 1); return at + 1; }, "before"),
        ["a step of another sequence"] = (static lines => { lines[1] = lines[1].Replace("\"seed\":1,", "\"seed\":2,", StringComparison.Ordinal); return 2; }, "seed 2"),
        ["another format version"] = (static lines => { lines[0] = Swap(lines[0], "\"fmt\":1", "\"fmt\":2"); return 1; }, "version 2"),
        ["another kernel"] = (static lines => { lines[0] = Swap(lines[0], "\"6.12.117\"", "\"6.18.1\""); return 1; }, "6.18.1"),
        ["unknown mode"] = (static lines => { lines[0] = Swap(lines[0], "\"mode\":\"small\"", "\"mode\":\"numa\""); return 1; }, "numa"),
        ["unknown devices"] = (static lines => { lines[0] = Swap(lines[0], "[0,1]", "[0,3]"); return 1; }, "devs"),
        ["header number out of bounds"] = (static lines => { lines[0] = Swap(lines[0], "\"pmd_off\":0", "\"pmd_off\":512"); return 1; }, "512"),
        ["unknown header field"] = (static lines => { lines[0] = Swap(lines[0], "\"hdr\":1", "\"hdr\":1,\"numa\":2"); return 1; }, "numa"),
        ["unknown operation"] = (static lines => { lines[1] = Swap(lines[1], "\"op\":\"mmap\"", "\"op\":\"mlock\""); return 2; }, "mlock"),
        ["unknown field in a step"] = (static lines => { lines[1] = Swap(lines[1], "\"pgoff\":0", "\"pgoff\":0,\"locked\":1"); return 2; }, "locked"),
        ["a field stands twice"] = (static lines => { lines[1] = Swap(lines[1], "\"ret\":0", "\"ret\":0,\"ret\":0"); return 2; }, "twice"),
        ["an argument is missing"] = (static lines => { lines[1] = Swap(lines[1], "\"prot\":\"rw\",", ""); return 2; }, "prot"),
        ["the observation is missing"] = (static lines => { lines[1] = Swap(lines[1], "\"obs\"", "\"obs_\""); return 2; }, "obs"),
        ["the observation has a gap"] = (static lines => { lines[1] = Swap(lines[1], "[8,24,255", "[9,23,255"); return 2; }, "begins at page 9"),
        ["the observation ends early"] = (static lines => { lines[1] = Swap(lines[1], "[8,24,255", "[8,23,255"); return 2; }, "ends at page 31"),
        ["the observation runs over"] = (static lines => { lines[1] = Swap(lines[1], "[8,24,255", "[8,25,255"); return 2; }, "25"),
        ["an unknown entry letter"] = (static lines => { lines[1] = Swap(lines[1], "\"-\",\"s\"", "\"Q\",\"s\""); return 2; }, "Q"),
        ["an unknown flag letter"] = (static lines => { lines[1] = Swap(lines[1], "\"-\",\"s\"", "\"-\",\"sz\""); return 2; }, "'z'"),
        ["a text where a number belongs"] = (static lines => { lines[1] = Swap(lines[1], "\"page\":0", "\"page\":\"0\""); return 2; }, "page"),
        ["a page outside the region"] = (static lines => { lines[1] = Swap(lines[1], "\"page\":0,\"n\":8", "\"page\":30,\"n\":8"); return 2; }, "outside"),
        ["ret and errno contradict"] = (static lines => { lines[1] = Swap(lines[1], "\"errno\":\"0\"", "\"errno\":\"EINVAL\""); return 2; }, "contradict"),
        ["an unknown errno"] = (static lines => { lines[1] = Swap(lines[1], "\"errno\":\"0\"", "\"errno\":\"EWHAT\""); return 2; }, "EWHAT"),
        ["an unknown mapping kind"] = (static lines => { lines[1] = Swap(lines[1], "\"kind\":\"anon\"", "\"kind\":\"dax\""); return 2; }, "dax"),
        ["an unknown VMA"] = (static lines => { lines[1] = Swap(lines[1], "\"rw-p\"", "\"rwxp\""); return 2; }, "rwxp"),
        ["not JSON"] = (static lines => { lines[3] = "{\"seed\":1,"; return 4; }, "not a JSON line"),
        ["a line that is no object"] = (static lines => { lines[3] = "[]"; return 4; }, "JSON object"),
        ["an empty line"] = (static lines => { lines.Insert(3, ""); return 4; }, "JSON"),
        ["a foreign file"] = (static lines => { lines.Clear(); lines.Add("{\"name\":\"capture\",\"pages\":4}"); return 1; }, "header"),
        ["child_exit without a child"] = (
            static lines => { lines[2] = Swap(lines[2], "\"op\":\"cpu_write\",\"page\":0,\"n\":8,\"tag\":65537,\"data\":[[0,8,\"ok\",0,0]],", "\"op\":\"child_exit\","); return 3; },
            "without a child"),
        ["the child's table is missing"] = (
            static lines => { int at = lines.FindIndex(static line => line.Contains("\"op\":\"fork\"", StringComparison.Ordinal)); lines[at] = Swap(lines[at], "\"child\"", "\"moved\""); return at + 1; },
            "child"),
        ["the recorder's ioctl failed"] = (
            static lines => { int at = lines.FindIndex(static line => line.Contains("range_fault", StringComparison.Ordinal)); lines[at] = Swap(lines[at], "\"busy\"", "\"ioctl_failed\":1,\"busy\""); return at + 1; },
            "ioctl_failed"),
        ["a request does not cover the range"] = (
            static lines => { int at = lines.FindIndex(static line => line.Contains("\"in\":[[10,1,", StringComparison.Ordinal)); lines[at] = Swap(lines[at], "\"n\":1,", "\"n\":2,"); return at + 1; },
            "ends at page 11 instead of 12"),
    };

    [Theory]
    [MemberData(nameof(Mutations))]
    public void Parse_BrokenRecording_NamesFileAndLine(string mutation)
    {
        List<string> lines = [.. SampleLines.Value];
        (Func<List<string>, int> change, string reason) = MutationTable[mutation];

        int line = change(lines);
        TraceFormatException error = Assert.Throws<TraceFormatException>(() => TraceReader.Parse("broken.jsonl", Bytes(lines)));

        Assert.Equal(line, error.LineNumber);
        Assert.StartsWith($"broken.jsonl:{line}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_EveryRecording_IsAccepted()
    {
        Assert.Equal(11, Recordings.Names.Count);
        Assert.Equal(4275, Recordings.Names.Sum(static name => Recordings.Read(name).Sequences.Count));
    }

    [Fact]
    public void Parse_LastLineCutOff_SaysTruncated()
    {
        byte[] text = Bytes(SampleLines.Value);

        TraceFormatException error = Assert.Throws<TraceFormatException>(() => TraceReader.Parse("cut.jsonl", text.AsMemory(0, text.Length - 20)));

        Assert.Equal(SampleLines.Value.Length, error.LineNumber);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("core.jsonl.gz", 41)]
    [InlineData("matrix_small.jsonl.gz", 5)]
    public void Parse_LastStepMissing_SaysTruncated(string name, int sequenceLineCount)
    {
        string[] lines = [.. Recordings.Lines(name).Take(sequenceLineCount - 1)];

        TraceFormatException error = Assert.Throws<TraceFormatException>(() => TraceReader.Parse("cut.jsonl", Bytes(lines)));

        Assert.Equal(sequenceLineCount - 1, error.LineNumber);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_EmptyFile_IsRefused() =>
        Assert.Contains("no sequence", Assert.Throws<TraceFormatException>(static () => TraceReader.Parse("empty.jsonl", default)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.9)]
    [InlineData(0.999)]
    public void ReadFile_TruncatedArchive_IsRefused(double share)
    {
        byte[] packed = File.ReadAllBytes(Path.Combine(Recordings.Folder, "extra.jsonl.gz"));
        AssertRefused(packed[..(int)(packed.Length * share)]);
    }

    [Fact]
    public void ReadFile_ArchiveWithAChangedByte_IsRefused()
    {
        byte[] packed = File.ReadAllBytes(Path.Combine(Recordings.Folder, "extra.jsonl.gz"));
        for (int at = 200; at < packed.Length; at += 331)
        {
            byte[] damaged = [.. packed];
            damaged[at] ^= 0x10;
            AssertRefused(damaged);
        }
    }

    [Fact]
    public void ReadFile_NamedArchiveButPlainText_IsRefused() => AssertRefused("not an archive\n"u8.ToArray());

    private static void AssertRefused(byte[] content)
    {
        string path = Path.Combine(Path.GetTempPath(), $"hmmfast-{Guid.NewGuid():N}.jsonl.gz");
        File.WriteAllBytes(path, content);
        try
        {
            TraceFormatException error = Assert.Throws<TraceFormatException>(() => TraceReader.ReadFile(path));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Bytes(IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(static line => line + "\n")));

    private static bool IsHeader(string line) => line.Contains("\"hdr\":1", StringComparison.Ordinal);

    private static string WithSeed(string line, int seed) => $"{{\"seed\":{seed}{line[line.IndexOf(',', StringComparison.Ordinal)..]}";

    /// <summary>Replaces the first occurrence; a mutation that finds nothing would test nothing.</summary>
    private static string Swap(string line, string old, string replacement)
    {
        int at = line.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, $"'{old}' does not stand in: {line}");
        return line[..at] + replacement + line[(at + old.Length)..];
    }
}
