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

    [Fact]
    public void Read_LineWithoutEnd_IsRefusedAtTheBound()
    {
        using var packed = new MemoryStream();
        using (var zip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] block = new byte[1 << 20];
            Array.Fill(block, (byte)'[');
            for (int i = 0; i < 20; i++)
            {
                zip.Write(block);
            }
        }

        packed.Position = 0;
        P2pTraceFormatException e = Assert.Throws<P2pTraceFormatException>(() => P2pTraceReader.Read(packed, "bomb.gz").Count());
        Assert.Contains($"{P2pTraceReader.MaxLineLength}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_MutatedCases_AreReadOrRefused()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        P2pTraceCase read = P2pTraceReader.ReadFile(Path.Combine(Folder, "extra.jsonl.gz")).First();
        string line = FirstLine(Path.Combine(Folder, "extra.jsonl.gz"));
        int readable = 0;
        for (int mutant = 0; mutant < 2000; mutant++)
        {
            string text = Mutate(line, random);
            try
            {
                var replayer = new P2pTraceReplayer(mutant % 2 == 0 ? null : static changed => changed.Reference());
                replayer.Replay(P2pTraceReader.ParseCase(text, "mutant", 1));
                readable++;
            }
            catch (P2pTraceFormatException e)
            {
                Assert.StartsWith("mutant:1: ", e.Message, StringComparison.Ordinal);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, mutant {mutant}: {e}");
            }
        }

        // Both ways must be taken, or the test says nothing.
        Assert.InRange(readable, 1, 1999);
        Assert.NotEmpty(read.Pairs);
    }

    private static string FirstLine(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var unpacked = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        return reader.ReadLine()!;
    }

    private static string Mutate(string line, Random random)
    {
        var text = new System.Text.StringBuilder(line);
        int count = 1 + random.Next(3);
        for (int i = 0; i < count; i++)
        {
            int at = random.Next(text.Length);
            switch (random.Next(5))
            {
                case 0:
                    text.Remove(at, Math.Min(text.Length - at, 1 + random.Next(40)));
                    break;
                case 1:
                    text[at] = (char)random.Next(32, 127);
                    break;
                case 2:
                    text.Insert(at, "0123456789abcdef"[random.Next(16)]);
                    break;
                case 3:
                    text.Insert(at, text.ToString(at, Math.Min(text.Length - at, random.Next(200))));
                    break;
                default:
                    text.Length = Math.Max(1, random.Next(8) == 0 ? at : text.Length);
                    break;
            }
        }

        return text.ToString();
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
