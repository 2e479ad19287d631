using FsCheck;
using FsCheck.Fluent;
using HmmFast.Properties.Topology;

namespace HmmFast.Topology.Tests;

public class P2PdmaDistancePropertyTests
{
    [Fact]
    public void Engine_RandomMachines_AgreesWithTheReference()
    {
        Prop.ForAll(Gen.Choose(int.MinValue, int.MaxValue).ToArbitrary(), seed => P2PdmaChecks.FirstDifference(seed) is not string difference
            ? true.ToProperty()
            : false.Label(difference)).Check(Config.QuickThrowOnFailure.WithMaxTest(120));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("linux-6.12,8086:29c0,1b36:000c:same")]
    public void Engine_OtherLists_AgreesWithTheReference(string list)
    {
        for (int seed = 0; seed < 25; seed++)
        {
            Assert.Null(P2PdmaChecks.FirstDifference(seed, HostBridgeList.Parse(list)));
        }
    }

    [Fact]
    public void RandomMachines_AFewHundred_CoverEveryAnswer()
    {
        var seen = new HashSet<string>();
        for (int seed = 0; seed < 200; seed++)
        {
            var distance = new P2PdmaDistance(RandomMachine.Make(seed).Build());
            for (int a = 0; a < distance.Topology.Count; a++)
            {
                for (int b = 0; b < distance.Topology.Count; b++)
                {
                    var why = P2PdmaExplanation.Explain(distance, a, b);
                    seen.Add($"{why.Answer.MapType} common={why.CommonBridge is not null} redirected={why.Redirectors.Count > 0} same={why.ProviderBridge == why.ClientBridge} certain={why.IsCertain}");
                }
            }
        }

        // Every combination that the rule knows comes up, so that the property above is about all of them.
        Assert.Contains("BusAddr common=True redirected=False same=True certain=True", seen);
        Assert.Contains("ThruHostBridge common=True redirected=True same=True certain=True", seen);
        Assert.Contains("NotSupported common=True redirected=True same=True certain=True", seen);
        Assert.Contains("ThruHostBridge common=False redirected=False same=True certain=True", seen);
        Assert.Contains("ThruHostBridge common=False redirected=False same=False certain=True", seen);
        Assert.Contains("NotSupported common=False redirected=False same=False certain=True", seen);
        Assert.Contains("BusAddr common=True redirected=False same=True certain=False", seen);
    }
}
