using System.Diagnostics;
using System.Text;
using HmmFast.Simulation.Machines;
using Xunit.Abstractions;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>
/// Mutants of every format's samples: each is read or refused with MachineReadException, within a second. A run has few of them;
/// HMMFAST_FUZZ_MUTANTS=100000 makes the long run, HMMFAST_FUZZ_SEED repeats one.
/// </summary>
public class ReaderFuzzTests(ITestOutputHelper output)
{
    private const int UsualMutants = 800;
    private const int UsualTreeMutants = 300;

    // A mutant of a few kilobytes takes microseconds; a stall of the whole machine must not fail the run.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    private static readonly byte[][] Words =
    [
        .. new[]
        {
            "0", "1", "-1", "255", "256", "65535", "65536", "4294967295", "4294967296", "18446744073709551615", "99999999999999999999", "1e308", "NaN",
            "ffff:ff:1f.7", "00:00.0", "0000:00:00.0", "10000:e1:00.0", "ffffffff:00:00.0", "01", "ff", "[00-ff]", "-[0000:00]-+-", "+-", "\\-", " |", "----",
            "secondary=00", "secondary=ff", "Capabilities: [", "[fff v1]", "<access denied>", "ACSCtl:", "SrcValid+", "Region 5:", "[size=16E]", "stride: 0",
            "Number of VFs: 65535", "<!ENTITY a \"b\">", "&amp;", "&a;", "<![CDATA[", "]]>", "<pci busid=\"", "/>", "<gpu>", "<object type=\"Bridge\"", "version=\"3.0\"",
            "{", "}", "[", "]", ",", ":", "\"", "null", "true", "\"parent\":", "\"unknown\"", "//", "/*", "*/", "```", "$ lspci -t", "me@host:~$ lspci -vvv",
            "GPU0", "NV12", "X", "PIX", "Legend:", "\t", "\n", "\r\n", "\x1b[4m", "type 11", "node_to 1", "\ud83d\ude00", "\u00e9",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0x00], [0xEF, 0xBB, 0xBF], [0x1F, 0x8B],
    ];

    public static TheoryData<string> Samples => new(Directory.GetFiles(TestFiles.Samples).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal).Append("dump"));

    [Theory]
    [MemberData(nameof(Samples))]
    public void Reader_MutatedSample_ReadsOrRefuses(string sample)
    {
        byte[] seed = sample == "dump" ? Encoding.ASCII.GetBytes(LittleMachine.Dump(256, count: 3)) : File.ReadAllBytes(TestFiles.Sample(sample));
        byte[] other = File.ReadAllBytes(TestFiles.Sample(sample == "lspci-vvv.txt" ? "lspci-t.txt" : "lspci-vvv.txt"));
        Run(sample, UsualMutants, random => Mutate(seed, other, random));
    }

    [Theory]
    [InlineData("sysfs")]
    [InlineData("flat")]
    [InlineData("kfd")]
    public void Reader_MutatedTree_ReadsOrRefuses(string kind)
    {
        Dictionary<string, object> files = kind switch
        {
            "sysfs" => LittleMachine.SysfsFiles(),
            "flat" => LittleMachine.FlatFiles(),
            _ => LittleMachine.KfdFiles(),
        };
        string[] paths = [.. files.Keys];
        byte[] tar = LittleMachine.Tar(files);
        Run(kind, UsualTreeMutants, random =>
        {
            // One mutant in four breaks the archive itself; the others break files and links inside a whole one.
            if (random.Next(4) == 0)
            {
                return Mutate(tar, tar, random);
            }

            var mutant = new Dictionary<string, object>(files, StringComparer.Ordinal);
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                string path = paths[random.Next(paths.Length)];
                switch (random.Next(4))
                {
                    case 0:
                        mutant.Remove(path);
                        break;
                    case 1:
                        mutant[path] = new LittleMachine.Link(random.Next(3) == 0 ? "." : "../" + paths[random.Next(paths.Length)]);
                        break;
                    default:
                        mutant[path] = mutant.TryGetValue(path, out object? content) && content is byte[] bytes
                            ? Mutate(bytes, bytes, random) : new LittleMachine.Link("../../../devices/pci0000:00/0000:00:1f.7");
                        break;
                }
            }

            return LittleMachine.Tar(mutant);
        });
    }

    private void Run(string name, int usual, Func<Random, byte[]> mutate)
    {
        int mutants = int.TryParse(Environment.GetEnvironmentVariable("HMMFAST_FUZZ_MUTANTS"), out int wanted) ? wanted : usual;
        int firstSeed = int.TryParse(Environment.GetEnvironmentVariable("HMMFAST_FUZZ_SEED"), out int given) ? given : 20_260;
        int read = 0;
        TimeSpan slowest = TimeSpan.Zero;
        for (int i = 0; i < mutants; i++)
        {
            int seed = unchecked((firstSeed * 1_000_003) + i);
            byte[] mutant = mutate(new Random(seed));
            var clock = Stopwatch.StartNew();
            try
            {
                MachineDescription machine = MachineReader.Parse(mutant, "mutant");
                read++;
                _ = TopologyFromMachine.Convert(machine);
                MachineDescription again = MachineReader.Parse(MachineJsonWriter.Write(machine), "again");
                Assert.Equal(machine.Functions.Select(static function => (function.Address, function.Kind, function.Parent, function.RootBus, function.Acs)),
                    again.Functions.Select(static function => (function.Address, function.Kind, function.Parent, function.RootBus, function.Acs)));
            }
            catch (MachineReadException)
            {
                // Refused, as it may be.
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"{name}: mutant {i} of seed {firstSeed} (Random({seed})) ended in {fault.GetType().Name}: {fault.Message}\n{Convert.ToBase64String(mutant)}", fault);
            }

            TimeSpan elapsed = clock.Elapsed;
            slowest = elapsed > slowest ? elapsed : slowest;
            Assert.True(elapsed < Bound, $"{name}: mutant {i} of seed {firstSeed} took {elapsed}");
        }

        output.WriteLine($"{name}: {mutants} mutants of seed {firstSeed}, {read} read, {mutants - read} refused, slowest {slowest.TotalMilliseconds:f1} ms");
        if (mutants >= UsualTreeMutants)
        {
            // Mutants that are all refused, or all read, would test one half of the reader only.
            Assert.InRange(read, 1, mutants - 1);
        }
    }

    private static byte[] Mutate(byte[] seed, byte[] other, Random random)
    {
        var bytes = new List<byte>(seed);

        // Most mutants have one or two faults, so that they get far; a few have many.
        for (int i = random.Next(8) == 0 ? random.Next(3, 30) : random.Next(1, 3); i > 0; i--)
        {
            int at = random.Next(bytes.Count + 1);
            int length = Math.Min(bytes.Count - at, random.Next(1, 1 << random.Next(1, 9)));
            switch (random.Next(9))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(32, 127);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.InsertRange(at, Words[random.Next(Words.Length)]);
                    break;
                case 5:
                    Replace(bytes, at, random);
                    break;
                case 6 when random.Next(3) == 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 7:
                    int from = random.Next(other.Length + 1);
                    bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(200))]);
                    break;
                default:
                    SwapLines(bytes, random);
                    break;
            }
        }

        return [.. bytes];
    }

    // The word at a place, letters and digits, becomes another word.
    private static void Replace(List<byte> bytes, int at, Random random)
    {
        int start = at;
        while (start > 0 && char.IsAsciiLetterOrDigit((char)bytes[start - 1]))
        {
            start--;
        }

        int end = at;
        while (end < bytes.Count && char.IsAsciiLetterOrDigit((char)bytes[end]))
        {
            end++;
        }

        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, Words[random.Next(Words.Length)]);
    }

    private static void SwapLines(List<byte> bytes, Random random)
    {
        int first = bytes.IndexOf((byte)'\n', random.Next(bytes.Count + 1));
        int second = first < 0 ? -1 : bytes.IndexOf((byte)'\n', first + 1);
        int third = second < 0 ? -1 : bytes.IndexOf((byte)'\n', second + 1);
        if (third > 0)
        {
            List<byte> line = bytes.GetRange(first + 1, second - first);
            bytes.RemoveRange(first + 1, second - first);
            bytes.InsertRange(third - line.Count + 1, line);
        }
    }
}
