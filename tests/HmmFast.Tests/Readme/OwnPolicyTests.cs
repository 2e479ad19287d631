using HmmFast.Testing;
using HmmFast.Tests.Architecture;
using HmmFast.Tests.Policies;
using HmmFast.Topology;

namespace HmmFast.Tests.Readme;

/// <summary>README's policy of one's own is the one that is compiled here, and it works on both implementations.</summary>
public sealed class OwnPolicyTests
{
    [Fact]
    public void Readme_OwnPolicy_IsTheCompiledOne()
    {
        string root = RepositoryRoot.Find();
        string source = File.ReadAllText(Path.Combine(root, "tests", "HmmFast.Tests", "Readme", "ShortPathPolicy.cs"));
        string policy = source[source.IndexOf("/// <summary>", StringComparison.Ordinal)..].Trim();

        Assert.Contains(policy, File.ReadAllText(Path.Combine(root, "README.md")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PolicyBench.Engine, P2PdmaMapType.BusAddr, PageEntryKind.DevicePrivate)]
    [InlineData(PolicyBench.Engine, P2PdmaMapType.ThruHostBridge, PageEntryKind.Present)]
    [InlineData(PolicyBench.Reference, P2PdmaMapType.BusAddr, PageEntryKind.DevicePrivate)]
    [InlineData(PolicyBench.Reference, P2PdmaMapType.ThruHostBridge, PageEntryKind.Present)]
    public void OwnPolicy_AliasOnlyBelowASwitch_ElseMigrates(string subject, P2PdmaMapType mapType, PageEntryKind expected)
    {
        var policy = new ShortPathPolicy();
        using var bench = new PolicyBench(subject, policy, new PolicyBench.Setup { MapType = mapType });
        bench.Place(0, 0, 4);
        using IMmuIntervalNotifier notifier = bench.Space.InsertNotifier(bench.Range, null);
        var words = new HmmPfn[4];
        HmmStatus status;
        do
        {
            status = bench.Space.RangeFault(
                new HmmRange
                {
                    Range = bench.Range,
                    Notifier = notifier,
                    NotifierSequence = notifier.ReadBegin(),
                    DefaultFlags = HmmRequestFlags.Fault,
                    Owner = new OwnerId(2),
                    Policy = policy,
                    Client = bench.Fabric.ClientOf(1),
                },
                words);
        }
        while (status == HmmStatus.Busy);

        Assert.Equal(HmmStatus.Ok, status);
        var pages = new PageObservation[4];
        bench.Space.Observe(bench.Range, pages);
        Assert.All(pages, page => Assert.Equal(expected, page.Kind));
        Assert.All(words, word => Assert.True(bench.System.Options.Layout.IsValid(word)));
        bench.CheckContent();
    }
}
