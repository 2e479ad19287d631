namespace HmmFast.Tests.Engine;

/// <summary>Runs of pages that are faulted alike, under handlers that are told page by page and handlers that take a run: nobody may see a difference.</summary>
public sealed class RunInvalidationTests
{
    private const int PageCount = 96;

    [Theory]
    [InlineData("brought back, frames count up")]
    [InlineData("brought back, frames in no order")]
    [InlineData("zero pages written")]
    [InlineData("shared pages written")]
    public void RunOfFaults_HandlerTakesRuns_SeesWhatOneToldPageByPageSees(string kind)
    {
        (List<string> byPage, int callsByPage) = Go(kind, takesRuns: false);
        (List<string> byRun, int callsByRun) = Go(kind, takesRuns: true);
        Assert.Equal(byPage, byRun);

        // Else the test would compare one path with itself.
        Assert.Equal(0, callsByPage);
        Assert.InRange(callsByRun, 1, PageCount / 4);
    }

    private static (List<string> Seen, int Runs) Go(string kind, bool takesRuns)
    {
        using EngineWorld world = new();
        world.Map(0, PageCount);
        IAddressSpace? child = null;
        switch (kind)
        {
            case "brought back, frames count up":
                world.Write(0, PageCount);
                Assert.Equal(PageCount, world.MigrateToDevice(world.Gpu0, 0, PageCount));
                break;
            case "brought back, frames in no order":
                world.Write(0, PageCount);
                for (ulong i = 0; i < PageCount; i++)
                {
                    Assert.Equal(1, world.MigrateToDevice(world.Gpu0, i * 7 % PageCount, 1));
                }

                break;
            case "zero pages written":
                _ = world.Space.CpuRead(EngineWorld.Pages(0, PageCount), default, default);
                break;
            default:
                world.Write(0, PageCount);
                child = world.Space.Fork();
                break;
        }

        List<string> seen = [];

        // One notifier over all pages and one over some of them, that ignores every third event.
        PageLog all = takesRuns ? new RunLog("all", seen, 0) : new PageLog("all", seen, 0);
        PageLog some = takesRuns ? new RunLog("some", seen, 3) : new PageLog("some", seen, 3);
        using IMmuIntervalNotifier first = world.Space.InsertNotifier(EngineWorld.Pages(0, PageCount), all);
        using IMmuIntervalNotifier second = world.Space.InsertNotifier(EngineWorld.Pages(40, 20), some);
        ulong firstBefore = first.ReadBegin();
        ulong secondBefore = second.ReadBegin();
        MemoryCounters before = world.Memory.Counters;
        var words = new HmmPfn[PageCount];
        Assert.Equal(HmmStatus.Ok, world.Fault(0, words, HmmRequestFlags.Fault | (kind.StartsWith("brought", StringComparison.Ordinal) ? 0 : HmmRequestFlags.Write)));

        // Handlers cannot tell who was told first; each one's own order counts.
        seen = [.. seen.Order(StringComparer.Ordinal)];
        seen.Add($"sequences {first.ReadBegin() - firstBefore} and {second.ReadBegin() - secondBefore}");
        MemoryCounters after = world.Memory.Counters;
        seen.Add($"faults {after.Faults - before.Faults}, invalidations {after.Invalidations - before.Invalidations}, back {after.PagesMigratedToSystem}, copied {after.PagesCopied}");
        seen.AddRange(words.Select(word => $"{word.Raw:x}"));
        child?.Dispose();
        return (seen, all.Runs + some.Runs);
    }

    private class PageLog(string name, List<string> seen, int ignoredEvery) : IInvalidationHandler
    {
        private int _count;

        public int Runs { get; private protected set; }

        public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info)
        {
            _count++;
            seen.Add($"{name} {_count:d4}: {info}");
            return ignoredEvery == 0 || _count % ignoredEvery != 0;
        }
    }

    private sealed class RunLog(string name, List<string> seen, int ignoredEvery) : PageLog(name, seen, ignoredEvery), IRunInvalidationHandler
    {
        public ulong InvalidateEach(IMmuIntervalNotifier notifier, in InvalidationInfo info)
        {
            Runs++;
            Assert.True(notifier.Range.Contains(info.Range));
            ulong counted = 0;
            for (ulong i = 0; i < info.Range.PageCount; i++)
            {
                counted += Invalidate(notifier, info with { Range = new VpnRange(info.Range.Start + i, 1) }) ? 1UL : 0;
            }

            return counted;
        }
    }
}
