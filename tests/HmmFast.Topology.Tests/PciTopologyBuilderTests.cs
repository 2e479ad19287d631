namespace HmmFast.Topology.Tests;

public class PciTopologyBuilderTests
{
    private static readonly PciBusAddress Root = PciBusAddress.Parse("0000:00");

    private static PciFunctionSpec Function(string address, string? parent = null, bool isBridge = false) => new()
    {
        Address = PciAddress.Parse(address),
        Parent = parent is null ? null : PciAddress.Parse(parent),
        IsBridge = isBridge,
        Acs = AcsState.Absent,
    };

    private static PciTopologyBuilder Builder(params PciFunctionSpec[] functions)
    {
        var builder = new PciTopologyBuilder();
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = Root });
        foreach (PciFunctionSpec function in functions)
        {
            builder.AddFunction(function);
        }

        return builder;
    }

    private static void AssertRefused(PciTopologyBuilder builder, params string[] says)
    {
        PciTopologyException e = Assert.Throws<PciTopologyException>(() => builder.Build());
        Assert.All(says, text => Assert.Contains(text, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Build_BridgesInACircle_NamesTheCircle() => AssertRefused(
        Builder(Function("01:00.0", "02:00.0", true), Function("02:00.0", "01:00.0", true), Function("00:00.0")),
        "above itself",
        "0000:01:00.0",
        "0000:02:00.0");

    [Fact]
    public void Build_BridgeAboveItself_NamesIt() => AssertRefused(Builder(Function("01:00.0", "01:00.0", true)), "above itself", "0000:01:00.0");

    [Fact]
    public void Build_LongCircleWithATail_IsRefused()
    {
        PciFunctionSpec[] functions = new PciFunctionSpec[200];
        for (int i = 0; i < functions.Length; i++)
        {
            // Function i hangs below i + 1; the last hangs below the hundredth, so the first hundred are a tail.
            functions[i] = Function($"{i:x2}:01.0", $"{(i == 199 ? 100 : i + 1):x2}:01.0", true);
        }

        AssertRefused(Builder(functions), "above itself", "...");
    }

    [Fact]
    public void Build_ParentMissing_SaysDisconnected() =>
        AssertRefused(Builder(Function("01:00.0", "00:01.0")), "0000:01:00.0", "disconnected", "0000:00:01.0");

    [Fact]
    public void Build_RootBusMissing_SaysDisconnected() => AssertRefused(Builder(Function("7f:00.0")), "0000:7f:00.0", "disconnected", "0000:7f");

    [Fact]
    public void Build_ParentIsNoBridge_NamesIt() =>
        AssertRefused(Builder(Function("00:01.0"), Function("01:00.0", "00:01.0")), "0000:00:01.0", "not a bridge");

    [Fact]
    public void Build_PhysicalFunctionMissing_NamesIt() =>
        AssertRefused(Builder(Function("00:01.1") with { PhysicalFunction = PciAddress.Parse("00:01.0") }), "physical function 0000:00:01.0");

    [Fact]
    public void Build_VirtualFunctionOfAVirtualFunction_IsRefused() => AssertRefused(
        Builder(
            Function("00:01.0"),
            Function("00:01.1") with { PhysicalFunction = PciAddress.Parse("00:01.0") },
            Function("00:01.2") with { PhysicalFunction = PciAddress.Parse("00:01.1") }),
        "virtual function itself");

    [Fact]
    public void Build_FirstDeviceNotOnItsBus_IsRefused()
    {
        var builder = new PciTopologyBuilder();
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = Root, FirstDevice = PciAddress.Parse("00:05.0") });
        AssertRefused(builder, "0000:00:05.0", "first device");
    }

    [Fact]
    public void Build_LinkToNowhere_IsRefused()
    {
        PciTopologyBuilder builder = Builder(Function("00:01.0"));
        builder.AddPrivateLink(new PrivateLinkSpec
        {
            From = PciAddress.Parse("00:01.0"),
            To = PciAddress.Parse("00:02.0"),
            Kind = PrivateLinkKind.NvLink,
        });
        AssertRefused(builder, "0000:00:02.0", "NvLink");
    }

    [Fact]
    public void Build_TooDeep_NamesTheBound()
    {
        PciTopologyBuilder builder = Builder(Function("00:00.0", isBridge: true));
        for (int i = 1; i <= PciTopologyBuilder.MaxDepth; i++)
        {
            builder.AddFunction(Function($"{i / 256:x}:{i % 256:x2}:00.0", $"{(i - 1) / 256:x}:{(i - 1) % 256:x2}:00.0", true));
        }

        AssertRefused(builder, "257 bridges deep", "256");
    }

    [Fact]
    public void AddFunction_AddressTwice_IsRefused()
    {
        PciTopologyBuilder builder = Builder(Function("00:01.0"));
        PciTopologyException e = Assert.Throws<PciTopologyException>(() => builder.AddFunction(Function("00:01.0")));
        Assert.Contains("0000:00:01.0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddHostBridge_RootBusTwice_IsRefused()
    {
        PciTopologyBuilder builder = Builder();
        PciTopologyException e = Assert.Throws<PciTopologyException>(() => builder.AddHostBridge(new PciHostBridgeSpec { RootBus = Root }));
        Assert.Contains("0000:00", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddFunction_ValuesOutOfBounds_NameValueAndBound()
    {
        PciFunctionSpec right = Function("00:01.0");
        PciFunctionSpec[] wrong =
        [
            right with { LinkWidth = 33 }, right with { LinkWidth = 0 }, right with { LinkSpeedMtps = 2_000_000 }, right with { ClassCode = 0x1000000 },
            right with { NumaNode = -1 }, right with { IommuGroup = -2 }, right with { HiddenBridgesAbove = 1000 }, right with { PcieType = (PcieType)13 },
        ];
        foreach (PciFunctionSpec function in wrong)
        {
            PciTopologyException e = Assert.Throws<PciTopologyException>(() => Builder(function));
            Assert.StartsWith("0000:00:01.0: ", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AddPrivateLink_ValuesOutOfBounds_AreRefused()
    {
        var right = new PrivateLinkSpec { From = PciAddress.Parse("00:01.0"), Kind = PrivateLinkKind.XGmi };
        PrivateLinkSpec[] wrong =
        [
            right with { Kind = (PrivateLinkKind)9 }, right with { To = right.From }, right with { LinkCount = 0 },
            right with { BandwidthBytesPerSecond = double.NaN }, right with { BandwidthBytesPerSecond = -1 }, right with { LatencyNs = double.PositiveInfinity },
        ];
        foreach (PrivateLinkSpec link in wrong)
        {
            Assert.Throws<PciTopologyException>(() => Builder().AddPrivateLink(link));
        }
    }

    [Fact]
    public void Build_WideDomains_KeepsThem()
    {
        var builder = new PciTopologyBuilder();
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = PciBusAddress.Parse("ffffffff:e0") });
        builder.AddFunction(Function("ffffffff:e0:1f.7"));
        PciTopology topology = builder.Build();

        Assert.Equal(0xffffffffu, topology.Addresses[0].Domain);
        Assert.Equal("ffffffff:e0:1f.7", topology.Addresses[0].ToString());
        Assert.True(topology.TryFind(PciAddress.Parse("ffffffff:e0:1f.7"), out _));
    }

    [Fact]
    public void Build_BridgeWithoutChildren_IsAMachine()
    {
        PciTopology topology = Builder(Function("00:01.0", isBridge: true)).Build();
        Assert.Equal(1, topology.SubtreeEnds[0]);
    }

    [Fact]
    public void Build_NothingAtAll_IsAnEmptyMachine()
    {
        PciTopology topology = new PciTopologyBuilder().Build();
        Assert.Equal(0, topology.Count);
        Assert.Equal(0, P2PdmaMatrix.Compute(new P2PdmaDistance(topology)).Count);
    }

    [Fact]
    public void ToBuilder_RandomMachines_BuildsTheSameAgain()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            PciTopology once = HmmFast.Properties.Topology.RandomMachine.Make(seed).Build();
            PciTopology twice = once.ToBuilder().Build();
            for (int i = 0; i < once.Count; i++)
            {
                Assert.Equal(once.Describe(i), twice.Describe(i));
            }

            Assert.Equal(once.FirstDevices.ToArray(), twice.FirstDevices.ToArray());
            Assert.Equal(once.RootBuses.ToArray(), twice.RootBuses.ToArray());
        }
    }

    [Theory]
    [InlineData("0000:00:00.0")]
    [InlineData("ffff:ff:1f.7")]
    [InlineData("10000:e1:00.0")]
    public void PciAddress_Parse_IsWrittenBack(string text) => Assert.Equal(text, PciAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("00:20.0")]
    [InlineData("00:00.8")]
    [InlineData("100:00.0")]
    [InlineData("123456789:00:00.0")]
    [InlineData("00:00")]
    [InlineData(" 00:00.0")]
    [InlineData("+0:00.0")]
    [InlineData("0000:00:00.0 ")]
    public void PciAddress_ParseOfSomethingElse_QuotesIt(string text)
    {
        FormatException e = Assert.Throws<FormatException>(() => PciAddress.Parse(text));
        Assert.Contains($"'{text}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_EveryFunctionAndHostBridge_HoldWhatWasDescribed()
    {
        var builder = new PciTopologyBuilder();
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = Root, Name = "first" });
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = PciBusAddress.Parse("0000:80") });
        PciFunctionSpec port = Function("00:01.0", isBridge: true) with { SecondaryBus = 1, Name = "port", PcieType = PcieType.RootPort };
        PciFunctionSpec card = Function("01:00.0", "00:01.0") with
        {
            Vendor = 0x10de,
            Device = 0x1db6,
            ClassCode = 0x030200,
            LinkSpeedMtps = 8000,
            LinkWidth = 8,
            MaxLinkSpeedMtps = 16000,
            MaxLinkWidth = 16,
            NumaNode = 1,
            IommuGroup = 21,
        };
        builder.AddFunction(port);
        builder.AddFunction(card);
        PciTopology topology = builder.Build();

        int p = topology.IndexOf(port.Address);
        int c = topology.IndexOf(card.Address);
        Assert.Equal((-1, p), (topology.Parents[p], topology.Parents[c]));
        Assert.Equal((1, -1), (topology.SecondaryBuses[p], topology.SecondaryBuses[c]));
        Assert.Equal((0x10de, 0x1db6, 0x030200), (topology.Vendors[c], topology.Devices[c], topology.ClassCodes[c]));
        Assert.Equal((-1, -1, -1), (topology.Vendors[p], topology.Devices[p], topology.ClassCodes[p]));
        Assert.Equal((8000, 8, 16000, 16), (topology.LinkSpeedsMtps[c], topology.LinkWidths[c], topology.MaxLinkSpeedsMtps[c], topology.MaxLinkWidths[c]));
        Assert.Equal((-1, -1, -1, -1), (topology.LinkSpeedsMtps[p], topology.LinkWidths[p], topology.MaxLinkSpeedsMtps[p], topology.MaxLinkWidths[p]));
        Assert.Equal((1, 21, -1, -1), (topology.NumaNodes[c], topology.IommuGroups[c], topology.NumaNodes[p], topology.IommuGroups[p]));
        Assert.Equal(("port", null), (topology.Names[p], topology.Names[c]));
        Assert.Equal(("first", null), (topology.HostBridgeNames[0], topology.HostBridgeNames[1]));
        Assert.Equal(PcieType.RootPort, topology.PcieTypes[p]);
        Assert.True(topology.IsBridge[p] && !topology.IsBridge[c]);
    }
}
