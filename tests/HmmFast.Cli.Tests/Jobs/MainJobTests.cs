using HmmFast.Cli.Tests.Captures;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Jobs;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli.Tests.Jobs;

public sealed class MainJobTests
{
    private static readonly Implementation[] All = [Implementation.Engine, Implementation.Reference];

    public static TheoryData<string> Implementations => [.. All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Run_AllOnTheDevice_OwnerSeesPrivateAndClientBringsAllBack(string implementation)
    {
        // Three blocks: 100 and 50 pages, a hole, and an empty block; unreadable memory behind.
        Capture capture = ProcessImage.Parse(
            """
            { "name": "t", "vmas": [
              { "at": "0x10000000", "size": "4MiB", "protection": "rw", "kind": "privateAnonymous", "pages": [ { "count": 100, "state": "own" }, { "count": 412, "state": "hole" }, { "count": 50, "state": "own" }, { "count": 462, "state": "zero" } ] },
              { "at": "0x10400000", "size": "2MiB", "protection": "rw", "kind": "privateAnonymous" },
              { "at": "0x10800000", "size": "2MiB", "protection": "none", "kind": "privateAnonymous" } ] }
            """,
            "t");
        MainJobReport report = MainJob.Run(capture, new MainJobOptions { Share = 1 }, implementation: Of(implementation));

        Assert.Equal(150UL, report.AnonymousPages);
        Assert.Equal((150UL, 0UL), (report.PagesPlaced, report.PagesNotPlaced));
        Assert.Equal(new PageOutcomes { Private = 150, Zero = 462, Hole = 412 + 512, Error = 512 }, report.OwnerLooks.Outcomes);

        // Block one faults whole: its 412 empty pages become the zero page; the empty block is only looked at.
        PageOutcomes client = new() { Private = 0, System = 150, Zero = 412 + 462, Hole = 512, Error = 512 };
        Assert.Equal(client, report.ClientFaults.Outcomes);
        Assert.Equal(client, report.ClientLooks.Outcomes);
        Assert.Equal(150UL, report.PagesMigratedBack);
        Assert.Equal(0UL, report.ClientFaults.FailedCalls);
        Assert.True(report.ClientFaults.BusyRetries >= 2, "each block's migration back makes the call stale once");
        Assert.Null(report.Fidelity.FirstDifference);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void Run_Share_IsKeptToARun(double share)
    {
        MainJobReport report = MainJob.Run(ProcessImage.Default(), new MainJobOptions { Share = share });
        Assert.InRange(Math.Abs(report.PagesPlaced - (share * report.AnonymousPages)), 0, PageOrder.PagesPerBlock);
        Assert.Equal(report.PagesPlaced, report.OwnerLooks.Outcomes.Private);
        Assert.Equal(report.PagesPlaced, report.PagesMigratedBack);
        Assert.Equal(0UL, report.ClientFaults.Outcomes.Private);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(4096)]
    public void Run_AnyRunAndChunkSize_SameEnd(int pages)
    {
        Capture capture = SampleCaptures.Small();
        PageOutcomes expected = MainJob.Run(capture, new MainJobOptions { Share = 1 }).ClientLooks.Outcomes;
        MainJobReport report = MainJob.Run(capture, new MainJobOptions { Share = 1, RunPages = (ulong)pages, ChunkPages = (ulong)pages });
        Assert.Equal(expected, report.ClientLooks.Outcomes);
        Assert.Equal(report.AnonymousPages, report.PagesPlaced);
    }

    [Fact]
    public void Run_DeviceTooSmall_TakesWhatFits()
    {
        MainJobReport report = MainJob.Run(SampleCaptures.Small(), new MainJobOptions { Share = 1, DevicePages = 30 });
        Assert.Equal(30UL, report.PagesPlaced);
        Assert.Equal(report.AnonymousPages - 30, report.PagesNotPlaced);
    }

    [Fact]
    public void Run_SystemMemoryThatRunsOut_SaysSo()
    {
        // Enough to build the process, not enough to write-fault its holes.
        Capture capture = ProcessImage.Parse(
            """{ "name": "t", "vmas": [ { "at": "0x10000000", "size": "2MiB", "protection": "rw", "kind": "privateAnonymous", "pages": [ { "count": 10, "state": "own" }, { "count": 502, "state": "hole" } ] } ] }""",
            "t");
        MainJobException e = Assert.Throws<MainJobException>(() => MainJob.Run(capture, new MainJobOptions { Write = true, SystemFrames = 100 }));
        Assert.Contains("0 of 100 frames", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WriteRequests_LeaveNoZeroPageInWritableMemory()
    {
        MainJobReport report = MainJob.Run(SampleCaptures.Small(), new MainJobOptions { Write = true });
        Assert.Equal(0UL, report.ClientFaults.Outcomes.Zero);
    }

    [Theory]
    [InlineData(false, FaultHabit.RunForward)]
    [InlineData(true, FaultHabit.RunForward)]
    [InlineData(false, FaultHabit.OnlyAsked)]
    public void Run_Verify_EngineAndReferenceAreEqual(bool write, FaultHabit habit)
    {
        MainJobOptions options = new() { Verify = true, Write = write, FaultHabit = habit };
        VerifyReport verify = MainJob.Run(SampleCaptures.Small(), options).Verify!;
        Assert.Null(verify.Difference);
        Assert.True(verify is { IsEqual: true, ComparedWords: > 5000 });
    }

    [Fact]
    public void Run_VerifyAgainstAnotherLayout_NamesTheFirstPageThatDiffers()
    {
        // A reference that sets the order field's bits elsewhere: only words of huge pages differ, and the first of them must be named.
        Implementation liar = new("liar", options => Implementation.Reference.Create(options with { Layout = HmmPfnLayout.Linux612 }));
        VerifyReport verify = MainJob.Run(SampleCaptures.Small(), new MainJobOptions { Share = 0, Verify = true }, reference: liar).Verify!;
        Assert.False(verify.IsEqual);
        Assert.Contains("gpu0 looks", verify.Difference, StringComparison.Ordinal);
        Assert.Contains("vpn 0x10400", verify.Difference, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_VerifyAgainstOneFrameLess_SeesItBeforeAnythingRuns()
    {
        Implementation liar = new("liar", options => Implementation.Reference.Create(options with { SystemFrameCount = options.SystemFrameCount - 1 }));
        VerifyReport verify = MainJob.Run(SampleCaptures.Small(), new MainJobOptions { Verify = true }, reference: liar).Verify!;
        Assert.Contains("free system frames", verify.Difference, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Progress_EndsAtTheTotal()
    {
        Last last = new();
        MainJob.Run(SampleCaptures.Small(), new MainJobOptions { Verify = true }, last);
        Assert.True(last.Value.Total > 0);
        Assert.Equal(last.Value.Total, last.Value.Done);
    }

    public static TheoryData<MainJobOptions, string> BadOptions => new()
    {
        { new MainJobOptions { Share = -0.1 }, "-0.1" },
        { new MainJobOptions { Share = double.NaN }, "NaN" },
        { new MainJobOptions { Share = 1.5 }, "1.5" },
        { new MainJobOptions { RunPages = 0 }, "run" },
        { new MainJobOptions { ChunkPages = MainJobOptions.MaxCallPages + 1 }, "chunk" },
        { new MainJobOptions { DevicePages = 0 }, "gpu0" },
        { new MainJobOptions { SystemFrames = ulong.MaxValue }, "system frames" },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void Run_OptionOutOfBounds_NamesIt(MainJobOptions options, string expected)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => MainJob.Run(SampleCaptures.Small(), options));
        Assert.Contains(expected, e.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static Implementation Of(string name) => All.Single(one => one.Name == name);

    private sealed class Last : IProgress<(ulong Done, ulong Total)>
    {
        public (ulong Done, ulong Total) Value { get; private set; }

        public void Report((ulong Done, ulong Total) value) => Value = value;
    }
}
