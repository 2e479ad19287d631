using HmmFast.Drivers.Importing;
using HmmFast.Policies;

namespace HmmFast.Tests.Policies;

/// <summary>What owners and links that change at run time make of pages, by policy, on engine and reference.</summary>
public class OwnerChangeTests
{
    private const string Private = "private";
    private const string Ram = "ram";

    public static TheoryData<string, string, string, bool> Changes()
    {
        // A link that is up at the start, down, and up again; then one that comes late.
        (string Name, string Up, string Down, string Again, string Late)[] rows =
        [
            ("common-owner", Private, "UNUSABLE", Private, Ram),
            ("owner-only", Ram, Ram, Ram, Ram),
            ("range-callback", Private, Ram, Private, Private),
            ("dynamic-owner-evict", Private, Ram, Private, Private),
            ("dynamic-owner-cluster", Private, Ram, Private, Private),
            ("dynamic-owner-bitmap", Private, Ram, Private, Private),
            ("post-check", Private, "all2", Private, Ram),
            ("multipath", Private, "bus", Private, Private),
        ];
        TheoryData<string, string, string, bool> data = [];
        foreach ((string name, string up, string down, string again, string late) in rows)
        {
            foreach (string subject in PolicyBench.Subjects)
            {
                data.Add(subject, name, $"{up} {down} {again}", false);
                data.Add(subject, name, late, true);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Link_ChangesAtRunTime_NextRequestsEndAsThePolicySays(string subject, string name, string expected, bool isLate)
    {
        bool offers = name == "multipath";
        PolicyBench.Setup setup = new() { HasLink = true, LinkIsUp = !isLate, Offers = offers };
        using PolicyBench bench = new(subject, PolicyCatalog.Find(name).Single(), setup);
        bool isUp = !isLate;
        foreach (string outcome in expected.Split(' '))
        {
            if (isLate)
            {
                Assert.Equal(HmmStatus.Ok, bench.Fabric.SetLink(0, true));
            }

            // From wherever the page is: the CPU fetches it, and it goes to gpu0 again.
            Assert.Equal(CpuAccessResult.Ok, bench.Space.CpuRead(bench.Range, [], []));
            bench.Place(0, 0, 4);
            _ = bench.Importer.Resolve(bench.Range);
            PageOutcome wanted = outcome switch
            {
                Private => PageOutcome.PrivateLink,
                "UNUSABLE" => PageOutcome.Unusable,
                "bus" => PageOutcome.AliasBus,
                "all2" => PageOutcome.SystemWholeRange,
                _ => PageOutcome.System,
            };
            Assert.Equal(4, bench.Importer.Outcomes.Count(wanted));
            isUp = !isUp;
            Assert.Equal(HmmStatus.Ok, bench.Fabric.SetLink(0, isUp));
        }

        bench.CheckContent();
    }

    [Theory]
    [InlineData(PolicyBench.Engine)]
    [InlineData(PolicyBench.Reference)]
    public void EvictedOwner_LinkDownAndUp_RegistersThePagemapAnewEachTime(string subject)
    {
        using PolicyBench bench = new(subject, PolicyCatalog.Find("P8a").Single(), new PolicyBench.Setup { HasLink = true });
        bench.Place(0, 0, 4);
        DeviceId before = bench.Fabric.DeviceOf(0)!.Value;
        Assert.Equal(bench.Fabric.OwnerOf(1), bench.Fabric.OwnerOf(0));
        Assert.Equal(HmmStatus.Ok, bench.Fabric.SetLink(0, false));
        Assert.NotEqual(bench.Fabric.OwnerOf(1), bench.Fabric.OwnerOf(0));
        Assert.NotEqual(before, bench.Fabric.DeviceOf(0));
        Assert.Equal(4UL, bench.Fabric.Counters.EvictedPages);
        Assert.Equal(1UL, bench.Fabric.Counters.Reregistrations);
        Assert.Equal(HmmStatus.Ok, bench.Fabric.SetLink(0, true));
        Assert.Equal(bench.Fabric.OwnerOf(1), bench.Fabric.OwnerOf(0));
        bench.CheckContent();
    }

    [Theory]
    [InlineData(PolicyBench.Engine, "common-owner")]
    [InlineData(PolicyBench.Reference, "common-owner")]
    [InlineData(PolicyBench.Engine, "dynamic-owner-cluster")]
    [InlineData(PolicyBench.Reference, "dynamic-owner-cluster")]
    public void NullOwner_ForcedByTheCaller_BringsThePageToSystemMemory(string subject, string name)
    {
        using PolicyBench bench = new(subject, PolicyCatalog.Find(name).Single(), new PolicyBench.Setup { HasLink = true });
        bench.Place(0, 0, 4);
        bench.Importer.OwnerOverride = OwnerId.Null;
        Assert.Equal(HmmStatus.Ok, bench.Importer.Resolve(bench.Range));
        Assert.Equal(4, bench.Importer.Outcomes.Count(PageOutcome.System));
        bench.CheckContent();
    }

    [Theory]
    [InlineData(PolicyBench.Engine)]
    [InlineData(PolicyBench.Reference)]
    public void SeveralTargets_DifferentOwners_AskWithNull(string subject)
    {
        using PolicyBench bench = new(subject, PolicyCatalog.Find("P6").Single(), new PolicyBench.Setup { HasLink = true, ClientHasMemory = true });
        Assert.Equal(bench.Fabric.OwnerOf(1), bench.Fabric.OwnerOfAll([0, 1]));
        Assert.NotEqual(OwnerId.Null, bench.Fabric.OwnerOfAll([0, 1]));
        Assert.Equal(OwnerId.Null, bench.Fabric.OwnerOfAll([1, 2]));
        Assert.Equal(OwnerId.Null, bench.Fabric.OwnerOfAll([0, 1, 2]));
        Assert.Throws<ArgumentException>(() => bench.Fabric.OwnerOfAll([]));
        bench.Place(0, 0, 4);
        bench.Importer.OwnerOverride = bench.Fabric.OwnerOfAll([1, 2]);
        Assert.Equal(HmmStatus.Ok, bench.Importer.Resolve(bench.Range));
        Assert.Equal(4, bench.Importer.Outcomes.Count(PageOutcome.System));
    }
}
