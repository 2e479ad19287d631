namespace HmmFast;

/// <summary>An interval notifier (<c>struct mmu_interval_notifier</c>): a range, a sequence, a handler. Dispose removes it.</summary>
public interface IMmuIntervalNotifier : IDisposable
{
    /// <summary>The pages it watches.</summary>
    VpnRange Range { get; }

    /// <summary>The sequence now: <c>mmu_interval_read_begin</c>.</summary>
    ulong ReadBegin();

    /// <summary>True when the sequence moved since <paramref name="sequence"/> was read: <c>mmu_interval_read_retry</c>.</summary>
    bool ReadRetry(ulong sequence);
}
