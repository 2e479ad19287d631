using System.Runtime.CompilerServices;

namespace HmmFast.Physical;

/// <summary>
/// The frames of one memory: system memory or a pagemap. Which are free is in the state column itself (all zero); a number beside each 512 says how many are taken, so
/// that the lowest free one is found without a look at full blocks, and a run of untouched ones without a look at any frame. Always gives the lowest-numbered free one.
/// </summary>
/// <remarks>
/// Who takes frames sets their states before more are taken; who gives them back has cleared their states. Memories begin and end in blocks of their own. A block that
/// is not all of this memory counts the frames beside it as taken.
/// </remarks>
internal sealed unsafe class FrameRange
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;
    private const ushort Full = (ushort)BlockPages;

    private readonly uint* _states;
    private readonly ushort* _taken;
    private readonly ulong _endBlock;

    // No frame below this one is free; no block below the other one is free as a whole.
    private ulong _lowest;
    private ulong _firstBlock;

    /// <summary>Makes a range in which everything is free.</summary>
    /// <param name="table">The frame columns.</param>
    /// <param name="first">First number; the block it lies in has no other memory.</param>
    /// <param name="count">How many, at least 1.</param>
    public FrameRange(FrameTable table, ulong first, ulong count)
    {
        First = first;
        Count = count;
        FreeCount = count;
        _states = (uint*)table.State;
        _taken = table.Taken;
        _lowest = first;
        _firstBlock = first / BlockPages;
        _endBlock = (End + BlockPages - 1) / BlockPages;
        _taken[_firstBlock] += (ushort)(first % BlockPages);
        _taken[_endBlock - 1] += (ushort)((_endBlock * BlockPages) - End);
    }

    public ulong First { get; }

    public ulong Count { get; }

    public ulong FreeCount { get; private set; }

    public ulong End => First + Count;

    public bool Contains(ulong number) => number - First < Count;

    /// <summary>Takes the lowest free frame.</summary>
    public bool TryTake(out uint number)
    {
        number = 0;
        if (FreeCount == 0)
        {
            return false;
        }

        ulong at = FirstFree(_lowest);
        _taken[at / BlockPages]++;
        _lowest = at + 1;
        FreeCount--;
        number = (uint)at;
        return true;
    }

    /// <summary>Takes the lowest free frame and the free ones that follow it without a gap, at most <paramref name="most"/> together.</summary>
    public bool TryTakeRun(ulong most, out uint first, out ulong count)
    {
        first = 0;
        count = 0;
        if (FreeCount == 0 || most == 0)
        {
            return false;
        }

        ulong at = FirstFree(_lowest);
        ulong limit = Math.Min(End, at + Math.Min(most, Count));
        ulong end = at;
        while (end < limit)
        {
            ulong block = end / BlockPages;
            ulong to = Math.Min(limit, (block + 1) * BlockPages);
            int room = (int)(to - end);
            int used = _taken[block] == 0 ? -1 : new ReadOnlySpan<uint>(_states + end, room).IndexOfAnyExcept(0U);
            int free = used < 0 ? room : used;
            _taken[block] += (ushort)free;
            end += (ulong)free;
            if (used >= 0)
            {
                break;
            }
        }

        first = (uint)at;
        count = end - at;
        _lowest = end;
        FreeCount -= count;
        return true;
    }

    /// <summary>Takes the lowest free frames, adjacent or not, in order. Answers how many there were.</summary>
    /// <param name="into">Receives them.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int TakeMany(Span<uint> into)
    {
        int wanted = (int)Math.Min((ulong)into.Length, FreeCount);
        int taken = 0;
        ulong at = _lowest;
        while (taken < wanted)
        {
            at = FirstFree(at);
            ulong block = at / BlockPages;
            ulong to = Math.Min(End, (block + 1) * BlockPages);
            int before = taken;
            for (bool isFree = _taken[block] == 0; at < to && taken < wanted; at++)
            {
                into[taken] = (uint)at;
                taken += isFree || _states[at] == 0 ? 1 : 0;
            }

            _taken[block] += (ushort)(taken - before);
        }

        _lowest = at;
        FreeCount -= (ulong)taken;
        return taken;
    }

    /// <summary>Takes the lowest free aligned run of 512.</summary>
    public bool TryTakeBlock(out uint first)
    {
        first = 0;
        if (FreeCount < BlockPages)
        {
            return false;
        }

        ulong block = _firstBlock;
        if (!TryFind(ref block, isEmpty: true))
        {
            // Nothing from the old mark on; giving frames back moves it back.
            _firstBlock = _endBlock;
            return false;
        }

        _taken[block] = Full;
        FreeCount -= BlockPages;
        _firstBlock = block + 1;
        first = (uint)(block * BlockPages);
        return true;
    }

    /// <summary>Gives a run back.</summary>
    public void Give(ulong first, ulong count)
    {
        ulong end = first + count;
        for (ulong at = first; at < end;)
        {
            ulong block = at / BlockPages;
            ulong to = Math.Min(end, (block + 1) * BlockPages);
            _taken[block] -= (ushort)(to - at);
            at = to;
        }

        GiveCounted(first, count);
    }

    /// <summary>Gives frames back whose blocks' numbers (<see cref="FrameTable.Taken"/>) the caller has brought in step.</summary>
    /// <param name="lowest">The lowest of them.</param>
    /// <param name="count">How many.</param>
    public void GiveCounted(ulong lowest, ulong count)
    {
        FreeCount += count;
        _lowest = Math.Min(_lowest, lowest);
        _firstBlock = Math.Min(_firstBlock, lowest / BlockPages);
    }

    /// <summary>The first free frame from one on; there is one.</summary>
    private ulong FirstFree(ulong from)
    {
        ulong block = from / BlockPages;
        while (true)
        {
            if (_taken[block] == 0)
            {
                return from;
            }

            if (_taken[block] != Full)
            {
                int room = (int)(Math.Min(End, (block + 1) * BlockPages) - from);
                int free = _states[from] == 0 ? 0 : new ReadOnlySpan<uint>(_states + from, room).IndexOf(0U);
                if (free >= 0)
                {
                    return from + (ulong)free;
                }
            }

            block++;
            TryFind(ref block, isEmpty: false);
            from = Math.Max(First, block * BlockPages);
        }
    }

    /// <summary>The first block from one on that is free as a whole, or that has any free frame.</summary>
    private bool TryFind(ref ulong block, bool isEmpty)
    {
        // Spans have lengths of 31 bits; there are at most 2^23 blocks.
        var counts = new ReadOnlySpan<ushort>(_taken + block, (int)(_endBlock - block));
        int found = isEmpty ? counts.IndexOf((ushort)0) : counts.IndexOfAnyExcept(Full);
        block += (ulong)Math.Max(found, 0);
        return found >= 0;
    }
}
