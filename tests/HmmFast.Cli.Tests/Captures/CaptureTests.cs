using HmmFast.Simulation.Captures;

namespace HmmFast.Cli.Tests.Captures;

public sealed class CaptureTests
{
    private static readonly CaptureFacts Facts = new() { ProcessName = "test" };
    private static readonly CapturedVma Anonymous = new(new VpnRange(new Vpn(16), 16), Protection.ReadWrite, MappingKind.PrivateAnonymous, -1, 0, VmaTraits.None);

    [Fact]
    public void Capture_PartsThatFit_AddUp()
    {
        Capture capture = new(
            Facts,
            [Anonymous],
            [],
            [new PageRun(new Vpn(16), 3, PageState.Present | PageState.Exclusive), new PageRun(new Vpn(20), 2, PageState.Swapped)],
            [new FrameRun(new Pfn(7), 3)]);
        Assert.Equal(16UL, capture.Summary.MappedPages);
        Assert.Equal(3UL, capture.Summary.AnonymousPages);
        Assert.Equal(2UL, capture.Summary.SwappedPages);
        Assert.Equal(0UL, capture.Summary.SharedAnonymousPages);
    }

    public static TheoryData<string, PageRun[], FrameRun[]> BadRuns => new()
    {
        { "before the VMA", [new PageRun(new Vpn(15), 2, PageState.Swapped)], [] },
        { "past the VMA", [new PageRun(new Vpn(30), 3, PageState.Swapped)], [] },
        { "empty", [new PageRun(new Vpn(20), 0, PageState.Swapped)], [] },
        { "overlapping", [new PageRun(new Vpn(20), 4, PageState.Swapped), new PageRun(new Vpn(23), 1, PageState.Swapped)], [] },
        { "no state", [new PageRun(new Vpn(20), 1, PageState.Exclusive)], [] },
        { "two states", [new PageRun(new Vpn(20), 1, PageState.Present | PageState.Swapped)], [new FrameRun(new Pfn(1), 1)] },
        { "swapped zero page", [new PageRun(new Vpn(20), 1, PageState.Zero | PageState.Swapped)], [] },
        { "unknown flag", [new PageRun(new Vpn(20), 1, PageState.Swapped | (PageState)0x80)], [] },
        { "frame missing", [new PageRun(new Vpn(20), 2, PageState.Present)], [new FrameRun(new Pfn(1), 1)] },
        { "frame too many", [new PageRun(new Vpn(20), 2, PageState.Present)], [new FrameRun(new Pfn(1), 3)] },
        { "frame past the last", [new PageRun(new Vpn(20), 2, PageState.Present)], [new FrameRun(new Pfn(Capture.MaxFrame), 2)] },
        { "empty frame run", [new PageRun(new Vpn(20), 2, PageState.Present)], [new FrameRun(new Pfn(1), 0), new FrameRun(new Pfn(1), 2)] },
    };

    [Theory]
    [MemberData(nameof(BadRuns))]
    public void Capture_ContradictoryRuns_Refused(string what, PageRun[] runs, FrameRun[] frames)
    {
        CaptureException e = Assert.Throws<CaptureException>(() => new Capture(Facts, [Anonymous], [], runs, frames));
        Assert.True(e.Message.Length > 20, what);
    }

    [Fact]
    public void Capture_ContradictoryVmas_Refused()
    {
        CapturedVma[][] bad =
        [
            [Anonymous, Anonymous],
            [Anonymous with { Range = new VpnRange(new Vpn(1), 0) }],
            [Anonymous with { Kind = (MappingKind)99 }],
            [Anonymous with { Protection = (Protection)8 }],
            [Anonymous with { FileIndex = 0 }],
            [Anonymous with { Kind = MappingKind.SharedFile }],
            [Anonymous with { Kind = MappingKind.SharedFile, FileIndex = 1 }],
            [Anonymous with { Kind = MappingKind.SharedFile, FileIndex = 0, PageOffset = 5 }],
            [Anonymous with { Kind = MappingKind.SharedFile, FileIndex = 0, PageOffset = ulong.MaxValue }],
        ];
        foreach (CapturedVma[] vmas in bad)
        {
            Assert.Throws<CaptureException>(() => new Capture(Facts, vmas, [new CapturedFile(FileKind.Disk, "f", 20)], [], []));
        }
    }
}
