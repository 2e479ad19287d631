using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests;

public class P2PdmaScenarioTests
{
    private static PciFunctionSpec At(string address, string? parent = null, bool isBridge = false, AcsControl control = AcsControl.None) => new()
    {
        Address = PciAddress.Parse(address),
        Parent = parent is null ? null : PciAddress.Parse(parent),
        IsBridge = isBridge,
        PcieType = isBridge && parent is null ? PcieType.RootPort : PcieType.Endpoint,
        Vendor = 0x8086,
        Device = 0x29c0,
        Acs = AcsState.Present((AcsControl)0x7f, control),
    };

    private static PciTopologyBuilder Switch(AcsControl port)
    {
        var builder = new PciTopologyBuilder { Cpu = new CpuIdentity("GenuineIntel", 6) };
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = PciBusAddress.Parse("00") });
        PciFunctionSpec[] functions =
        [
            At("00:01.0", null, true), At("01:00.0", "00:01.0", true), At("02:00.0", "01:00.0", true, port), At("02:01.0", "01:00.0", true),
            At("03:00.0", "02:00.0"), At("04:00.0", "02:01.0"), At("00:02.0"),
        ];
        foreach (PciFunctionSpec function in functions)
        {
            builder.AddFunction(function);
        }

        return builder;
    }

    private static P2PdmaExplanation Explain(PciTopology topology, string provider, string client, HostBridgeList? list = null) =>
        P2PdmaExplanation.Explain(
            new P2PdmaDistance(topology, list), topology.IndexOf(PciAddress.Parse(provider)), topology.IndexOf(PciAddress.Parse(client)));

    [Fact]
    public void Explain_RedirectOnOnePort_NamesPortAndBitAndHostBridge()
    {
        P2PdmaExplanation why = Explain(Switch(AcsControl.RequestRedirect | AcsControl.UpstreamForwarding).Build(), "03:00.0", "04:00.0");

        Assert.Equal("NotSupported -1", why.Answer.ToString());
        Assert.Equal("0000:02:00.0 (RR)", Assert.Single(why.Redirectors).ToString());
        Assert.Equal("0000:03:00.0 > 0000:02:00.0 > [0000:01:00.0] > 0000:02:01.0 > 0000:04:00.0", why.PathText());
        Assert.Equal(
            "Both meet at 0000:01:00.0, but ACS sends the traffic up: 0000:02:00.0 (RR). "
            + "Host bridge 0000:00: 0000:00:01.0 [8086:29c0] speaks for it and is on no line of linux-6.12 (kernel 6.12); so it is refused.",
            why.Reason());
    }

    [Fact]
    public void Explain_LineAddedByHand_NamesTheLine()
    {
        P2PdmaExplanation why = Explain(
            Switch(AcsControl.EgressControl).Build(), "03:00.0", "04:00.0", HostBridgeList.Parse("linux-6.12,8086:29c0:same"));

        Assert.Equal(P2PdmaMapType.ThruHostBridge, why.Answer.MapType);
        Assert.Contains("is line 11 of", why.Reason(), StringComparison.Ordinal);
        Assert.Contains("8086:29c0 (same host bridge only); so it passes.", why.Reason(), StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_UnknownAcs_GivesBothAnswersAndNamesThePort()
    {
        PciTopologyBuilder builder = Switch(AcsControl.None);
        PciFunctionSpec port = builder.Function(PciAddress.Parse("02:01.0"));
        builder.ReplaceFunction(port with { Acs = AcsState.Unknown });

        P2PdmaExplanation why = Explain(builder.Build(), "03:00.0", "04:00.0");

        Assert.False(why.IsCertain);
        Assert.Equal(["BusAddr 4", "NotSupported -1"], why.PossibleAnswers.Select(answer => answer.ToString()));
        Assert.Equal(PciAddress.Parse("02:01.0"), Assert.Single(why.UnknownAcs));
    }

    [Fact]
    public void Explain_UnknownProcessor_GivesBothAnswers()
    {
        PciTopologyBuilder builder = Switch(AcsControl.None);
        builder.Cpu = null;

        P2PdmaExplanation why = Explain(builder.Build(), "03:00.0", "00:02.0");

        Assert.Equal(["ThruHostBridge 5", "NotSupported -1"], why.PossibleAnswers.Select(answer => answer.ToString()));
        Assert.Contains("AuthenticAMD family 0x17", why.Reason(), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_SeveralClients_AddsUpOrRefusesAll()
    {
        PciTopology topology = Switch(AcsControl.None).Build();
        var distance = new P2PdmaDistance(topology);
        int provider = topology.IndexOf(PciAddress.Parse("03:00.0"));
        int near = topology.IndexOf(PciAddress.Parse("04:00.0"));
        int far = topology.IndexOf(PciAddress.Parse("00:02.0"));

        Assert.Equal(4, distance.Many(provider, [provider, near]));
        Assert.Equal(-1, distance.Many(provider, [near, far]));
        Assert.Equal(-1, distance.Many(provider, [near, -1]));
        Assert.Equal(-1, distance.Many(provider, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => distance.Many(provider, [topology.Count]));
    }

    [Fact]
    public void FillRow_TooShort_NamesBothLengths()
    {
        PciTopology topology = Switch(AcsControl.None).Build();
        ArgumentException e = Assert.Throws<ArgumentException>(() => new P2PdmaDistance(topology).FillRow(0, new P2PdmaAnswer[topology.Count - 1]));
        Assert.Contains("7 answers, this one 6", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FillRow_WarmedUp_AllocatesNothing()
    {
        PciTopology topology = Switch(AcsControl.None).Build();
        var distance = new P2PdmaDistance(topology);
        var row = new P2PdmaAnswer[topology.Count];
        distance.FillRow(0, row);

        // A collection that another test sets off meanwhile can show as bytes of this thread; what a call allocates shows every time.
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            distance.FillRow(0, row);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void Convert_FunctionWithoutKnownRoot_IsAnsweredWithEverythingPossible()
    {
        PciFunctionDescription Gpu(string address, string? parent) => new()
        {
            Address = PciAddress.Parse(address),
            Parent = parent is null ? null : PciAddress.Parse(parent),
            HiddenBridgesAbove = parent is null ? null : 0,
        };
        PciTopology topology = TopologyFromMachine.Convert(new MachineDescription(
            "test", MachineFormat.NcclXml, [Gpu("10:00.0", null), Gpu("11:00.0", "10:00.0"), Gpu("12:00.0", "10:00.0"), Gpu("20:00.0", null)]));

        Assert.Equal(["BusAddr 2", "ThruHostBridge 2", "NotSupported -1"], Explain(topology, "11:00.0", "12:00.0").PossibleAnswers.Select(a => a.ToString()));
        P2PdmaExplanation apart = Explain(topology, "11:00.0", "20:00.0");
        Assert.True(apart.MayMeetUnseen);
        Assert.Equal(3, apart.PossibleAnswers.Count);
    }

    [Theory]
    [InlineData("linux-2.4", "linux-6.12")]
    [InlineData("linux-6.12,zz", "'zz'")]
    [InlineData("linux-6.12,8086:3c00", "8086:3c00")]
    [InlineData("linux-6.12,8086:6f00:other", "8086:6f00:other")]
    public void HostBridgeList_ParseOfSomethingElse_SaysWhatIsWrong(string text, string says)
    {
        FormatException e = Assert.Throws<FormatException>(() => HostBridgeList.Parse(text));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }
}
