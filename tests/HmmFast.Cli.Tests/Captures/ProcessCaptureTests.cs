using System.Diagnostics;
using HmmFast.Simulation.Captures;

namespace HmmFast.Cli.Tests.Captures;

public sealed class ProcessCaptureTests
{
    public static TheoryData<PageScanMethod> Methods => [PageScanMethod.PagemapScan, PageScanMethod.PlainReads];

    [SkippableTheory]
    [MemberData(nameof(Methods))]
    public void Take_OwnRegion_ShowsWhatWasTouched(PageScanMethod method)
    {
        SkipUnlessReadable(method);
        bool knowsZero = method == PageScanMethod.PagemapScan || ProcessCapture.CanSeeFrames();
        using NativeRegion region = new(2);
        Skip.IfNot(region.TryAdviseSmall(), "this kernel has no MADV_NOHUGEPAGE");
        region.Write(3, 20);
        region.Read(40, 5);
        region.Write(1023, 1);
        Capture capture = ProcessCapture.Take(Environment.ProcessId, new ProcessCaptureOptions { Method = method });

        Assert.Equal((method, knowsZero), (capture.Facts.Method, capture.Facts.KnowsZeroPages));
        PageState[] states = StatesOf(capture, region.Range);
        for (int i = 0; i < states.Length; i++)
        {
            const PageState written = PageState.Present | PageState.Exclusive;
            PageState zero = PageState.Present | (knowsZero ? PageState.Zero : 0);
            PageState expected = i is (>= 3 and < 23) or 1023 ? written : i is >= 40 and < 45 ? zero : PageState.None;
            Assert.True(expected == states[i], $"page {i}: expected {expected}, got {states[i]}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Methods))]
    public void Take_HugePage_IsHuge(PageScanMethod method)
    {
        SkipUnlessReadable(method);
        Skip.If(method == PageScanMethod.PlainReads && !ProcessCapture.CanSeeFrames(), "plain reads tell huge pages by frame numbers, which this user may not see");
        using NativeRegion region = new(2);
        Skip.IfNot(region.TryAdviseHuge(), "this kernel has no MADV_HUGEPAGE");
        region.Write(0, 1);
        Capture capture = ProcessCapture.Take(Environment.ProcessId, new ProcessCaptureOptions { Method = method });
        PageState[] states = StatesOf(capture, region.Range);
        Skip.If(states[1] == PageState.None, "the kernel gave no huge page");
        Assert.All(states[..512], state => Assert.Equal(PageState.Present | PageState.Exclusive | PageState.Huge, state));
        Assert.All(states[512..], state => Assert.Equal(PageState.None, state));
    }

    [SkippableTheory]
    [MemberData(nameof(Methods))]
    public void Take_SharedAnonymous_IsFileOrShared(PageScanMethod method)
    {
        SkipUnlessReadable(method);
        using NativeRegion region = new(1, isShared: true);
        region.Write(7, 9);
        Capture capture = ProcessCapture.Take(Environment.ProcessId, new ProcessCaptureOptions { Method = method });
        PageState[] states = StatesOf(capture, region.Range);
        Assert.Equal(9, states.Count(state => (state & (PageState.Present | PageState.FileOrShared)) == (PageState.Present | PageState.FileOrShared)));
    }

    [SkippableFact]
    public void Take_SleepingChildByBothMethods_SaysTheSame()
    {
        SkipUnlessReadable(PageScanMethod.PagemapScan);
        using Process child = StartSleep();
        try
        {
            Capture scan = ProcessCapture.Take(child.Id, new ProcessCaptureOptions { Method = PageScanMethod.PagemapScan });
            Capture plain = ProcessCapture.Take(child.Id, new ProcessCaptureOptions { Method = PageScanMethod.PlainReads });
            Assert.Equal("sleep", scan.Facts.ProcessName);
            Assert.Equal(scan.Vmas.ToArray(), plain.Vmas.ToArray());
            Assert.Equal(scan.Runs.ToArray(), plain.Runs.ToArray());
            Assert.Equal(scan.Frames.ToArray(), plain.Frames.ToArray());
        }
        finally
        {
            child.Kill();
        }
    }

    [SkippableFact]
    public void Take_WithoutFrames_SaysSoAndKeepsThePages()
    {
        SkipUnlessReadable(PageScanMethod.Auto);
        using Process child = StartSleep();
        try
        {
            Capture with = ProcessCapture.Take(child.Id);
            Capture without = ProcessCapture.Take(child.Id, new ProcessCaptureOptions { WithoutFrames = true });
            Assert.Equal(FrameSource.Synthetic, without.Facts.FrameSource);
            Assert.Equal(with.Runs.ToArray(), without.Runs.ToArray());
            Assert.Equal(ProcessCapture.CanSeeFrames() ? FrameSource.Kernel : FrameSource.Synthetic, with.Facts.FrameSource);
        }
        finally
        {
            child.Kill();
        }
    }

    [SkippableFact]
    public void Take_ProcessThatDiesOnTheWay_Refused()
    {
        SkipUnlessReadable(PageScanMethod.Auto);
        using Process child = StartSleep();
        CaptureException e = Assert.Throws<CaptureException>(
            () => ProcessCapture.Take(child.Id, new ProcessCaptureOptions { Progress = new KillOnFirstReport(child) }));
        Assert.Contains($"process {child.Id}", e.Message, StringComparison.Ordinal);
        Assert.Contains("ended", e.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Take_UnknownPid_SaysThatThereIsNone()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "captures are taken on Linux");
        CaptureException e = Assert.Throws<CaptureException>(() => ProcessCapture.Take(ProcessCapture.MaxProcessId));
        Assert.Contains("does not exist", e.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void Take_ImpossiblePid_NamesTheBounds(int pid)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "captures are taken on Linux");
        CaptureException e = Assert.Throws<CaptureException>(() => ProcessCapture.Take(pid));
        Assert.Contains($"{ProcessCapture.MaxProcessId}", e.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Take_KernelThread_Refused()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/proc/2/comm") && File.ReadAllText("/proc/2/comm").StartsWith("kthreadd", StringComparison.Ordinal), "pid 2 is no kernel thread here");
        Assert.Throws<CaptureException>(() => ProcessCapture.Take(2));
    }

    internal static Process StartSleep()
    {
        Process child = Process.Start("sleep", "100");

        // Until it has become sleep, it is a copy of this process.
        Stopwatch waited = Stopwatch.StartNew();
        while (File.ReadAllText($"/proc/{child.Id}/comm").Trim() != "sleep" || !File.ReadAllText($"/proc/{child.Id}/stat").Contains(") S ", StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), "sleep did not start");
            Thread.Sleep(5);
        }

        return child;
    }

    private static PageState[] StatesOf(Capture capture, VpnRange range)
    {
        PageState[] states = new PageState[range.PageCount];
        foreach (PageRun run in capture.Runs)
        {
            for (ulong i = 0; i < run.PageCount; i++)
            {
                if (range.Contains(run.Start + i))
                {
                    states[run.Start + i - range.Start] = run.State & ~PageState.SoftDirty;
                }
            }
        }

        return states;
    }

    private static void SkipUnlessReadable(PageScanMethod method)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.SystemPageSize == 4096, "captures are taken on Linux with 4 KiB pages");
        Skip.If(method == PageScanMethod.PagemapScan && !ProcessCapture.HasPagemapScan(), "this kernel has no PAGEMAP_SCAN");
    }

    private sealed class KillOnFirstReport(Process child) : IProgress<(ulong DonePages, ulong TotalPages)>
    {
        public void Report((ulong DonePages, ulong TotalPages) value)
        {
            if (!child.HasExited)
            {
                child.Kill();
                child.WaitForExit();
            }
        }
    }
}
