using HmmFast.Simulation.P2pTraces;

namespace HmmFast.Topology.Tests;

public class P2pRecordingTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Recordings");

    [Theory]
    [InlineData("p2p.jsonl.gz", 1052, 62260)]
    [InlineData("extra.jsonl.gz", 108, 7002)]
    public void Engine_EveryRecordedPair_AgreesWithTheKernel(string file, int cases, int pairs)
    {
        var replayer = new P2pTraceReplayer();
        replayer.ReplayFile(Path.Combine(Folder, file));

        Assert.Empty(replayer.Failures.Select(failure => $"{failure.Name}: {failure.FirstDifference}"));
        Assert.Equal(cases, replayer.PassedCount);
        Assert.Equal(pairs, replayer.PairCount);
        Assert.True(replayer.DmaCount > pairs / 10, $"only {replayer.DmaCount} pairs carry a mapped page");
    }

    [Theory]
    [InlineData("p2p.jsonl.gz", 1052)]
    [InlineData("extra.jsonl.gz", 108)]
    public void Reference_EveryRecordedPair_AgreesWithTheKernel(string file, int cases)
    {
        var replayer = new P2pTraceReplayer(static read => read.Reference());
        replayer.ReplayFile(Path.Combine(Folder, file));

        Assert.Empty(replayer.Failures.Select(failure => $"{failure.Name}: {failure.FirstDifference}"));
        Assert.Equal(cases, replayer.PassedCount);
    }

    [Fact]
    public void Replay_WrongRule_FailsEveryCaseItTouches()
    {
        // A check that cannot fail is a defect: a rule that is wrong by one hop must fail every case.
        var replayer = new P2pTraceReplayer(static read => new OneHopMore(read.Engine()));
        replayer.ReplayFile(Path.Combine(Folder, "extra.jsonl.gz"));

        Assert.Equal(0, replayer.PassedCount);
        Assert.Contains("recorded", replayer.Failures[0].FirstDifference, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadFile_CutShort_NamesFileAndLine()
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(Folder, "extra.jsonl.gz"));
        using var half = new MemoryStream(whole[..(whole.Length / 2)]);

        P2pTraceFormatException e = Assert.Throws<P2pTraceFormatException>(() => P2pTraceReader.Read(half, "half.gz").Count());

        Assert.StartsWith("half.gz:", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no case")]
    [InlineData("[1,2]", "is a JSON object")]
    [InlineData("{\"tree\":1}", "\"case\"")]
    [InlineData("{\"tree\":1,\"case\":\"x\",\"host_bridges\":[],\"matrix\":[[\"0000:00:00.0\",\"0000:00:00.0\",0,\"sideways\",null,true]]}", "sideways")]
    [InlineData("{\"tree\":1,\"case\":\"x\",\"host_bridges\":[],\"matrix\":[[\"00:00.9\",\"0000:00:00.0\",0,\"bus_addr\",null,true]]}", "00:00.9")]
    public void Read_NotACase_SaysWhatIsWrong(string text, string expected)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));

        P2pTraceFormatException e = Assert.Throws<P2pTraceFormatException>(() => P2pTraceReader.Read(stream, "a.jsonl").Count());

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.StartsWith("a.jsonl", e.Message, StringComparison.Ordinal);
    }

    private sealed class OneHopMore(IP2PdmaDistance right) : IP2PdmaDistance
    {
        public P2PdmaAnswer Answer(PciAddress provider, PciAddress client)
        {
            P2PdmaAnswer answer = right.Answer(provider, client);
            return new P2PdmaAnswer(answer.MapType, answer.Hops + 1);
        }
    }
}
