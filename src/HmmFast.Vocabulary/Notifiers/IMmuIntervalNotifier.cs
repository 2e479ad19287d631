namespace HmmFast;

/// <summary>An interval notifier (<c>struct mmu_interval_notifier</c>): a range, a sequence, a handler. Dispose removes it.</summary>
/// <remarks>
/// The order a driver keeps: read the sequence, range-fault, and before it uses the answer, under the lock its handler takes, see that the sequence still holds. Every event over
/// the range that the handler does not ignore moves the sequence by one. After dispose, or its address space's exit, both reads throw
/// <see cref="ObjectDisposedException"/>. Cost: one word read. Source: <c>mmu_interval_read_begin</c> and <c>mmu_interval_read_retry</c>.
/// </remarks>
public interface IMmuIntervalNotifier : IDisposable
{
    /// <summary>The pages it watches.</summary>
    VpnRange Range { get; }

    /// <summary>The sequence now: <c>mmu_interval_read_begin</c>.</summary>
    ulong ReadBegin();

    /// <summary>True when the sequence moved since <paramref name="sequence"/> was read: <c>mmu_interval_read_retry</c>.</summary>
    /// <param name="sequence">What <see cref="ReadBegin"/> returned.</param>
    bool ReadRetry(ulong sequence);
}
