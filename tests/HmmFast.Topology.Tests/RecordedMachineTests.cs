using System.Formats.Tar;
using System.IO.Compression;
using HmmFast.Simulation.Machines;
using HmmFast.Simulation.P2pTraces;

namespace HmmFast.Topology.Tests;

/// <summary>The five recorded machines, read from their files and asked every pair: the kernel's own answers must come out.</summary>
public class RecordedMachineTests
{
    private static readonly string Packed = Path.Combine(AppContext.BaseDirectory, "Recordings", "sysfs.tar.gz");

    public static TheoryData<string, string> MachinesAndFiles()
    {
        var data = new TheoryData<string, string>();
        foreach (string tree in new[] { "tree1", "tree4", "tree20", "tree33", "tree35" })
        {
            foreach (string file in new[] { "", "/lspci-vvv.txt", "/lspci.dump" })
            {
                data.Add(tree, file);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(MachinesAndFiles))]
    public void Convert_RecordedMachine_GivesTheKernelsMatrix(string tree, string file)
    {
        P2pTraceCase recorded = ReadCase(tree);
        MachineDescription machine = file.Length == 0
            ? MachineReader.Open($"{Packed}#sysfs/{tree}")
            : MachineReader.Parse(ReadMember($"sysfs/{tree}{file}"), file);
        var cpu = recorded.Cpu!.Value;
        PciTopology topology = TopologyFromMachine.Convert(
            machine.WithCpu(new CpuDescription { Vendor = cpu.Vendor, Family = cpu.Family, Model = cpu.Model }));
        var replayer = new P2pTraceReplayer(_ => new P2PdmaDistance(topology));

        P2pTraceOutcome outcome = replayer.Replay(recorded);

        Assert.Null(outcome.FirstDifference);
        Assert.Equal(recorded.Pairs.Count, outcome.PairCount);
        Assert.True(outcome.PairCount > 0);
    }

    [Theory]
    [MemberData(nameof(MachinesAndFiles))]
    public void Convert_RecordedMachine_LeavesNothingUnknownThatMatters(string tree, string file)
    {
        P2pTraceCase recorded = ReadCase(tree);
        MachineDescription machine = file.Length == 0
            ? MachineReader.Open($"{Packed}#sysfs/{tree}")
            : MachineReader.Parse(ReadMember($"sysfs/{tree}{file}"), file);
        var cpu = recorded.Cpu!.Value;
        PciTopology topology = TopologyFromMachine.Convert(
            machine.WithCpu(new CpuDescription { Vendor = cpu.Vendor, Family = cpu.Family, Model = cpu.Model }));
        var distance = new P2PdmaDistance(topology);

        foreach (P2pTracePair pair in recorded.Pairs)
        {
            var why = P2PdmaExplanation.Explain(distance, topology.IndexOf(pair.Provider), topology.IndexOf(pair.Client));
            Assert.True(why.IsCertain, $"{pair.Provider} -> {pair.Client}: {why.Reason()}");
        }
    }

    private static P2pTraceCase ReadCase(string tree)
    {
        using var stream = new MemoryStream(ReadMember($"sysfs/{tree}/case.json"));
        return Assert.Single(P2pTraceReader.Read(stream, tree));
    }

    private static byte[] ReadMember(string name)
    {
        using FileStream file = File.OpenRead(Packed);
        using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        using var tar = new TarReader(unpacked);
        while (tar.GetNextEntry() is TarEntry entry)
        {
            if (entry.Name.TrimStart('.', '/') == name)
            {
                using var content = new MemoryStream();
                entry.DataStream!.CopyTo(content);
                return content.ToArray();
            }
        }

        throw new FileNotFoundException(name);
    }
}
