namespace HmmFast.Notifiers;

/// <summary>An interval notifier of one address space: a range, a sequence and a handler.</summary>
internal sealed class IntervalNotifier : IMmuIntervalNotifier
{
    private readonly NotifierSet _set;

    public IntervalNotifier(NotifierSet set, VpnRange range, IInvalidationHandler? handler)
    {
        _set = set;
        Range = range;
        Handler = handler;
    }

    public VpnRange Range { get; }

    public IInvalidationHandler? Handler { get; }

    /// <summary>Bumped by each invalidation that the handler did not ignore.</summary>
    public ulong Sequence { get; set; } = 1;

    /// <summary>The set it is in; null after it was removed.</summary>
    public NotifierSet? Set => IsRemoved ? null : _set;

    public bool IsRemoved { get; set; }

    public ulong ReadBegin()
    {
        ObjectDisposedException.ThrowIf(IsRemoved, this);
        return Sequence;
    }

    public bool ReadRetry(ulong sequence)
    {
        ObjectDisposedException.ThrowIf(IsRemoved, this);
        return Sequence != sequence;
    }

    public void Dispose()
    {
        if (!IsRemoved)
        {
            _set.Remove(this);
        }
    }
}
