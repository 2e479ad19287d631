namespace HmmFast.Memory;

/// <summary>
/// The book that native memory is entered in when it is reserved and struck from when it is freed. One owner (an engine, a test)
/// makes one and hands it to everything it builds, so that a leak or a double free is a number that can be asserted. It can also bound what
/// may be reserved, where several engines share a machine, or the system counts reserved memory as spent (Windows). Safe to use from several threads.
/// </summary>
public sealed class NativeMemoryLedger
{
    private long _liveRanges;
    private long _reservedBytes;
    private long _totalRanges;
    private long _doubleFrees;
    private long _leaks;

    /// <summary>Makes a book without a limit.</summary>
    public NativeMemoryLedger()
        : this(long.MaxValue)
    {
    }

    /// <summary>Makes a book with a limit.</summary>
    /// <param name="limitBytes">The most address space that may be reserved at a time. A reservation that would pass it is refused as if the system had: the
    /// call that needs it throws <see cref="InsufficientMemoryException"/> and changes nothing.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative.</exception>
    public NativeMemoryLedger(long limitBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limitBytes);
        LimitBytes = limitBytes;
    }

    /// <summary>The most bytes of address space that may be reserved at a time.</summary>
    public long LimitBytes { get; }

    /// <summary>Ranges reserved and not yet freed.</summary>
    public long LiveRanges => Interlocked.Read(ref _liveRanges);

    /// <summary>Bytes of address space reserved and not yet freed (not bytes resident).</summary>
    public long ReservedBytes => Interlocked.Read(ref _reservedBytes);

    /// <summary>Ranges ever reserved through this ledger.</summary>
    public long TotalRanges => Interlocked.Read(ref _totalRanges);

    /// <summary>How often something was disposed that had been disposed before.</summary>
    public long DoubleFrees => Interlocked.Read(ref _doubleFrees);

    /// <summary>Ranges that the finalizer had to free because their owner never did.</summary>
    public long Leaks => Interlocked.Read(ref _leaks);

    /// <summary>Checks that everything reserved was freed, and freed once.</summary>
    /// <exception cref="InvalidOperationException">A range is still live, was leaked, or was freed twice; the message has the counts.</exception>
    public void ThrowIfUnbalanced()
    {
        if (LiveRanges != 0 || ReservedBytes != 0 || DoubleFrees != 0 || Leaks != 0)
        {
            throw new InvalidOperationException(
                $"Native memory is not balanced: {LiveRanges} ranges live ({ReservedBytes} bytes reserved), {Leaks} leaked, {DoubleFrees} double frees; all must be 0.");
        }
    }

    /// <summary>Enters bytes that are about to be reserved, or refuses them.</summary>
    internal bool TryEnter(long sizeBytes)
    {
        // Added before it is compared, so that two threads cannot both take the last room; sizes are below 2^46, so the sum does not overflow.
        if (Interlocked.Add(ref _reservedBytes, sizeBytes) > LimitBytes)
        {
            Strike(sizeBytes);
            return false;
        }

        return true;
    }

    /// <summary>Takes back an entry whose reservation failed.</summary>
    internal void Strike(long sizeBytes) => Interlocked.Add(ref _reservedBytes, -sizeBytes);

    internal void Reserved()
    {
        Interlocked.Increment(ref _liveRanges);
        Interlocked.Increment(ref _totalRanges);
    }

    internal void Freed(long sizeBytes, bool leaked)
    {
        Interlocked.Decrement(ref _liveRanges);
        Interlocked.Add(ref _reservedBytes, -sizeBytes);
        if (leaked)
        {
            Interlocked.Increment(ref _leaks);
        }
    }

    internal void FreedAgain() => Interlocked.Increment(ref _doubleFrees);
}
