using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests;

public class TopologyChangeTests
{
    private static TopologyState Server()
    {
        var builder = new PciTopologyBuilder { Cpu = new CpuIdentity("GenuineIntel", 6) };
        foreach (string bus in new[] { "00", "40" })
        {
            builder.AddHostBridge(new PciHostBridgeSpec { RootBus = PciBusAddress.Parse(bus) });
        }

        void Add(string address, string? parent, bool isBridge, AcsState acs, PcieType type = PcieType.Endpoint, ushort device = 0x2330) => builder.AddFunction(new PciFunctionSpec
        {
            Address = PciAddress.Parse(address),
            Parent = parent is null ? null : PciAddress.Parse(parent),
            IsBridge = isBridge,
            Acs = acs,
            PcieType = type,
            Vendor = 0x8086,
            Device = device,
        });
        var port = AcsState.Present((AcsControl)0x5f, AcsControl.None);
        Add("00:00.0", null, false, AcsState.Absent, PcieType.Conventional, 0x09a2);
        Add("00:01.0", null, true, port, PcieType.RootPort);
        Add("01:00.0", "00:01.0", true, AcsState.Absent, PcieType.SwitchUpstream);
        Add("02:00.0", "01:00.0", true, port, PcieType.SwitchDownstream);
        Add("02:01.0", "01:00.0", true, port, PcieType.SwitchDownstream);
        Add("03:00.0", "02:00.0", false, AcsState.Absent);
        Add("04:00.0", "02:01.0", false, AcsState.Absent);
        Add("04:00.1", "02:01.0", false, AcsState.Absent);
        Add("40:00.0", null, false, AcsState.Absent, PcieType.Conventional, 0x3c00);
        Add("40:01.0", null, true, port, PcieType.RootPort);
        Add("41:00.0", "40:01.0", false, AcsState.Absent);
        return new TopologyState(builder.Build(), HostBridgeList.Linux612);
    }

    private static string Answer(TopologyState state, string provider, string client) =>
        new P2PdmaDistance(state.Topology, state.List).Answer(PciAddress.Parse(provider), PciAddress.Parse(client)).ToString();

    [Theory]
    [InlineData("acs-set=0000:02:00.0", "03:00.0", "04:00.0", "BusAddr 4", "ThruHostBridge 4")]
    [InlineData("acs-set=all", "03:00.0", "04:00.0", "BusAddr 4", "ThruHostBridge 4")]
    [InlineData("iommu=on", "03:00.0", "04:00.0", "BusAddr 4", "ThruHostBridge 4")]
    [InlineData("kernel-list=none", "03:00.0", "00:00.0", "ThruHostBridge 5", "NotSupported -1")]
    [InlineData("kernel-list=linux-6.12", "03:00.0", "41:00.0", "NotSupported -1", "NotSupported -1")]
    [InlineData("cpu=AMD:0x19", "03:00.0", "41:00.0", "NotSupported -1", "ThruHostBridge 6")]
    [InlineData("cpu=Hygon:0x18", "03:00.0", "41:00.0", "NotSupported -1", "NotSupported -1")]
    [InlineData("move=0000:41:00.0,0000:02:00.0", "03:00.0", "41:00.0", "NotSupported -1", "BusAddr 2")]
    [InlineData("move=0000:04:00.0,0000:40:01.0", "04:00.1", "41:00.0", "NotSupported -1", "BusAddr 2")]
    [InlineData("move=0000:04:00.0,0000:00", "04:00.0", "00:00.0", "ThruHostBridge 5", "ThruHostBridge 2")]
    public void Apply_OneChange_ChangesTheAnswer(string change, string provider, string client, string before, string after)
    {
        TopologyState state = Server();
        TopologyState changed = TopologyChange.Apply(state, change);

        Assert.Equal(before, Answer(state, provider, client));
        Assert.Equal(after, Answer(changed, provider, client));
    }

    [Fact]
    public void Apply_IommuOn_SetsOnlyWhatTheCapabilityHas()
    {
        TopologyState changed = TopologyChange.Apply(Server(), "iommu=on");
        AcsState port = changed.Topology.Acs[changed.Topology.IndexOf(PciAddress.Parse("02:00.0"))];

        Assert.Equal(AcsControl.KernelDefault & (AcsControl)0x5f, port.Control);
        Assert.False(changed.Topology.Acs[changed.Topology.IndexOf(PciAddress.Parse("01:00.0"))].IsPresent);
    }

    [Fact]
    public void Apply_MoveOfTheFirstDevice_LetsTheNextOneSpeak()
    {
        TopologyState changed = TopologyChange.Apply(Server(), "move=0000:40:00.0,0000:02:00.0");
        int hostBridge = changed.Topology.HostBridgeOf[changed.Topology.IndexOf(PciAddress.Parse("41:00.0"))];

        Assert.Equal(PciAddress.Parse("40:01.0"), changed.Topology.Addresses[changed.Topology.FirstDevices[hostBridge]]);
    }

    [Fact]
    public void Apply_SetThenClear_IsAsBefore()
    {
        TopologyState state = Server();
        TopologyState back = TopologyChange.Apply(TopologyChange.Apply(state, "acs-set=all"), "acs-clear=all");
        Assert.Equal(state.Topology.Acs.ToArray(), back.Topology.Acs.ToArray());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("iommu=off")]
    [InlineData("acs-clear=xyz")]
    [InlineData("move=0000:03:00.0")]
    [InlineData("kernel-list=linux-9")]
    [InlineData("cpu=AMD")]
    public void Apply_NoChangeAtAll_SaysWhatThereIs(string change)
    {
        FormatException e = Assert.Throws<FormatException>(() => TopologyChange.Apply(Server(), change));
        Assert.Contains("'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acs-clear=0000:99:00.0", "0000:99:00.0")]
    [InlineData("acs-clear=0000:01:00.0", "no ACS capability")]
    [InlineData("move=0000:99:00.0,0000:02:00.0", "0000:99:00.0")]
    [InlineData("move=0000:03:00.0,0000:41:00.0", "not a bridge")]
    [InlineData("move=0000:01:00.0,0000:02:00.0", "above itself")]
    [InlineData("move=0000:03:00.0,0000:77", "disconnected")]
    public void Apply_ImpossibleChange_NamesTheFunction(string change, string says)
    {
        PciTopologyException e = Assert.Throws<PciTopologyException>(() => TopologyChange.Apply(Server(), change));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }
}
