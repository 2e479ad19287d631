using System.Globalization;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Tests.Policies;

/// <summary>Every cell of the table in which the proposals differ, after the DMA step, on engine and reference: one page of gpu0, asked for by the client.</summary>
public class PolicyCellTests
{
    // The rows, with what each policy makes of them. The caller sets ALLOW_P2P under P2 and P3; rows with P = 0 force it off.
    private const string Table = """
        O P E M I | owner-only | alias-always | fatal | per-page | whole-range | core-distance | owner-and-live
        1 0 0 B 1 | private | private | private | private | private | private | private
        1 1 1 B 1 | private | private | private | private | private | private | private
        1 1 1 N 1 | private | private | private | private | private | private | private
        1 0 0 N 1 | private | private | private | private | private | private | private
        1 0 0 N 0 | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | ram
        1 1 1 B 0 | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | ram
        1 1 1 N 0 | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | UNUSABLE | ram
        0 0 1 B 0 | ram | bus | ram | ram | ram | ram | ram
        0 0 1 T 0 | ram | bridge | ram | ram | ram | ram | ram
        0 0 1 B 1 | ram | bus | ram | ram | ram | ram | ram
        0 0 1 T 1 | ram | bridge | ram | ram | ram | ram | ram
        0 0 1 N 0 | ram | error | ram | ram | ram | ram | ram
        0 0 1 N 1 | ram | error | ram | ram | ram | ram | ram
        0 0 0 B 0 | ram | ram | ram | ram | ram | ram | ram
        0 1 0 B 0 | ram | ram | ram | ram | ram | ram | ram
        0 1 0 T 1 | ram | ram | ram | ram | ram | ram | ram
        0 1 0 N 0 | ram | ram | ram | ram | ram | ram | ram
        0 1 1 B 0 | ram | bus | bus | bus | bus | bus | ram
        0 1 1 B 1 | ram | bus | bus | bus | bus | bus | ram
        0 1 1 T 0 | ram | bridge | bridge | bridge | bridge | bridge | ram
        0 1 1 T 1 | ram | bridge | bridge | bridge | bridge | bridge | ram
        0 1 1 N 0 | ram | error | error | ram2 | all2 | ram | ram
        0 1 1 N 1 | ram | error | error | ram2 | all2 | ram | ram
        """;

    private static readonly string[] Columns =
    [
        "owner-only", "alias-always", "alias-on-request-fatal", "alias-on-request-per-page", "alias-on-request-whole-range", "core-distance", "owner-and-live",
    ];

    public static TheoryData<string, string, string, string> Cells()
    {
        TheoryData<string, string, string, string> cells = [];
        foreach (string row in Table.Split('\n')[1..])
        {
            string[] parts = row.Split('|', StringSplitOptions.TrimEntries);
            for (int column = 0; column < Columns.Length; column++)
            {
                foreach (string subject in PolicyBench.Subjects)
                {
                    cells.Add(subject, parts[0], Columns[column], parts[column + 1]);
                }
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Page_UnderEachPolicy_EndsAsTheTableSays(string subject, string inputs, string name, string expected)
    {
        string[] values = inputs.Split(' ');
        PolicyBench.Setup setup = new()
        {
            OwnerMatches = values[0] == "1",
            Offers = values[2] == "1",
            MapType = MapTypeOf(values[3]),
            HasLink = true,
            LinkIsUp = values[4] == "1",
        };
        IHmmPolicy policy = PolicyCatalog.Find(name).Single();
        Check(subject, values[1] == "1" ? policy : new WithoutAllowP2p(policy), setup, expected);
    }

    public static TheoryData<string, string, string, string> CellsOfTheOthers()
    {
        // Rows that the table gives in words, for the other policies: inputs O E M I permits bitmap-or-own.
        (string Inputs, string Name, string Expected)[] cells =
        [
            ("O=1 I=1", "range-callback", "private"),
            ("O=1 I=0", "range-callback", "UNUSABLE"),
            ("O=0 I=1", "range-callback", "private"),
            ("O=0 I=0 M=B", "range-callback", "ram"),
            ("O=0 I=1", "devmem-allowed", "private"),
            ("O=0 I=0 M=B", "devmem-allowed", "exporter"),
            ("O=0 I=0 M=T", "devmem-allowed", "exporter"),
            ("O=0 I=0 M=N", "devmem-allowed", "ram"),
            ("O=0 I=1 denied", "devmem-allowed", "ram"),
            ("O=0 I=0 M=B denied", "devmem-allowed", "ram"),
            ("O=0 I=0 M=B E=0", "devmem-allowed", "UNUSABLE"),
            ("I=1", "common-owner", "private"),
            ("I=0 M=B", "common-owner", "ram"),
            ("I=0 M=B p2p", "common-owner", "exporter"),
            ("I=0 M=N p2p", "common-owner", "ram"),
            ("I=1", "dynamic-owner-evict", "private"),
            ("I=0 M=B", "dynamic-owner-evict", "ram"),
            ("I=1", "dynamic-owner-cluster", "private"),
            ("I=0 M=B", "dynamic-owner-cluster", "ram"),
            ("I=1", "dynamic-owner-bitmap", "private"),
            ("I=0 M=B", "dynamic-owner-bitmap", "ram"),
            ("I=1", "post-check", "private"),
            ("I=0 M=B", "post-check", "ram"),
            ("I=0 M=B p2p E=0", "post-check", "all2"),
            ("I=1 M=B", "multipath", "private"),
            ("I=0 M=B", "multipath", "bus"),
            ("I=0 M=T", "multipath", "bridge"),
            ("I=0 M=B E=0", "multipath", "ram"),
            ("I=0 M=N", "multipath", "ram"),
            ("I=1 M=B path=26.3e9,1000", "multipath", "private"),
            ("I=1 M=B path=26.3e9,1340", "multipath", "private"),
            ("I=1 M=B path=26.3e9,2000", "multipath", "bus"),
            ("I=1 M=T path=26.3e9,2000", "multipath", "bridge"),
            ("I=1 M=B path=10e9,100", "multipath", "bus"),
            ("I=1 M=T path=10e9,100", "multipath", "bridge"),
            ("I=1 M=N path=10e9,100", "multipath", "private"),
            ("I=1 M=B path=10e9,100 E=0", "multipath", "private"),
            ("O=1 I=0", "multipath", "ram"),
            ("O=1 I=1", "typed-output", "private"),
            ("O=0 I=0 M=B", "typed-output", "bus"),
            ("O=0 I=0 M=N", "typed-output", "ram"),
            ("O=0 I=0 M=T", "typed-output", "bridge"),
            ("O=0 I=0 M=B E=0", "typed-output", "ram"),
            ("O=0 I=0 M=B P=0", "typed-output", "ram"),
            ("O=1 I=0", "typed-output", "UNUSABLE"),
        ];
        TheoryData<string, string, string, string> data = [];
        foreach ((string inputs, string name, string expected) in cells)
        {
            foreach (string subject in PolicyBench.Subjects)
            {
                data.Add(subject, inputs, name, expected);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(CellsOfTheOthers))]
    public void Page_UnderTheOtherPolicies_EndsAsTheirRulesSay(string subject, string inputs, string name, string expected)
    {
        PolicyBench.Setup setup = new()
        {
            OwnerMatches = inputs.Contains("O=1", StringComparison.Ordinal),
            Offers = !inputs.Contains("E=0", StringComparison.Ordinal),
            MapType = inputs.IndexOf("M=", StringComparison.Ordinal) is var at and >= 0 ? MapTypeOf(inputs.Substring(at + 2, 1)) : P2PdmaMapType.NotSupported,
            HasLink = true,
            LinkIsUp = inputs.Contains("I=1", StringComparison.Ordinal),
            LinkPath = inputs.IndexOf("path=", StringComparison.Ordinal) is var path and >= 0 ? PathOf(inputs[(path + 5)..]) : new PathEstimate(150e9, 1000),
            Permits = !inputs.Contains("denied", StringComparison.Ordinal),
            Interconnect = inputs.Contains("p2p", StringComparison.Ordinal) ? Drivers.Fabric.InterconnectRule.LinkOrP2p : Drivers.Fabric.InterconnectRule.Link,
        };
        IHmmPolicy policy = PolicyCatalog.Find(name).Single();
        Check(subject, inputs.Contains("P=0", StringComparison.Ordinal) ? new WithoutAllowP2p(policy) : policy, setup, expected);
    }

    public static TheoryData<string, string> EveryPolicy()
    {
        TheoryData<string, string> data = [];
        foreach (IHmmPolicy policy in PolicyCatalog.All)
        {
            foreach (string subject in PolicyBench.Subjects)
            {
                data.Add(subject, policy.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EveryPolicy))]
    public void CoherentPage_UnderEveryPolicy_IsAPageLikeAnyOther(string subject, string name)
    {
        PolicyBench.Setup setup = new() { ExporterKind = DeviceMemoryKind.Coherent, Offers = false, HasLink = true, LinkIsUp = false };
        using PolicyBench bench = new(subject, PolicyCatalog.Find(name).Single(), setup);
        bench.Place(0, 0, 2);
        Assert.Equal(HmmStatus.Ok, bench.Importer.Resolve(new VpnRange(bench.Range.Start, 2)));
        (Pfn first, ulong count) = bench.System.DeviceFrames(bench.Fabric.DeviceOf(0)!.Value);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(PageOutcome.System, bench.Importer.Outcomes[i]);
            Assert.True(bench.System.Options.Layout.PfnOf(bench.Importer.Words[i]).Value - first.Value < count);
        }

        Assert.Equal(0UL, bench.System.Counters.PagesMigratedToSystem);
        Assert.Equal(2UL, bench.Importer.DmaCounters.Mapped);
    }

    [Fact]
    public void Catalog_AllPolicies_CoversEveryTableColumnOnce()
    {
        Assert.Equal(16, PolicyCatalog.All.Count);
        Assert.Equal(16, PolicyCatalog.All.Select(policy => policy.Name).Distinct().Count());
        Assert.Equal(["P0", "P1", "P2a", "P2b", "P2c", "P3", "P4", "P5", "P6", "P7", "P8a", "P8b", "P8c", "P9", "P10", "P11"], PolicyCatalog.All.Select(PolicyCatalog.NumberOf));
        Assert.Equal(3, PolicyCatalog.Find("P2").Count);
        Assert.Equal(3, PolicyCatalog.Find("alias-on-request").Count);
        Assert.Equal(3, PolicyCatalog.Find("dynamic-owner").Count);
        Assert.Single(PolicyCatalog.Find("p1"));
        Assert.Equal(16, PolicyCatalog.Find("ALL").Count);
        Assert.Empty(PolicyCatalog.Find("owner"));
    }

    private static void Check(string subject, IHmmPolicy policy, PolicyBench.Setup setup, string expected)
    {
        using PolicyBench bench = new(subject, policy, setup);
        bench.Place(0, 0, 1);
        VpnRange page = new(bench.Range.Start, 1);
        HmmStatus status = bench.Importer.Resolve(page);
        PageOutcome outcome = bench.Importer.Outcomes[0];
        (PageOutcome wanted, HmmStatus wantedStatus, ulong secondCalls) = expected switch
        {
            "private" => (PageOutcome.PrivateLink, HmmStatus.Ok, 0UL),
            "exporter" => (PageOutcome.PrivateExporterMapped, HmmStatus.Ok, 0UL),
            "UNUSABLE" => (PageOutcome.Unusable, HmmStatus.RemoteIo, 0UL),
            "ram" => (PageOutcome.System, HmmStatus.Ok, 0UL),
            "ram2" => (PageOutcome.System, HmmStatus.Ok, 1UL),
            "all2" => (PageOutcome.SystemWholeRange, HmmStatus.Ok, 1UL),
            "bus" => (PageOutcome.AliasBus, HmmStatus.Ok, 0UL),
            "bridge" => (PageOutcome.AliasHostBridge, HmmStatus.Ok, 0UL),
            "error" => (PageOutcome.Failed, HmmStatus.Fault, 0UL),
            _ => throw new InvalidOperationException(expected),
        };
        Assert.Equal(wanted, outcome);
        Assert.Equal(wantedStatus, status);
        Assert.Equal(secondCalls, bench.Importer.Counters.SecondCalls);
        Assert.Equal(expected is "ram" or "ram2" or "all2" ? 1UL : 0UL, bench.System.Counters.PagesMigratedToSystem);
        Assert.Equal(expected == "UNUSABLE" ? 1UL : 0UL, bench.Importer.Counters.UnusablePfns);
        HmmPfnLayout layout = bench.System.Options.Layout;
        ulong types = policy.TypedOutput ? expected switch
        {
            "private" or "exporter" or "UNUSABLE" => layout.TypePrivateBit,
            "bus" or "bridge" => layout.TypeP2pBit,
            _ => 0,
        } : 0;
        Assert.Equal(types, bench.Importer.Words[0].Raw & (layout.TypePrivateBit | layout.TypeP2pBit));
        bench.CheckContent();
    }

    private static PathEstimate PathOf(string text)
    {
        string[] numbers = text.Split(' ')[0].Split(',');
        return new PathEstimate(double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    private static P2PdmaMapType MapTypeOf(string letter) => letter switch
    {
        "B" => P2PdmaMapType.BusAddr,
        "T" => P2PdmaMapType.ThruHostBridge,
        _ => P2PdmaMapType.NotSupported,
    };

    /// <summary>A policy whose caller does not set ALLOW_P2P. It keeps the name, so that the reference answers from its own table.</summary>
    private sealed class WithoutAllowP2p(IHmmPolicy inner) : IHmmPolicy
    {
        public string Name => inner.Name;

        public bool TypedOutput => inner.TypedOutput;

        public MapFailureAnswer OnMapFailure => inner.OnMapFailure;

        public ForeignPageAnswer Decide(in ForeignPageQuestion question) => inner.Decide(question);
    }
}
