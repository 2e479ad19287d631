using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Jobs;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli.Tests.Captures;

public sealed class CaptureLoaderTests
{
    private static readonly Implementation[] All = [Implementation.Engine, Implementation.Reference];

    public static TheoryData<string> Implementations => [.. All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Load_EveryKindOfPage_StandsAsCaptured(string implementation)
    {
        Capture capture = SampleCaptures.Small();
        using IMemorySystem memory = Create(implementation, CaptureLoader.OptionsFor(capture, trackContent: true));
        LoadedCapture loaded = CaptureLoader.Load(memory, capture);
        CaptureFidelity fidelity = CaptureFidelity.Measure(loaded, capture);
        Assert.Null(fidelity.FirstDifference);
        Assert.Equal(capture.Summary.PopulatedPages, fidelity.ComparedPages);
        Assert.NotNull(loaded.Relative);
        Assert.Empty(loaded.Approximations);

        // What is not in the capture is not in the process.
        Assert.Equal(CpuAccessResult.SegvMapErr, loaded.Space.CpuRead(new VpnRange(new Vpn(0x10100), 1), [], []));
        PageObservation[] pages = new PageObservation[28];
        loaded.Space.Observe(new VpnRange(new Vpn(0x10200 + 100), 28), pages);
        Assert.All(pages, page => Assert.Equal(PageEntryKind.None, page.Kind));
    }

    /// <summary>Reading a page of a file maps its neighbours along; what the capture does not have must go again, and be counted where it does not.</summary>
    [Theory]
    [MemberData(nameof(Implementations))]
    public void Load_RunsOfAFileThatEndAnywhere_LeaveTheirGapsEmpty(string implementation)
    {
        Capture capture = ProcessImage.Parse(
            """
            {
              "name": "gaps",
              "vmas": [
                { "at": "0x10000000", "size": "2MiB", "protection": "r", "kind": "sharedFile", "file": "edges", "pages": [ { "count": 9, "state": "file" }, { "count": 3, "state": "hole" }, { "count": 5, "state": "file" }, { "count": 70, "state": "hole" } ] },
                { "at": "0x10200000", "size": "1MiB", "protection": "rw", "kind": "privateFile", "file": "program", "pages": [ { "count": 50, "state": "hole" }, { "count": 4, "state": "own" }, { "count": 3, "state": "file" } ] }
              ]
            }
            """,
            "gaps");
        using IMemorySystem memory = Create(implementation, CaptureLoader.OptionsFor(capture, trackContent: true));
        LoadedCapture loaded = CaptureLoader.Load(memory, capture);
        Assert.Equal(new CaptureFidelity(capture.Summary.PopulatedPages, 0, null), CaptureFidelity.Measure(loaded, capture));
        PageObservation[] pages = new PageObservation[512 + 256];
        loaded.Space.Observe(new VpnRange(new Vpn(0x10000), 512), pages.AsSpan(0, 512));
        loaded.Space.Observe(new VpnRange(new Vpn(0x10200), 256), pages.AsSpan(512));
        Assert.Equal(capture.Summary.PopulatedPages, (ulong)pages.Count(page => page.Kind != PageEntryKind.None));

        // One page more than captured is seen.
        Assert.Equal(CpuAccessResult.Ok, loaded.Space.CpuRead(new VpnRange(new Vpn(0x10000 + 60), 1), [], []));
        CaptureFidelity touched = CaptureFidelity.Measure(loaded, capture);
        Assert.NotEqual(0UL, touched.DifferentPages);
        Assert.Contains("captured nothing", touched.FirstDifference, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Load_ContentTracked_WrittenPagesHoldTheirNumber(string implementation)
    {
        Capture capture = SampleCaptures.Small();
        using IMemorySystem memory = Create(implementation, CaptureLoader.OptionsFor(capture, trackContent: true));
        LoadedCapture loaded = CaptureLoader.Load(memory, capture);
        ulong[] tags = new ulong[100];
        Assert.Equal(CpuAccessResult.Ok, loaded.Space.CpuRead(new VpnRange(new Vpn(0x10200), 100), tags, []));
        Assert.Equal(Enumerable.Range(0x10200, 100).Select(tag => (ulong)tag), tags);
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Load_TooFewFrames_RefusedAndProcessGone(string implementation)
    {
        Capture capture = SampleCaptures.Small();
        using IMemorySystem memory = Create(implementation, CaptureLoader.OptionsFor(capture, trackContent: false) with { SystemFrameCount = 64 });
        CaptureException e = Assert.Throws<CaptureException>(() => CaptureLoader.Load(memory, capture));
        Assert.Contains("64", e.Message, StringComparison.Ordinal);
        Assert.Empty(memory.AddressSpaces);
    }

    [SkippableTheory]
    [MemberData(nameof(Implementations))]
    public void Load_OwnRegionOfThisProcess_StandsAsCaptured(string implementation)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && ProcessCapture.HasPagemapScan(), "needs PAGEMAP_SCAN");
        using NativeRegion small = new(3);
        using NativeRegion huge = new(4);
        Skip.IfNot(small.TryAdviseSmall() && huge.TryAdviseHuge(), "this kernel has no transparent huge pages");
        small.Write(5, 700);
        small.Read(900, 30);
        huge.Write(512, 1);
        huge.Read(1024, 1);
        Capture whole = ProcessCapture.Take(Environment.ProcessId);
        Capture capture = AddressCompaction.Fit(whole, out _);
        using IMemorySystem memory = Create(implementation, CaptureLoader.OptionsFor(capture, trackContent: false));
        CaptureFidelity fidelity = CaptureFidelity.Measure(CaptureLoader.Load(memory, capture), capture);

        // A busy process has states of its own; almost all of it must be there, and almost nothing else.
        Assert.True(fidelity.DifferentPages <= fidelity.ComparedPages / 100, $"{fidelity}");
    }

    [Fact]
    public void OptionsFor_NoVmas_Refused() =>
        Assert.Throws<CaptureException>(() => CaptureLoader.OptionsFor(new Capture(new CaptureFacts { ProcessName = "x" }, [], [], [], []), trackContent: false));

    [Fact]
    public void Fit_SmallWindow_IsTheSameCapture()
    {
        Capture capture = SampleCaptures.Small();
        Assert.Same(capture, AddressCompaction.Fit(capture, out bool isClosed));
        Assert.False(isClosed);
    }

    [Fact]
    public void Fit_WideWindow_ClosesWholeSpansOnly()
    {
        Capture capture = ProcessImage.Default();
        Capture closed = AddressCompaction.Fit(capture, out bool isClosed);
        Assert.True(isClosed);
        Assert.Equal(capture.Summary, closed.Summary);
        Assert.InRange(closed.Vmas[^1].Range.End.Value, 1UL, AddressCompaction.MaxWindowPages);
        for (int i = 0; i < capture.Vmas.Length; i++)
        {
            ulong before = capture.Vmas[i].Range.Start.Value;
            ulong after = closed.Vmas[i].Range.Start.Value;
            Assert.Equal(before % AddressCompaction.SpanPages, after % AddressCompaction.SpanPages);
            Assert.Equal(capture.Vmas[i] with { Range = closed.Vmas[i].Range }, closed.Vmas[i]);
        }
    }

    [Fact]
    public void Fit_UsedSpansTooWide_Refused()
    {
        CaptureBuilder builder = new();
        builder.BeginVma(new CapturedVma(new VpnRange(new Vpn(0), 1UL << 33), Protection.Read, MappingKind.PrivateAnonymous, -1, 0, VmaTraits.None));
        CaptureException e = Assert.Throws<CaptureException>(() => AddressCompaction.Fit(builder.Build(new CaptureFacts { ProcessName = "wide" }), out _));
        Assert.Contains($"{AddressCompaction.MaxWindowPages}", e.Message, StringComparison.Ordinal);
    }

    private static IMemorySystem Create(string name, MemorySystemOptions options) => All.Single(one => one.Name == name).Create(options);
}
