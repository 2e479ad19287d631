namespace HmmFast.Properties.Equivalence;

/// <summary>A long-lived notifier over a whole window, which logs what it is told.</summary>
internal class Watch : IInvalidationHandler
{
    private readonly List<ulong> _log;
    private ulong _sequence;

    public Watch(IAddressSpace space, VpnRange range, List<ulong> log)
    {
        _log = log;
        Notifier = space.InsertNotifier(range.IsEmpty ? new VpnRange(range.Start, 1) : range, this);
        _sequence = Notifier.ReadBegin();
    }

    public IMmuIntervalNotifier Notifier { get; }

    /// <summary>True when the sequence moved since this was last asked. What the numbers are is the implementation's affair.</summary>
    public bool HasMoved()
    {
        bool moved = Notifier.ReadRetry(_sequence);
        _sequence = Notifier.ReadBegin();
        return moved;
    }

    public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        _log.Add(((ulong)info.Event << 32) | info.Owner.Value);
        _log.Add(info.Range.Start.Value);
        _log.Add(info.Range.PageCount);
        return !(info.Event == InvalidationEvent.Migrate && info.Owner.Value == 1);
    }
}

/// <summary>The same for an engine that tells of many pages at once; logs each of them.</summary>
internal sealed class RunWatch(IAddressSpace space, VpnRange range, List<ulong> log) : Watch(space, range, log), IRunInvalidationHandler
{
    public ulong InvalidateEach(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        ulong counted = 0;
        for (ulong i = 0; i < info.Range.PageCount; i++)
        {
            counted += Invalidate(notifier, info with { Range = new VpnRange(info.Range.Start + i, 1) }) ? 1UL : 0;
        }

        return counted;
    }
}
