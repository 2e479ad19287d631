namespace HmmFast.Reference;

/// <summary>A notifier of one address space.</summary>
internal sealed class IntervalNotifier(ReferenceAddressSpace space, VpnRange range, IInvalidationHandler? handler) : IMmuIntervalNotifier
{
    private ulong _sequence = 1;

    public VpnRange Range { get; } = range;

    public ReferenceAddressSpace Space { get; } = space;

    public bool IsRemoved { get; private set; }

    /// <summary>The sequence, for a walk that the notifier's removal does not end.</summary>
    public ulong Sequence => _sequence;

    public ulong ReadBegin()
    {
        ThrowIfRemoved();
        return _sequence;
    }

    public bool ReadRetry(ulong sequence)
    {
        ThrowIfRemoved();
        return sequence != _sequence;
    }

    public void Invalidate(in InvalidationInfo info)
    {
        if (handler is null || handler.Invalidate(this, info))
        {
            _sequence++;
        }
    }

    public void Dispose()
    {
        if (!IsRemoved)
        {
            IsRemoved = true;
            Space.RemoveNotifier(this);
        }
    }

    private void ThrowIfRemoved() => ObjectDisposedException.ThrowIf(IsRemoved || Space.HasExited, this);
}
