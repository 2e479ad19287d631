using System.Runtime.InteropServices;
using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Notifiers;

namespace HmmFast.Faulting;

/// <summary>hmm_range_fault over columns: pieces of VMAs and blocks are answered by one kernel call each; faults run over the rest of their piece and the walk goes on.</summary>
/// <remarks>One per memory system. Calls without fault requests may run at the same time.</remarks>
internal sealed class RangeFaultEngine
{
    // Scattered pages are asked for this long before their turn: each is a line of two columns from anywhere.
    private const int PagesAhead = 32;

    private readonly MemoryCore _core;
    private readonly DecisionCache _cache = new();
    private Tallies _tallies;

    public RangeFaultEngine(MemoryCore core) => _core = core;

    /// <summary>Calls so far.</summary>
    public ulong Calls => (ulong)Interlocked.Read(ref _tallies.Calls);

    /// <summary>Of those, ended with Busy.</summary>
    public ulong BusyCalls => (ulong)Interlocked.Read(ref _tallies.BusyCalls);

    /// <summary>Answers one call; the caller has checked the range, the array's length and the notifier.</summary>
    public HmmStatus Run(AddressSpace space, in HmmRange range, IntervalNotifier notifier, Span<HmmPfn> hmmPfns)
    {
        Interlocked.Increment(ref _tallies.Calls);
        var walk = new RangeWalk(_core, _cache, space, range, MemoryMarshal.Cast<HmmPfn, ulong>(hmmPfns));
        HmmStatus status;
        do
        {
            status = notifier.Sequence != range.NotifierSequence ? HmmStatus.Busy : range.Range.IsEmpty ? HmmStatus.Invalid : walk.Go();
        }
        while (status == HmmStatus.Busy && walk.IsAgain());
        KernelSet.Publish(hmmPfns.Length);
        if (status == HmmStatus.Busy)
        {
            Interlocked.Increment(ref _tallies.BusyCalls);
        }

        return status;
    }

    /// <summary>A call that answers in runs.</summary>
    public HmmStatus RunExtents(
        AddressSpace space, in HmmRange range, IntervalNotifier notifier, Span<uint> starts, Span<HmmPfn> firsts, out int extentCount, out ulong pageCount)
    {
        Interlocked.Increment(ref _tallies.Calls);
        var walk = new RangeWalk(_core, _cache, space, range, starts, MemoryMarshal.Cast<HmmPfn, ulong>(firsts));
        HmmStatus status;
        do
        {
            status = notifier.Sequence != range.NotifierSequence ? HmmStatus.Busy : range.Range.IsEmpty ? HmmStatus.Invalid : walk.Go();
        }
        while (status == HmmStatus.Busy && walk.IsAgain());
        extentCount = walk.ExtentCount;
        pageCount = walk.Answered;
        if (status == HmmStatus.Busy)
        {
            Interlocked.Increment(ref _tallies.BusyCalls);
        }

        return status;
    }

    /// <summary>Counts what a call would meet.</summary>
    public HmmClassification Classify(AddressSpace space, in HmmRange range, Span<ulong> work)
    {
        var key = new DecisionKey(range.Policy, range.Client, range.Client?.Reach, range.Owner, _core.Owners, _core.Classes.Count);
        DecisionTable table = _cache.Get(key, _core.Classes);
        HmmRequestFlags defaults = range.DefaultFlags;
        var ask = new PageAsk(
            (defaults & HmmRequestFlags.Fault) != 0,
            (defaults & HmmRequestFlags.Write) != 0,
            (defaults & HmmRequestFlags.AllowP2p) != 0 && _core.Options.Layout.AllowP2pBit != 0);
        return new RangeClassifier(space, table, ask, range.Range.Start.Value, work).Count(range.Range.End.Value);
    }

    /// <summary>Answers scattered pages one after the other, each as a call over it alone.</summary>
    public unsafe HmmStatus RunBatch(
        AddressSpace space, in HmmRange range, IntervalNotifier notifier, ReadOnlySpan<Vpn> pages, Span<HmmPfn> hmmPfns, out int answered)
    {
        Interlocked.Increment(ref _tallies.Calls);
        var scattered = new ScatteredWalk(_core, _cache, space, range);
        HmmStatus status = HmmStatus.Ok;
        for (answered = 0; answered < pages.Length; answered++)
        {
            ulong vpn = pages[answered].Value;
            if (answered + PagesAhead < pages.Length)
            {
                scattered.Expect(pages[answered + PagesAhead].Value);
            }

            if (notifier.Sequence != range.NotifierSequence)
            {
                status = HmmStatus.Busy;
                break;
            }

            if (scattered.TryAnswer(vpn, ref hmmPfns[answered]))
            {
                continue;
            }

            var walk = new RangeWalk(
                _core, _cache, space, range with { Range = new VpnRange(new Vpn(vpn), 1) }, MemoryMarshal.Cast<HmmPfn, ulong>(hmmPfns.Slice(answered, 1)));
            do
            {
                status = notifier.Sequence != range.NotifierSequence ? HmmStatus.Busy : walk.Go();
            }
            while (status == HmmStatus.Busy && walk.IsAgain());
            if (status != HmmStatus.Ok)
            {
                break;
            }

            scattered.Refresh();
        }

        if (status == HmmStatus.Busy)
        {
            Interlocked.Increment(ref _tallies.BusyCalls);
        }

        return status;
    }

    /// <summary>Counted by every call of every thread: on a line of their own, so that threads do not take the fields that they only read from each other.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Tallies
    {
        [FieldOffset(128)]
        public long Calls;

        [FieldOffset(136)]
        public long BusyCalls;
    }
}
