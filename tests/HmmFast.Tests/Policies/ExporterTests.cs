using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Tests.Policies;

/// <summary>Exporters that map their private pages for an importer, on engine and reference.</summary>
public class ExporterTests
{
    private const ulong BusOffset = 0x1_0000_0000;

    public static TheoryData<string> Subjects => [.. PolicyBench.Subjects];

    [Theory]
    [MemberData(nameof(Subjects))]
    public void DmaMap_BelowASwitch_GivesBusAddressesUntilThePageIsInvalidated(string subject)
    {
        using PolicyBench bench = new(subject, new DevmemAllowedPolicy(), new PolicyBench.Setup());
        ulong bar = FirstAlias(bench);
        Map(bench);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(bar + BusOffset + ((ulong)i * 4096), bench.Importer.ExporterAddressOf(i).Value);
        }

        Assert.Equal(4UL, bench.Importer.ExporterDmaCounters.MappedBus);
        Assert.Equal(1UL, bench.Importer.ExporterDmaCounters.P2pLookups);
        Assert.Equal(0UL, bench.Importer.DmaCounters.Mapped);

        // The CPU takes one page back: that one is unmapped before it moves, and the rest when the exporter closes its door.
        Assert.Equal(CpuAccessResult.Ok, bench.Space.CpuRead(new VpnRange(bench.Range.Start + 1, 1), [], []));
        Assert.Equal(1UL, bench.Importer.ExporterDmaCounters.Unmapped);
        Assert.True(bench.Importer.ExporterAddressOf(1).IsError);
        Assert.False(bench.Importer.ExporterAddressOf(2).IsError);
        bench.Fabric.SetPermission(0, 1, false);
        Assert.Equal(4UL, bench.Importer.ExporterDmaCounters.Unmapped);
        BarExporter exporter = bench.Fabric.ExporterOf(bench.Fabric.DeviceOf(0)!.Value)!;
        Assert.Equal((4UL, 4UL), (exporter.MappedPages, exporter.UnmappedPages));
        bench.CheckContent();
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void DmaMap_ThroughTheHostBridge_TakesTheImportersIommuOrOffset(string subject)
    {
        using PolicyBench translated = new(subject, new DevmemAllowedPolicy(), new PolicyBench.Setup { MapType = P2PdmaMapType.ThruHostBridge });
        Map(translated);

        // Behind the four slots of the importer's own map.
        Assert.Equal((1UL << 32) + 0x4000 + 0x3000, translated.Importer.ExporterAddressOf(3).Value);
        using PolicyBench physical = new(
            subject, new DevmemAllowedPolicy(), new PolicyBench.Setup { MapType = P2PdmaMapType.ThruHostBridge, Dma = new DmaDeviceOptions { UsesIommu = false, OffsetBytes = 0x8000 } });
        Map(physical);
        Assert.Equal(FirstAlias(physical) + 0x8000 + 0x3000, physical.Importer.ExporterAddressOf(3).Value);
        Assert.Equal(4UL, physical.Importer.ExporterDmaCounters.MappedThruHostBridge);
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void DmaMap_PagesPastTheImportersMask_AreUnusableAndTheOthersMapped(string subject)
    {
        ulong bar;
        using (PolicyBench sizes = new(subject, new DevmemAllowedPolicy(), new PolicyBench.Setup()))
        {
            bar = FirstAlias(sizes);
        }

        // 32 MiB can be driven, and the offset puts the third page there.
        DmaDeviceOptions dma = new() { UsesIommu = false, MaskBits = 25, OffsetBytes = (long)((1UL << 25) - bar - 0x2000) };
        using PolicyBench bench = new(subject, new DevmemAllowedPolicy(), new PolicyBench.Setup { MapType = P2PdmaMapType.ThruHostBridge, Dma = dma });
        bench.Place(0, 0, 4);
        Assert.Equal(HmmStatus.RemoteIo, bench.Importer.Resolve(bench.Range));
        Assert.Equal(
            [PageOutcome.PrivateExporterMapped, PageOutcome.PrivateExporterMapped, PageOutcome.Unusable, PageOutcome.Unusable], bench.Importer.Outcomes.ToArray());
        Assert.Equal((2UL, 2UL), (bench.Importer.Counters.ExporterMaps, bench.Importer.Counters.UnusablePfns));
        Assert.Equal((1UL << 25) - 0x1000, bench.Importer.ExporterAddressOf(1).Value);
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void DmaMap_HalfAWindow_MapsWhatItShows(string subject)
    {
        using PolicyBench bench = new(subject, new DevmemAllowedPolicy(), new PolicyBench.Setup { WindowPages = 2 });
        bench.Place(0, 0, 4);
        bench.Fabric.UnmapChunk(0, 0);
        Assert.Equal(HmmStatus.Ok, bench.Fabric.MapChunk(0, 3));
        Assert.Equal(HmmStatus.RemoteIo, bench.Importer.Resolve(bench.Range));
        Assert.Equal(
            [PageOutcome.Unusable, PageOutcome.PrivateExporterMapped, PageOutcome.Unusable, PageOutcome.PrivateExporterMapped], bench.Importer.Outcomes.ToArray());
        Assert.Equal(FirstAlias(bench) + BusOffset, bench.Importer.ExporterAddressOf(3).Value);
        Assert.Equal(FirstAlias(bench) + BusOffset + 0x1000, bench.Importer.ExporterAddressOf(1).Value);
    }

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Resolve_AskedAgain_MapsOnceAtATime(string subject)
    {
        using PolicyBench bench = new(subject, new DevmemAllowedPolicy(), new PolicyBench.Setup());
        Map(bench);
        Assert.Equal(HmmStatus.Ok, bench.Importer.Resolve(bench.Range));
        Assert.Equal((8UL, 4UL), (bench.Importer.ExporterDmaCounters.Mapped, bench.Importer.ExporterDmaCounters.Unmapped));
        bench.Importer.Dispose();
        Assert.Equal(8UL, bench.Importer.ExporterDmaCounters.Unmapped);
    }

    private static ulong FirstAlias(PolicyBench bench) => bench.System.DeviceFrames(bench.Fabric.AliasDeviceOf(0)!.Value).First.Value * 4096;

    private static void Map(PolicyBench bench)
    {
        bench.Place(0, 0, 4);
        Assert.Equal(HmmStatus.Ok, bench.Importer.Resolve(bench.Range));
        Assert.Equal(4, bench.Importer.Outcomes.Count(PageOutcome.PrivateExporterMapped));
        Assert.Equal(4UL, bench.Importer.Counters.ExporterMaps);
    }
}
