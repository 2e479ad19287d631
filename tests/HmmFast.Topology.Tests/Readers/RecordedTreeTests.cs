using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>Five recorded machines, each as sysfs, lspci text, dump and drawn tree, against what their kernel said (case.json).</summary>
public class RecordedTreeTests
{
    private static readonly Dictionary<string, byte[]> Files = Unpack();

    [Theory]
    [InlineData("tree1")]
    [InlineData("tree4")]
    [InlineData("tree20")]
    [InlineData("tree33")]
    [InlineData("tree35")]
    public void Sysfs_RecordedTree_IsItsCase(string tree)
    {
        MachineDescription machine = MachineReader.Open(Path.Combine(TestFiles.Recordings, "sysfs.tar.gz#" + tree));

        JsonElement recorded = Case(tree);
        Assert.Equal(recorded.GetProperty("cpu").GetProperty("vendor").GetString(), machine.Cpu!.Vendor);
        Assert.Equal(recorded.GetProperty("cpu").GetProperty("family").GetInt32(), machine.Cpu.Family);
        Assert.Equal(recorded.GetProperty("cpu").GetProperty("model").GetInt32(), machine.Cpu.Model);
        AssertTree(recorded, machine, withAcs: true);
    }

    [Theory]
    [InlineData("tree1", "lspci-vvv.txt", true)]
    [InlineData("tree4", "lspci-vvv.txt", true)]
    [InlineData("tree20", "lspci-vvv.txt", true)]
    [InlineData("tree33", "lspci-vvv.txt", true)]
    [InlineData("tree35", "lspci-vvv.txt", true)]
    [InlineData("tree1", "lspci.dump", true)]
    [InlineData("tree4", "lspci.dump", true)]
    [InlineData("tree20", "lspci.dump", true)]
    [InlineData("tree33", "lspci.dump", true)]
    [InlineData("tree35", "lspci.dump", true)]
    [InlineData("tree1", "lspci-t.txt", false)]
    [InlineData("tree4", "lspci-t.txt", false)]
    [InlineData("tree20", "lspci-t.txt", false)]
    [InlineData("tree33", "lspci-t.txt", false)]
    [InlineData("tree35", "lspci-t.txt", false)]
    public void LspciTexts_RecordedTree_AreItsCase(string tree, string file, bool withAcs)
    {
        MachineDescription machine = MachineReader.Parse(Files[$"{tree}/{file}"], file);

        Assert.Null(machine.Cpu);
        AssertTree(Case(tree), machine, withAcs);
    }

    [Theory]
    [InlineData("tree1")]
    [InlineData("tree33")]
    public void Comparison_SysfsAndText_DoNotContradict(string tree)
    {
        MachineDescription sysfs = MachineReader.Open(Path.Combine(TestFiles.Recordings, "sysfs.tar.gz#" + tree));
        MachineDescription text = MachineReader.Parse(Files[$"{tree}/lspci-vvv.txt"], "lspci-vvv.txt");

        Assert.DoesNotContain(MachineComparison.Compare(sysfs, text), static difference => difference.IsContradiction);
    }

    [Fact]
    public void OpenAll_FiveTrees_GivesFiveMachines()
    {
        string path = Path.Combine(TestFiles.Recordings, "sysfs.tar.gz");

        Assert.Equal(5, MachineReader.OpenAll(path).Count);
        MachineReadException several = Assert.Throws<MachineReadException>(() => MachineReader.Open(path));
        Assert.Contains("tree20", several.Message, StringComparison.Ordinal);
        MachineReadException none = Assert.Throws<MachineReadException>(() => MachineReader.Open(path + "#tree99"));
        Assert.Contains("sysfs/tree35", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sysfs_FolderOnDisk_IsTheSameAsPacked()
    {
        string folder = Directory.CreateTempSubdirectory("hmmfast-sysfs-").FullName;
        try
        {
            foreach ((string path, byte[] content) in Files.Where(static file => file.Key.StartsWith("tree35/", StringComparison.Ordinal)))
            {
                string target = Path.Combine(folder, path);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.WriteAllBytes(target, content);
            }

            AssertTree(Case("tree35"), MachineReader.Open(folder), withAcs: true);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonElement Case(string tree) => JsonDocument.Parse(Files[$"{tree}/case.json"]).RootElement;

    private static void AssertTree(JsonElement recorded, MachineDescription machine, bool withAcs)
    {
        var expected = new List<string>();
        var seen = new HashSet<PciAddress>();
        foreach (JsonElement bridge in recorded.GetProperty("host_bridges").EnumerateArray())
        {
            string root = bridge.GetProperty("root_bus").GetString()!;
            HostBridgeDescription read = machine.HostBridges.Single(candidate => candidate.RootBus.ToString() == root);
            Assert.Equal(bridge.GetProperty("first_device").GetString(), read.FirstDevice.ToString());
            Walk(bridge.GetProperty("devices"), null, root, expected, seen, withAcs);
        }

        Assert.Equal(recorded.GetProperty("host_bridges").GetArrayLength(), machine.HostBridges.Count);
        expected.Sort(StringComparer.Ordinal);
        Assert.Equal(string.Join('\n', expected), string.Join('\n', machine.Functions.Select(function => Line(function, withAcs)).Order(StringComparer.Ordinal)));
    }

    private static void Walk(JsonElement nodes, string? parent, string root, List<string> lines, HashSet<PciAddress> seen, bool withAcs)
    {
        foreach (JsonElement node in nodes.EnumerateArray())
        {
            string address = node.GetProperty("bdf").GetString()!;
            Assert.True(seen.Add(PciAddress.Parse(address)));
            string secondary = node.TryGetProperty("secondary_bus", out JsonElement bus) ? bus.GetString()! : "-";
            string line = $"{address} parent {parent ?? root} secondary {secondary}";
            if (withAcs)
            {
                JsonElement type = node.GetProperty("pcie_type");
                bool acs = node.GetProperty("acs").GetBoolean();
                line += $" kind {node.GetProperty("kind").GetString()} ids {node.GetProperty("vendor").GetString()}:{node.GetProperty("device").GetString()}"
                    + $" class {node.GetProperty("class").GetString()![..4]} type {(type.ValueKind == JsonValueKind.Null ? "-" : type.GetInt32())}"
                    + $" acs {(acs ? $"{node.GetProperty("acs_cap").GetString()} {node.GetProperty("acs_ctrl").GetString()}" : "none")}";
            }

            lines.Add(line);
            if (node.TryGetProperty("children", out JsonElement children))
            {
                Walk(children, address, root, lines, seen, withAcs);
            }
        }
    }

    private static string Line(PciFunctionDescription function, bool withAcs)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{function.Address} parent {function.Parent?.ToString() ?? function.RootBus?.ToString()}");
        line.Append(CultureInfo.InvariantCulture, $" secondary {function.SecondaryBus?.ToString("x2", CultureInfo.InvariantCulture) ?? "-"}");
        if (withAcs)
        {
            line.Append(CultureInfo.InvariantCulture, $" kind {JsonNamingPolicy.SnakeCaseLower.ConvertName(function.Kind.ToString())}");
            line.Append(CultureInfo.InvariantCulture, $" ids {function.VendorId:x4}:{function.DeviceId:x4} class {function.ClassCode:x4}");
            line.Append(CultureInfo.InvariantCulture, $" type {(function.IsPcie == false ? "-" : function.PcieType)}");
            line.Append(CultureInfo.InvariantCulture, $" acs {(function.Acs.IsPresent == false ? "none" : $"{function.Acs.Capability:x4} {function.Acs.Control:x4}")}");
        }

        return line.ToString();
    }

    private static Dictionary<string, byte[]> Unpack()
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using FileStream packed = File.OpenRead(Path.Combine(TestFiles.Recordings, "sysfs.tar.gz"));
        using var tar = new TarReader(new GZipStream(packed, CompressionMode.Decompress));
        while (tar.GetNextEntry() is TarEntry entry)
        {
            if (entry.EntryType == TarEntryType.RegularFile)
            {
                byte[] bytes = new byte[entry.Length];
                entry.DataStream?.ReadExactly(bytes);
                files[entry.Name[(entry.Name.IndexOf("tree", StringComparison.Ordinal))..]] = bytes;
            }
        }

        return files;
    }
}
