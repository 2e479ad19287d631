using System.Numerics;
using HmmFast.Faulting;
using HmmFast.Kernels;

namespace HmmFast.Tests.Engine;

/// <summary>Runs, batches and counts say the same as one word a page does, over mixed memory, at every width.</summary>
public sealed class ColumnAnswersTests
{
    private const int PageCount = 3000;

    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (KernelSet kernels in KernelSet.All)
            {
                for (int seed = 0; seed < 12; seed++)
                {
                    cases.Add(kernels.Name, seed);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RangeFaultExtents_MixedMemory_ExpandsToTheWordsOfRangeFault(string width, int seed)
    {
        using EngineWorld byWord = Mixed(width, seed);
        using EngineWorld byRun = Mixed(width, seed);
        HmmRequestFlags request = Request(seed);
        var words = new HmmPfn[PageCount];
        HmmStatus expected = byWord.Fault(0, words, request, EngineWorld.Owner0);
        var expanded = new List<HmmPfn>();
        HmmStatus status = Expand(byRun, request, room: 1 + (seed * 7 % 40), expanded);
        Assert.Equal(expected, status);
        if (expected == HmmStatus.Ok)
        {
            Assert.Equal(words, expanded);
        }

        for (ulong page = 0; page < PageCount; page++)
        {
            Assert.Equal(byWord.Observe(page), byRun.Observe(page));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Classify_MixedMemory_CountsAndMarksWhatTheWordsShow(string width, int seed)
    {
        using EngineWorld world = Mixed(width, seed);
        ulong first = (ulong)(seed * 13 % 100);
        VpnRange range = EngineWorld.Pages(first, PageCount - first);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(range, null);
        var space = (IColumnAddressSpace)world.Space;
        var work = new ulong[(range.PageCount + 63) / 64];
        HmmRange With(HmmRequestFlags flags) =>
            new() { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = flags, Owner = EngineWorld.Owner0 };
        var words = new HmmPfn[range.PageCount];
        Assert.Equal(HmmStatus.Ok, space.RangeFault(With(HmmRequestFlags.None), words));
        HmmPfnLayout layout = world.Memory.Options.Layout;
        work.AsSpan().Fill(ulong.MaxValue);
        HmmClassification quiet = space.Classify(With(HmmRequestFlags.None), work);
        Assert.Equal(words.Count(layout.IsValid), quiet.Valid);
        Assert.Equal(words.Count(layout.IsError), quiet.Error);
        Assert.Equal(words.Count(word => word.Raw == 0), quiet.Empty);
        Assert.Equal(0, quiet.Work);
        Assert.All(work, bits => Assert.Equal(0UL, bits));

        work.AsSpan().Fill(ulong.MaxValue);
        HmmClassification asked = space.Classify(With(HmmRequestFlags.Fault), work);
        Assert.Equal(quiet.Empty, asked.ReadFaults);
        Assert.Equal(quiet.Empty, work.Sum(bits => (long)BitOperations.PopCount(bits)));
        for (int i = 0; i < words.Length; i++)
        {
            Assert.Equal(words[i].Raw == 0, (work[i / 64] >> (i % 64) & 1) != 0);
        }

        Assert.Equal(asked, space.Classify(With(HmmRequestFlags.Fault), default));
        HmmClassification written = space.Classify(With(HmmRequestFlags.Fault | HmmRequestFlags.Write), default);
        Assert.Equal((long)range.PageCount, written.Valid + written.Error + written.Empty + written.Work);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RangeFaultBatch_ScatteredPages_AnswersEachAsARangeFaultOverItAlone(string width, int seed)
    {
        using EngineWorld batched = Mixed(width, seed);
        using EngineWorld single = Mixed(width, seed);
        var random = new Random(seed);
        Vpn[] pages = [.. Enumerable.Range(0, 400).Select(_ => new Vpn(EngineWorld.First + (ulong)random.Next(PageCount)))];
        HmmRequestFlags request = Request(seed);
        VpnRange range = EngineWorld.Pages(0, PageCount);
        var words = new HmmPfn[pages.Length];
        var expected = new HmmPfn[pages.Length];
        HmmStatus expectedStatus = HmmStatus.Ok;
        int expectedAnswers = 0;
        for (; expectedAnswers < pages.Length && expectedStatus == HmmStatus.Ok; expectedAnswers++)
        {
            var one = new HmmPfn[1];
            expectedStatus = single.Fault(pages[expectedAnswers].Value - EngineWorld.First, one, request, EngineWorld.Owner0);
            expected[expectedAnswers] = one[0];
        }

        expectedAnswers -= expectedStatus == HmmStatus.Ok ? 0 : 1;
        using IMmuIntervalNotifier notifier = batched.Space.InsertNotifier(range, null);
        int done = 0;
        HmmStatus status;
        do
        {
            status = ((IColumnAddressSpace)batched.Space).RangeFaultBatch(
                new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = request, Owner = EngineWorld.Owner0 },
                pages.AsSpan(done),
                words.AsSpan(done),
                out int answered);
            done += answered;
        }
        while (status == HmmStatus.Busy);
        Assert.Equal(expectedStatus, status);
        Assert.Equal(expectedAnswers, done);
        Assert.Equal(expected[..done], words[..done]);
        for (ulong page = 0; page < PageCount; page++)
        {
            Assert.Equal(single.Observe(page), batched.Observe(page));
        }
    }

    [Fact]
    public void ColumnAnswers_OnceWarm_AllocateNothing()
    {
        using EngineWorld world = Mixed(KernelSet.Best.Name, 3);
        VpnRange range = EngineWorld.Pages(0, PageCount);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(range, null);
        var space = (IColumnAddressSpace)world.Space;
        var starts = new uint[PageCount];
        var firsts = new HmmPfn[PageCount];
        var words = new HmmPfn[64];
        var work = new ulong[(PageCount + 63) / 64];
        Vpn[] pages = [.. Enumerable.Range(0, 64).Select(i => new Vpn(EngineWorld.First + (ulong)(i * 37 % PageCount)))];
        long bytes = AllocationMeter.LargestOf(
            warmups: 5,
            calls: 15,
            static () => { },
            () =>
            {
                var request = new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), Owner = EngineWorld.Owner0 };
                space.RangeFaultExtents(request, starts, firsts, out _, out _);
                space.Classify(request, work);
                space.RangeFaultBatch(request, pages, words, out _);
            });
        Assert.Equal(0, bytes);
    }

    [Fact]
    public void ColumnAnswers_Misuse_Throws()
    {
        using EngineWorld world = new();
        VpnRange range = EngineWorld.Pages(0, 8);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(range, null);
        var space = (IColumnAddressSpace)world.Space;
        var request = new HmmRange { Range = range, Notifier = notifier, NotifierSequence = 1 };
        Assert.Throws<ArgumentException>(() => space.RangeFaultExtents(request, default, default, out _, out _));
        Assert.Throws<ArgumentException>(() => space.RangeFaultExtents(request with { PfnFlagsMask = HmmRequestFlags.Fault }, new uint[1], new HmmPfn[1], out _, out _));
        Assert.Throws<ArgumentException>(() => space.RangeFaultExtents(request, new uint[2], new HmmPfn[1], out _, out _));
        Assert.Throws<ArgumentException>(() => space.Classify(request, new ulong[2]));
        Assert.Throws<ArgumentException>(() => space.RangeFaultBatch(request, new Vpn[2], new HmmPfn[1], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => space.RangeFaultBatch(request, [range.End], new HmmPfn[1], out _));
    }

    private static HmmRequestFlags Request(int seed) => (seed % 3) switch
    {
        0 => HmmRequestFlags.None,
        1 => HmmRequestFlags.Fault,
        _ => HmmRequestFlags.Fault | HmmRequestFlags.Write,
    };

    private static HmmStatus Expand(EngineWorld world, HmmRequestFlags request, int room, List<HmmPfn> words)
    {
        var starts = new uint[room];
        var firsts = new HmmPfn[room];
        VpnRange whole = EngineWorld.Pages(0, PageCount);
        using IMmuIntervalNotifier notifier = world.Space.InsertNotifier(whole, null);
        ulong done = 0;
        HmmStatus status = HmmStatus.Ok;
        while (done < PageCount && status is HmmStatus.Ok or HmmStatus.Busy)
        {
            VpnRange rest = EngineWorld.Pages(done, PageCount - done);
            status = ((IColumnAddressSpace)world.Space).RangeFaultExtents(
                new HmmRange { Range = rest, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = request, Owner = EngineWorld.Owner0 },
                starts,
                firsts,
                out int count,
                out ulong covered);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal((ulong)words.Count - done, starts[i]);
                ulong end = i + 1 < count ? starts[i + 1] : covered;
                ulong step = world.Memory.Options.Layout.IsValid(firsts[i]) ? 1UL : 0;
                for (ulong page = 0; page < end - starts[i]; page++)
                {
                    words.Add(new HmmPfn(firsts[i].Raw + (page * step)));
                }
            }

            done += covered;
            Assert.Equal(done, (ulong)words.Count);
        }

        return status;
    }

    /// <summary>Memory with everything in it: gaps, protections, holes, huge pages, device pages, zero pages, swap, shared pages; no unreadable pages where faults are asked.</summary>
    private static EngineWorld Mixed(string width, int seed)
    {
        var random = new Random(seed);
        EngineWorld world = new(width: width);
        world.Map(0, PageCount);
        world.Space.Advise(EngineWorld.Pages(1024, 1024), Advice.HugePage);
        for (int i = 0; i < 60; i++)
        {
            ulong first = (ulong)random.Next(PageCount - 70);
            ulong count = (ulong)random.Next(1, 70);
            switch (random.Next(7))
            {
                case 0:
                case 1:
                    world.Space.CpuWrite(EngineWorld.Pages(first, count), 1, 1, default);
                    break;
                case 2:
                    world.Space.CpuRead(EngineWorld.Pages(first, count), default, default);
                    break;
                case 3:
                    world.MigrateToDevice(random.Next(2) == 0 ? world.Gpu0 : world.Gpu1, first, count);
                    break;
                case 4:
                    world.Space.Advise(EngineWorld.Pages(first, Math.Min(count, 8)), Advice.PageOut);
                    break;
                case 5:
                    world.Space.Advise(EngineWorld.Pages(first, count), Advice.DontNeed);
                    break;
                default:
                    if (Request(seed) == HmmRequestFlags.None)
                    {
                        world.Space.Unmap(EngineWorld.Pages(first, 2));
                        world.Space.Protect(EngineWorld.Pages(first + 2, 3), random.Next(2) == 0 ? Protection.None : Protection.Read);
                    }

                    break;
            }
        }

        return world;
    }
}
