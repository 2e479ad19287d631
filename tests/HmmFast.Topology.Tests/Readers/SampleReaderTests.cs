using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>One machine in every format: whatever a format carries must agree with the JSON that knows all.</summary>
public class SampleReaderTests
{
    private static readonly MachineDescription Truth = TestFiles.OpenSample("little.json");

    [Fact]
    public void Json_LittleMachine_HasEverything()
    {
        Assert.Equal(8, Truth.Functions.Count);
        Assert.Equal("little", Truth.Name);
        Assert.Equal(106, Truth.Cpu!.Model);
        PciFunctionDescription port = Find(Truth, "0000:02:01.0");
        Assert.Equal(0x20, (int)port.Acs.Control!);
        Assert.True(port.Acs.Redirects);
        PciFunctionDescription virtualFunction = Find(Truth, "0000:04:00.1");
        Assert.Equal("0000:04:00.0", virtualFunction.PhysicalFunction.ToString());
        Assert.Equal("0000:02:01.0", virtualFunction.Parent.ToString());
        Assert.Equal("0000:00", virtualFunction.RootBus.ToString());
        PrivateLinkDescription link = Assert.Single(Truth.Links);
        Assert.Equal("0001:03:00.0", link.ToAddress.ToString());
        Assert.Equal(700.5, link.LatencyNs);
        Assert.Empty(Truth.Unknowns);
    }

    [Theory]
    [InlineData("lspci-vvv.txt", MachineFormat.LspciText)]
    [InlineData("lspci-vvv-nn.txt", MachineFormat.LspciText)]
    public void LspciVvv_LittleMachine_AgreesInAllButTheProcessor(string file, MachineFormat format)
    {
        MachineDescription machine = TestFiles.OpenSample(file);

        Assert.Equal(format, machine.Format);
        Assert.Empty(Contradictions(machine));
        Assert.Equal(["vendor", "family", "model"], Compare(machine).Where(static d => d.Kind == MachineDifferenceKind.KnownRight).Select(static d => d.Fact));
        Assert.Equal([MachineFact.Cpu], machine.Unknowns.Select(static unknown => unknown.Fact));
        BarDescription bar = Find(machine, "0000:03:00.0").Bars![1];
        Assert.Equal((0x20000000000UL, 64UL << 30, true, true), (bar.Start!.Value, bar.SizeBytes!.Value, bar.Is64Bit, bar.IsPrefetchable));
    }

    [Fact]
    public void LspciDump_4096Bytes_AgreesInTreeAndAcs()
    {
        MachineDescription machine = TestFiles.ParseText(LittleMachine.Dump(4096));

        Assert.Equal(MachineFormat.LspciHexDump, machine.Format);
        Assert.Empty(Contradictions(machine));
        Assert.DoesNotContain(machine.Unknowns, static unknown => unknown.Fact is MachineFact.AcsControl or MachineFact.AcsPresence or MachineFact.Parent);
        Assert.Equal("0000:04:00.0", Find(machine, "0000:04:00.1").PhysicalFunction.ToString());
        Assert.Equal(0x101E, (int)Find(machine, "0000:04:00.1").DeviceId!);
    }

    [Theory]
    [InlineData(256, 7, true)]
    [InlineData(64, 7, false)]
    public void LspciDump_WithoutExtendedSpace_LeavesAcsUnknown(int bytes, int unknownAcs, bool knowsPcie)
    {
        MachineDescription machine = TestFiles.ParseText(LittleMachine.Dump(bytes));

        Assert.Equal(unknownAcs, machine.Unknowns.Single(static unknown => unknown.Fact == MachineFact.AcsPresence).Count);
        Assert.False(Find(machine, "0000:00:00.0").Acs.IsPresent);
        Assert.Null(Find(machine, "0000:02:00.0").Acs.Redirects);
        Assert.Equal(knowsPcie, Find(machine, "0000:02:00.0").Kind == PciFunctionKind.SwitchDownstream);
        Assert.Equal("0000:01:00.0", Find(machine, "0000:02:00.0").Parent.ToString());
    }

    [Fact]
    public void LspciNn_AccessDenied_LeavesCapabilitiesUnknown()
    {
        MachineDescription machine = TestFiles.OpenSample("lspci-nn.txt");

        Assert.Equal(3, machine.Functions.Count);
        Assert.Equal(3, machine.Unknowns.Single(static unknown => unknown.Fact == MachineFact.AcsPresence).Count);
        Assert.Equal(0x9765, (int)Find(machine, "0000:01:00.0").DeviceId!);
        Assert.Equal(PciFunctionKind.Bridge, Find(machine, "0000:01:00.0").Kind);
    }

    [Fact]
    public void LspciV_ShortForm_KnowsWhoHasAcsAndNotItsBits()
    {
        MachineDescription machine = TestFiles.OpenSample("lspci-v.txt");

        PciFunctionDescription port = Find(machine, "0000:00:01.0");
        Assert.Equal((true, null, PciFunctionKind.RootPort), (port.Acs.IsPresent, port.Acs.Control, port.Kind));
        Assert.False(Find(machine, "0000:01:00.0").Acs.IsPresent);
        Assert.Equal(1, machine.Unknowns.Single(static unknown => unknown.Fact == MachineFact.AcsControl).Count);
        Assert.Equal([16UL << 20, 64UL << 30, 128UL], Find(machine, "0000:01:00.0").Bars!.Select(static bar => bar.SizeBytes!.Value));
        Assert.Contains("libkmod", Assert.Single(machine.Remarks), StringComparison.Ordinal);
        Assert.Equal(0x09A2, (int)Find(machine, "0000:00:00.0").DeviceId!);
    }

    [Fact]
    public void LspciT_SeveralRoots_GivesTheTreeWithLongDomains()
    {
        MachineDescription machine = TestFiles.OpenSample("lspci-t.txt");

        Assert.Equal(["0000:00", "0000:80", "10000:00"], machine.HostBridges.Select(static bridge => bridge.RootBus.ToString()));
        Assert.Equal("10000:00:00.0", Find(machine, "10000:01:00.0").Parent.ToString());
        Assert.Equal("10000:00", Find(machine, "10000:01:00.0").RootBus.ToString());
        Assert.Equal("0000:80:05.0", machine.HostBridges[1].FirstDevice.ToString());
        Assert.Equal("0000:02:01.0", Find(machine, "0000:04:00.1").Parent.ToString());
        Assert.Equal(0x81, (int)Find(machine, "0000:80:05.0").SecondaryBus!);
        Assert.All(machine.Functions, static function => Assert.Null(function.Acs.IsPresent));
    }

    [Theory]
    [InlineData("hwloc1.xml", 4)]
    [InlineData("hwloc2.xml", 6)]
    [InlineData("hwloc3.xml", 6)]
    public void Hwloc_EveryVersion_AgreesInTheTree(string file, int functions)
    {
        MachineDescription machine = TestFiles.OpenSample(file);

        Assert.Equal(functions, machine.Functions.Count);
        Assert.DoesNotContain(Contradictions(machine), static difference => difference.Kind == MachineDifferenceKind.Differs);
        Assert.Equal("0000:00:01.0", Find(machine, "0000:01:00.0").Parent.ToString());
        Assert.Equal("GenuineIntel", machine.Cpu!.Vendor);
        Assert.Equal(6, machine.Cpu.Family);
        Assert.All(machine.Functions, static function => Assert.Equal(0, function.NumaNode));
        Assert.Null(machine.HostBridges.Single().FirstDevice);
        Assert.Contains(machine.Unknowns, unknown => unknown.Fact == MachineFact.AcsControl && unknown.Count == functions);
    }

    [Theory]
    [InlineData("hwloc2.xml")]
    [InlineData("hwloc3.xml")]
    public void Hwloc_LinkMatrix_GivesBothDirections(string file)
    {
        MachineDescription machine = TestFiles.OpenSample(file);

        Assert.Equal([("nvml0", "Package 0"), ("Package 0", "nvml0")], machine.Links.Select(static link => (link.From, link.To)));
        Assert.All(machine.Links, static link => Assert.Equal(75000, link.BandwidthMegabytesPerSecond));
        Assert.Equal("0000:03:00.0", machine.Links[0].FromAddress.ToString());
        Assert.Equal(MachineDeviceKind.Gpu, machine.Devices.Single(static device => device.Name == "nvml0").Kind);
        Assert.Equal(MachineDeviceKind.Nic, machine.Devices.Single(static device => device.Name == "mlx5_0").Kind);
    }

    [Fact]
    public void Nccl_LittleMachine_SaysThatBridgesAreHidden()
    {
        MachineDescription machine = TestFiles.OpenSample("nccl.xml");

        Assert.DoesNotContain(Contradictions(machine), static difference => difference.Kind == MachineDifferenceKind.Differs);
        PciFunctionDescription gpu = Find(machine, "0000:03:00.0");
        Assert.Equal(("0000:01:00.0", 1), (gpu.Parent.ToString(), gpu.HiddenBridgesAbove));
        Assert.Equal((null, 1), (Find(machine, "0000:01:00.0").Parent, Find(machine, "0000:01:00.0").HiddenBridgesAbove));
        Assert.Equal([("GPU0", "0001:03:00.0", 12), ("GPU0", "CPU0", 1)], machine.Links.Select(static link => (link.From, link.To, link.LinkCount!.Value)));
        Assert.Equal(450000, machine.Links[1].BandwidthMegabytesPerSecond);
        Assert.Equal(MachineDeviceKind.LinkSwitch, machine.Devices.Single(static device => device.Name == "0001:03:00.0").Kind);
    }

    [Fact]
    public void Rccl_ExtendedFamily_IsReadAsTheKernelCountsIt()
    {
        MachineDescription machine = TestFiles.OpenSample("rccl.xml");

        Assert.Equal(("AuthenticAMD", 25), (machine.Cpu!.Vendor, machine.Cpu.Family!.Value));
        Assert.Equal([("GPU0", "GPU1"), ("GPU1", "GPU0")], machine.Links.Select(static link => (link.From, link.To)));
        Assert.All(machine.Links, static link => Assert.Equal((LinkKind.Xgmi, 2), (link.Kind, link.LinkCount!.Value)));
        Assert.Null(Find(machine, "0000:d1:00.0").Link);
        Assert.Equal(32, Find(machine, "0000:c1:00.0").Link!.SpeedGigatransfers);
    }

    [Fact]
    public void Sysfs_LinkedTree_AgreesInEverythingItHas()
    {
        MachineDescription machine = MachineReader.Parse(LittleMachine.Tar(LittleMachine.SysfsFiles()), "sys.tar");

        Assert.Equal(MachineFormat.SysfsTree, machine.Format);
        Assert.Empty(Contradictions(machine));
        Assert.Equal(106, machine.Cpu!.Model);
        Assert.Equal(7, Find(machine, "0000:04:00.1").IommuGroup);
        Assert.Equal(64UL << 30, Find(machine, "0000:03:00.0").Bars![1].SizeBytes);
        Assert.DoesNotContain(machine.Unknowns, static unknown => unknown.Fact is MachineFact.AcsControl or MachineFact.Parent or MachineFact.Cpu);
    }

    [Theory]
    [InlineData(4096, 0)]
    [InlineData(64, 7)]
    public void Sysfs_FlatCopy_FindsParentsByBusNumbers(int configBytes, int unknownAcs)
    {
        MachineDescription machine = MachineReader.Parse(LittleMachine.Tar(LittleMachine.FlatFiles(configBytes)), "copy.tar");

        Assert.Empty(Contradictions(machine));
        Assert.Equal("0000:02:00.0", Find(machine, "0000:03:00.0").Parent.ToString());
        Assert.Equal(unknownAcs, machine.Functions.Count(static function => function.Acs.IsPresent is null));
        Assert.True(Find(machine, "0000:03:00.0").IsPcie);
    }

    [Fact]
    public void Sysfs_NestedFoldersOnly_GiveTheTree()
    {
        var files = LittleMachine.SysfsFiles().Where(static file => file.Key.StartsWith("sys/devices/", StringComparison.Ordinal)).ToDictionary();

        MachineDescription machine = MachineReader.Parse(LittleMachine.Tar(files), "devices.tar");

        Assert.Equal(8, machine.Functions.Count);
        Assert.DoesNotContain(Contradictions(machine), static difference => difference.Subject != "cpu");
        Assert.Equal("0000:02:01.0", Find(machine, "0000:04:00.0").Parent.ToString());
    }

    [Fact]
    public void Sysfs_CopyThatFollowedLinks_HasEveryFunctionOnce()
    {
        Dictionary<string, object> files = LittleMachine.FlatFiles();
        foreach ((string path, object content) in LittleMachine.SysfsFiles().Where(static file => file.Key.StartsWith("sys/devices/", StringComparison.Ordinal)))
        {
            files["copy/" + path["sys/devices/pci0000:00/".Length..]] = content;
        }

        MachineDescription machine = MachineReader.Parse(LittleMachine.Tar(files), "copy.tar");

        Assert.Equal(8, machine.Functions.Count);
        Assert.Empty(Contradictions(machine));
    }

    [Fact]
    public void Lspci_CopiedTerminal_PromptsAreReadOver()
    {
        string text = "[root@little ~]# lspci -vvv\n" + File.ReadAllText(TestFiles.Sample("lspci-vvv.txt")) + "[root@little ~]# \n";

        Assert.Equal(8, TestFiles.ParseText(text).Functions.Count);
    }

    [Fact]
    public void Kfd_TwoGpus_GivesLinksWithBandwidthAndState()
    {
        MachineDescription machine = MachineReader.Parse(LittleMachine.Tar(LittleMachine.KfdFiles()), "kfd.tar");

        Assert.Equal(["10000:42:00.0", "10000:43:00.0"], machine.Functions.Select(static function => function.Address.ToString()));
        Assert.Equal([LinkKind.Pcie, LinkKind.Xgmi, LinkKind.Pcie, LinkKind.Pcie, LinkKind.Xgmi], machine.Links.Select(static link => link.Kind));
        Assert.Equal([true, true, true, true, false], machine.Links.Select(static link => link.IsLive!.Value));
        Assert.Equal(50000, machine.Links[1].BandwidthMegabytesPerSecond);
        Assert.Null(machine.Links[2].BandwidthMegabytesPerSecond);
        Assert.Null(machine.Functions[0].HiddenBridgesAbove);
    }

    [Fact]
    public void NvidiaSmi_TabsAndUnderline_GivesClassesLinksAndNames()
    {
        MachineDescription machine = TestFiles.OpenSample("nvidia-smi-topo.txt");

        Assert.Equal(6, machine.Relations.Count);
        Assert.Equal((RelationClass.NvLink, 12), (machine.Relations[0].Class, machine.Relations[0].LinkCount!.Value));
        Assert.Equal(2, machine.Links.Count);
        Assert.Equal("mlx5_0", machine.Devices[2].Alias);
        Assert.Equal(1, machine.Devices[1].NumaNode);
        Assert.Equal(3, machine.Unknowns.Single(static unknown => unknown.Fact == MachineFact.DeviceAddress).Count);
    }

    [Fact]
    public void Page_ShellOutput_IsPutTogether()
    {
        MachineDescription machine = TestFiles.OpenSample("page.md");

        Assert.Equal(MachineFormat.Markdown, machine.Format);
        Assert.Empty(Contradictions(machine));
        Assert.Equal(0x0302, (int)Find(machine, "0000:03:00.0").ClassCode!);
        Assert.Equal("0000:03:00.0", machine.Devices[0].Address.ToString());
        Assert.Equal((6, 106), (machine.Cpu!.Family, machine.Cpu.Model));
        Assert.Null(Find(machine, "0000:02:00.0").Acs.Redirects);
        Assert.Contains("1 of 2 ACSCtl lines", Assert.Single(machine.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_AllAcsLinesClear_MeansThatNothingRedirects()
    {
        string page = File.ReadAllText(TestFiles.Sample("page.md")).Replace("SrcValid+ TransBlk- ReqRedir-", "SrcValid- TransBlk- ReqRedir-", StringComparison.Ordinal);

        MachineDescription machine = TestFiles.ParseText(page, "page.md");

        Assert.All(machine.Functions, static function => Assert.False(function.Acs.Redirects));
        Assert.Null(Find(machine, "0000:02:00.0").Acs.IsPresent);
    }

    [SkippableFact]
    public void RunningMachine_ThisOne_ReadsOrSaysWhyNot()
    {
        Skip.IfNot(Directory.Exists("/sys/bus/pci/devices"), "no /sys/bus/pci here");
        int folders = Directory.GetDirectories("/sys/bus/pci/devices").Length;
        Skip.If(folders == 0, "no PCI functions here");

        MachineDescription machine = MachineReader.ReadRunningMachine();

        Assert.Equal(folders, machine.Functions.Count);
        Assert.NotEmpty(machine.HostBridges);
        Assert.All(machine.Functions, static function => Assert.NotNull(function.RootBus));
    }

    [Theory]
    [InlineData("little.json")]
    [InlineData("lspci-vvv.txt")]
    [InlineData("lspci-nn.txt")]
    [InlineData("lspci-v.txt")]
    [InlineData("lspci-t.txt")]
    [InlineData("hwloc1.xml")]
    [InlineData("hwloc2.xml")]
    [InlineData("nccl.xml")]
    [InlineData("rccl.xml")]
    [InlineData("nvidia-smi-topo.txt")]
    [InlineData("page.md")]
    public void JsonWriter_EveryFormat_ReadsBackTheSame(string file)
    {
        MachineDescription machine = TestFiles.OpenSample(file);

        MachineDescription again = MachineReader.Parse(MachineJsonWriter.Write(machine), "again.json");

        Assert.Equal(machine.Functions.Select(Comparable), again.Functions.Select(Comparable));
        Assert.Equal(machine.HostBridges, again.HostBridges);
        Assert.Equal(machine.Devices, again.Devices);
        Assert.Equal(machine.Links, again.Links);
        Assert.Equal(machine.Relations, again.Relations);
        Assert.Equal(machine.Cpu, again.Cpu);
        Assert.Equal(machine.Unknowns.Select(static unknown => (unknown.Fact, unknown.Count, unknown.OutOf)),
            again.Unknowns.Select(static unknown => (unknown.Fact, unknown.Count, unknown.OutOf)));
    }

    // Records compare lists by reference; the regions are compared as text.
    private static (PciFunctionDescription, string) Comparable(PciFunctionDescription function) =>
        (function with { Bars = null }, function.Bars is null ? "?" : string.Join(';', function.Bars));

    private static PciFunctionDescription Find(MachineDescription machine, string address) =>
        machine.Find(PciAddress.Parse(address)) ?? throw new InvalidOperationException($"{address} is not in {machine.Source}");

    private static IReadOnlyList<MachineDifference> Compare(MachineDescription machine) => MachineComparison.Compare(
        machine, new MachineDescription(Truth.Source, Truth.Format, Truth.Functions) { Cpu = Truth.Cpu, HostBridges = Truth.HostBridges });

    private static IEnumerable<MachineDifference> Contradictions(MachineDescription machine) =>
        Compare(machine).Where(static difference => difference.IsContradiction && !difference.Subject.StartsWith("Gpu", StringComparison.Ordinal)
            && !difference.Subject.StartsWith("NIC", StringComparison.Ordinal));
}
