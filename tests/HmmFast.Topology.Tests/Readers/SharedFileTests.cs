using System.Diagnostics;
using System.Text.RegularExpressions;
using HmmFast.Simulation.Machines;
using Xunit.Abstractions;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>
/// Real machines' files, kept outside the repository: each must read as its golden summary says, which was checked by eye against
/// the file, and must agree with counts taken from the text by plain search. Skipped where the files are not there.
/// </summary>
public class SharedFileTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(1);

    [SkippableTheory]
    [InlineData("hwloc/24em64t-2n6c2t-pci.xml")]
    [InlineData("hwloc/32em64t-2n8c2t-pci-wholeio.xml")]
    [InlineData("hwloc/nvidiaDGX2.v3.xml")]
    [InlineData("hwloc/nvidiaDGX2.xml")]
    [InlineData("hwloc/power8gpudistances.xml")]
    [InlineData("kfd/topo-mi210-xgmi-pcie.tar.gz")]
    [InlineData("lspci/gpud-dell-8xH100-lspci-vvv.txt")]
    [InlineData("lspci/stelline-asus-esc8000a-e12.md")]
    [InlineData("nccl/aws-p4d-24xl-topo.xml")]
    [InlineData("nccl/ncv4-topo.xml")]
    [InlineData("nccl/ndv4-topo.xml")]
    [InlineData("nccl/topo_4p1h.xml")]
    [InlineData("nccl/topo_8p_940.xml")]
    [InlineData("nccl/topo_8p_pcie.xml")]
    [InlineData("nvidia-smi/asus-4xRTX6000Ada-4xCX7-topo-m.txt")]
    public void SharedFile_Each_ReadsAsItsGoldenSummary(string file)
    {
        string path = Shared(file);
        MachineDescription machine = MachineReader.Open(path);
        var clock = Stopwatch.StartNew();
        machine = MachineReader.Open(path);
        TimeSpan elapsed = clock.Elapsed;

        string golden = Path.Combine(TestFiles.Golden, Path.GetFileName(file) + ".summary.txt");
        Assert.Equal(File.ReadAllText(golden), MachineSummary.Of(machine));
        output.WriteLine($"{file}: {elapsed.TotalMilliseconds:f1} ms");
        Assert.True(elapsed < Bound, $"{file} took {elapsed}; {Bound} is the bound");
    }

    [SkippableFact]
    public void SharedFolder_EveryFile_HasAGoldenSummary()
    {
        Skip.If(TestFiles.Shared is null, "../shared/topologies is not there");
        IEnumerable<string> files = Directory.GetFiles(TestFiles.Shared, "*", SearchOption.AllDirectories).Select(static file => Path.GetFileName(file)!)
            .Where(static name => name != "README.md" && name != "COPYING" && !name.StartsWith("LICENSE", StringComparison.Ordinal));

        Assert.All(files, static name => Assert.True(File.Exists(Path.Combine(TestFiles.Golden, name + ".summary.txt")), name));
    }

    [SkippableFact]
    public void Lspci_DellServer_CountsAgreeWithPlainSearch()
    {
        string path = Shared("lspci/gpud-dell-8xH100-lspci-vvv.txt");
        string text = File.ReadAllText(path);
        MachineDescription machine = MachineReader.Open(path);

        Assert.Equal(Count(text, @"^[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] "), machine.Functions.Count);
        Assert.Equal(Count(text, @"^\S+ PCI bridge: "), machine.Functions.Count(static function => function.IsBridge));
        Assert.Equal(Count(text, "Access Control Services"), machine.Functions.Count(static function => function.Acs.IsPresent == true));
        Assert.Equal(Count(text, @"ACSCtl:.*(ReqRedir|CmpltRedir|EgressCtrl)\+"), machine.Functions.Count(static function => function.Acs.Redirects == true));
        Assert.Equal(Count(text, "Express \\(v2\\) Root Port"), machine.Functions.Count(static function => function.Kind == PciFunctionKind.RootPort));
        Assert.Equal(Count(text, "NUMA node: 1"), machine.Functions.Count(static function => function.NumaNode == 1));
        Assert.Equal(Count(text, "LnkSta:.*32GT/s"), machine.Functions.Count(static function => function.Link?.SpeedGigatransfers == 32));
        Assert.Equal(Count(text, @"^\tRegion \d: "), machine.Functions.Sum(static function => function.Bars!.Count));

        // Every bridge's bus is somebody's: a device below no listed bridge must sit on a root bus.
        string[] buses = [.. Regex.Matches(text, @"secondary=([0-9a-f]{2})").Select(static match => match.Groups[1].Value)];
        string[] roots = [.. Regex.Matches(text, @"(?m)^([0-9a-f]{2}):[0-9a-f]{2}\.").Select(static match => match.Groups[1].Value).Distinct().Except(buses)];
        Assert.Equal(roots.Order(StringComparer.Ordinal), machine.HostBridges.Select(static bridge => bridge.RootBus.ToString()[5..]));
    }

    [SkippableFact]
    public void Lspci_DellServer_AGpuIsWhereTheTextPutsIt()
    {
        MachineDescription machine = MachineReader.Open(Shared("lspci/gpud-dell-8xH100-lspci-vvv.txt"));
        PciFunctionDescription gpu = machine.Functions.First(static function => function.ClassCode == 0x0302);
        PciFunctionDescription above = machine.Find(gpu.Parent!.Value)!;

        Assert.Equal(PciFunctionKind.SwitchDownstream, above.Kind);
        Assert.Equal(gpu.Address.Bus, above.SecondaryBus);
        Assert.Equal(PciFunctionKind.SwitchUpstream, machine.Find(above.Parent!.Value)!.Kind);
        Assert.Equal(0x09A2, (int)machine.Find(machine.HostBridges.Single(bridge => bridge.RootBus == gpu.RootBus).FirstDevice!.Value)!.DeviceId!);
    }

    [SkippableTheory]
    [InlineData("hwloc/24em64t-2n6c2t-pci.xml")]
    [InlineData("hwloc/nvidiaDGX2.v3.xml")]
    [InlineData("hwloc/nvidiaDGX2.xml")]
    [InlineData("hwloc/power8gpudistances.xml")]
    public void Hwloc_SharedFile_CountsAgreeWithPlainSearch(string file)
    {
        string path = Shared(file);
        string text = File.ReadAllText(path);
        MachineDescription machine = MachineReader.Open(path);

        Assert.Equal(Count(text, "bridge_type=\"0-1\""), machine.HostBridges.Count);
        Assert.Equal(Count(text, "bridge_type=\"1-1\""), machine.Functions.Count(static function => function.IsBridge));
        Assert.Equal(Count(text, "type=\"PCIDev\""), machine.Functions.Count(static function => !function.IsBridge));
        Assert.Equal(Count(text, "type=\"OSDev\"") + Count(text, "type=\"Package\""), machine.Devices.Count);
    }

    [SkippableTheory]
    [InlineData("nccl/aws-p4d-24xl-topo.xml")]
    [InlineData("nccl/ncv4-topo.xml")]
    [InlineData("nccl/ndv4-topo.xml")]
    [InlineData("nccl/topo_4p1h.xml")]
    [InlineData("nccl/topo_8p_940.xml")]
    [InlineData("nccl/topo_8p_pcie.xml")]
    public void Nccl_SharedFile_CountsAgreeWithPlainSearch(string file)
    {
        string path = Shared(file);
        string text = File.ReadAllText(path);
        MachineDescription machine = MachineReader.Open(path);

        Assert.Equal(Count(text, "<pci "), machine.Functions.Count);
        Assert.Equal(Count(text, "<(xgmi|nvlink) "), machine.Links.Count);
        Assert.Equal(Count(text, "<(cpu|gpu|net) "), machine.Devices.Count);
    }

    [SkippableFact]
    public void Hwloc_TwoVersionsOfOneMachine_DoNotDiffer()
    {
        MachineDescription two = MachineReader.Open(Shared("hwloc/nvidiaDGX2.xml"));
        MachineDescription three = MachineReader.Open(Shared("hwloc/nvidiaDGX2.v3.xml"));

        Assert.Empty(MachineComparison.Compare(two, three));
    }

    [SkippableFact]
    public void NvidiaSmi_MatrixAloneAndInThePage_AreTheSame()
    {
        MachineDescription alone = MachineReader.Open(Shared("nvidia-smi/asus-4xRTX6000Ada-4xCX7-topo-m.txt"));
        MachineDescription page = MachineReader.Open(Shared("lspci/stelline-asus-esc8000a-e12.md"));

        Assert.Equal(alone.Relations, page.Relations);
        Assert.Equal(["0000:01:00.0", "0000:41:00.0", "0000:c1:00.0", "0000:e1:00.0"],
            page.Devices.Where(static device => device.Kind == MachineDeviceKind.Gpu).Select(static device => device.Address.ToString()!));
    }

    private static string Shared(string file)
    {
        Skip.If(TestFiles.Shared is null, "../shared/topologies is not there");
        return Path.Combine(TestFiles.Shared!, file);
    }

    private static int Count(string text, string pattern) => Regex.Count(text, pattern, RegexOptions.Multiline);
}
