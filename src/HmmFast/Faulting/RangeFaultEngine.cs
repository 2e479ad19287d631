using System.Runtime.InteropServices;
using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Notifiers;

namespace HmmFast.Faulting;

/// <summary>hmm_range_fault over columns: pieces of VMAs and blocks are answered by one kernel call each; faults run over the rest of their piece and the walk goes on.</summary>
/// <remarks>One per memory system. Calls without fault requests may run at the same time.</remarks>
internal sealed class RangeFaultEngine
{
    private readonly MemoryCore _core;
    private readonly DecisionCache _cache = new();
    private long _calls;
    private long _busy;

    public RangeFaultEngine(MemoryCore core) => _core = core;

    /// <summary>Calls so far.</summary>
    public ulong Calls => (ulong)Interlocked.Read(ref _calls);

    /// <summary>Of those, ended with Busy.</summary>
    public ulong BusyCalls => (ulong)Interlocked.Read(ref _busy);

    /// <summary>Answers one call; the caller has checked the range, the array's length and the notifier.</summary>
    public HmmStatus Run(AddressSpace space, in HmmRange range, IntervalNotifier notifier, Span<HmmPfn> hmmPfns)
    {
        Interlocked.Increment(ref _calls);
        var walk = new RangeWalk(_core, _cache, space, range, MemoryMarshal.Cast<HmmPfn, ulong>(hmmPfns));
        HmmStatus status;
        do
        {
            status = notifier.Sequence != range.NotifierSequence ? HmmStatus.Busy : range.Range.IsEmpty ? HmmStatus.Invalid : walk.Go();
        }
        while (status == HmmStatus.Busy && walk.IsAgain());
        if (status == HmmStatus.Busy)
        {
            Interlocked.Increment(ref _busy);
        }

        return status;
    }
}
