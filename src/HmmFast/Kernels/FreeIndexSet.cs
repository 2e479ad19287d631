using HmmFast.Memory;

namespace HmmFast.Kernels;

/// <summary>
/// Which of a range of indices are free, answering always with the lowest: the next one, the next run, the next aligned block of 512 with all free.
/// All are free at first, and memory is spent only on the parts that were ever taken (an eighth of a byte an index).
/// </summary>
public sealed class FreeIndexSet : IDisposable
{
    /// <summary>Indices in an aligned block.</summary>
    public const int BlockLength = 512;

    private readonly BitTree _taken;
    private readonly BitTree _touchedBlocks;
    private bool _disposed;

    /// <summary>Makes a set in which every index is free.</summary>
    /// <param name="name">What the indices are; used in messages.</param>
    /// <param name="count">Indices, 1 to 2^36.</param>
    /// <param name="ledger">The book for its memory.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is outside its bounds.</exception>
    public FreeIndexSet(string name, long count, NativeMemoryLedger ledger)
    {
        if (count is < 1 or > (1L << 36))
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"'{name}' cannot have {count} indices: 1..{1L << 36}.");
        }

        Name = name;
        Count = count;
        FreeCount = count;
        _taken = new BitTree($"{name} taken", count, ledger);

        // A last block that is not whole can never be given as one.
        _touchedBlocks = new BitTree($"{name} blocks", (count + BlockLength - 1) / BlockLength, ledger);
        if (count % BlockLength != 0)
        {
            _touchedBlocks.Set(count / BlockLength, 1);
        }
    }

    /// <summary>What the indices are.</summary>
    public string Name { get; }

    /// <summary>Indices in all.</summary>
    public long Count { get; }

    /// <summary>Indices that are free.</summary>
    public long FreeCount { get; private set; }

    /// <summary>Whether one index is free.</summary>
    /// <param name="index">0 up to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    public bool IsFree(long index)
    {
        Check(index, 1);
        return !_taken.IsSet(index);
    }

    /// <summary>The lowest free run from an index on: the first free index and how many follow it without a gap. Takes nothing.</summary>
    /// <param name="from">Where to begin, 0 up to <see cref="Count"/>.</param>
    /// <param name="limit">The longest run wanted, at least 1.</param>
    /// <param name="start">The first free index.</param>
    /// <param name="length">The run's length, at most the limit.</param>
    /// <returns>False when nothing is free from there on.</returns>
    /// <exception cref="ArgumentOutOfRangeException">From is outside, or the limit is below 1.</exception>
    public bool TryFindRun(long from, long limit, out long start, out long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        MemoryThrow.IfOutside(from, 0, Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        start = from == Count ? -1 : _taken.FindClear(from);
        length = start < 0 ? 0 : _taken.Run(start, limit, ofSet: false);
        return start >= 0;
    }

    /// <summary>Takes the lowest free index.</summary>
    /// <returns>The index, or -1 when none is free.</returns>
    public long TakeLowest()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long index = _taken.FindClear(0);
        if (index >= 0)
        {
            Mark(index, 1);
        }

        return index;
    }

    /// <summary>Takes the lowest free indices, in order.</summary>
    /// <param name="kernels">The loops that write them.</param>
    /// <param name="first">Added to every index written.</param>
    /// <param name="indices">Filled from the front.</param>
    /// <returns>How many were taken: all that was asked for, or all that was free.</returns>
    public int TakeLowest(KernelSet kernels, uint first, Span<uint> indices)
    {
        int done = 0;
        long from = 0;
        while (done < indices.Length && TryFindRun(from, indices.Length - done, out long start, out long length))
        {
            Mark(start, length);
            kernels.CountUp(indices.Slice(done, (int)length), first + (uint)start);
            done += (int)length;
            from = start + length;
        }

        return done;
    }

    /// <summary>Takes the lowest aligned block of <see cref="BlockLength"/> indices that are all free.</summary>
    /// <returns>Its first index, or -1 when there is none.</returns>
    public long TakeLowestBlock()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long block = _touchedBlocks.FindClear(0);
        if (block < 0)
        {
            return -1;
        }

        Mark(block * BlockLength, BlockLength);
        return block * BlockLength;
    }

    /// <summary>Takes a run that is free.</summary>
    /// <param name="start">First index.</param>
    /// <param name="length">Indices, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The run does not lie inside, or is empty.</exception>
    /// <exception cref="InvalidOperationException">An index of the run is not free; nothing was taken.</exception>
    public void Take(long start, long length)
    {
        Check(start, length);
        long free = _taken.Run(start, length, ofSet: false);
        if (free != length)
        {
            throw new InvalidOperationException($"'{Name}': index {start + free} of the run {start}..+{length} is taken already.");
        }

        Mark(start, length);
    }

    /// <summary>Gives a run back that is taken.</summary>
    /// <param name="start">First index.</param>
    /// <param name="length">Indices, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The run does not lie inside, or is empty.</exception>
    /// <exception cref="InvalidOperationException">An index of the run is free already; nothing was given back.</exception>
    public void Give(long start, long length)
    {
        Check(start, length);
        long taken = _taken.Run(start, length, ofSet: true);
        if (taken != length)
        {
            throw new InvalidOperationException($"'{Name}': index {start + taken} of the run {start}..+{length} is free already.");
        }

        _taken.Clear(start, length);
        FreeCount += length;

        // Whole blocks inside the run are free now; the two at its ends only if nothing else in them is taken.
        long firstBlock = start / BlockLength;
        long lastBlock = (start + length - 1) / BlockLength;
        if (!IsBlockFree(firstBlock))
        {
            firstBlock++;
        }

        if (lastBlock >= firstBlock && !IsBlockFree(lastBlock))
        {
            lastBlock--;
        }

        if (firstBlock <= lastBlock)
        {
            _touchedBlocks.Clear(firstBlock, lastBlock - firstBlock + 1);
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _disposed = true;
        _taken.Dispose();
        _touchedBlocks.Dispose();
    }

    private bool IsBlockFree(long block) => (block + 1) * BlockLength <= Count
        && _taken.Run(block * BlockLength, BlockLength, ofSet: false) == BlockLength;

    private void Mark(long start, long length)
    {
        _taken.Set(start, length);
        FreeCount -= length;
        long firstBlock = start / BlockLength;
        _touchedBlocks.Set(firstBlock, ((start + length - 1) / BlockLength) - firstBlock + 1);
    }

    private void Check(long start, long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        MemoryThrow.IfOutside(start, length, Count);
    }
}
