using System.Numerics;
using System.Runtime.CompilerServices;
using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>
/// Which numbers of a range are taken: one bit each, with a summary bit for each full word, so that the lowest free number is found in a few steps however
/// large the range. Used for system frames, each pagemap and swap slots alike. Always gives the lowest-numbered free one.
/// </summary>
internal sealed unsafe class FrameRange : IDisposable
{
    private const ulong WordBits = 64;

    private readonly NativeColumn<ulong> _usedColumn;
    private readonly NativeColumn<ulong> _fullColumn;
    private readonly ulong* _used;
    private readonly ulong* _full;
    private readonly ulong _base;
    private readonly ulong _wordCount;

    // No word below this one has a free bit; no aligned run of 512 below the other one is free.
    private ulong _firstWord;
    private ulong _firstBlock;

    /// <summary>Makes a range in which everything is free.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="first">First number.</param>
    /// <param name="count">How many.</param>
    /// <param name="ledger">Where the columns are entered.</param>
    public FrameRange(string name, ulong first, ulong count, NativeMemoryLedger ledger)
    {
        First = first;
        Count = count;
        FreeCount = count;
        _base = first & ~(PageOrder.PagesPerBlock - 1UL);
        ulong bits = ((first + count - _base) + PageOrder.PagesPerBlock - 1) & ~(PageOrder.PagesPerBlock - 1UL);
        _wordCount = Math.Max(bits / WordBits, 8);
        _usedColumn = new NativeColumn<ulong>($"{name} in use", (long)_wordCount, ledger, HugePagePolicy.SystemDefault);
        try
        {
            _fullColumn = new NativeColumn<ulong>($"{name} full words", (long)((_wordCount + WordBits - 1) / WordBits), ledger, HugePagePolicy.SystemDefault);
        }
        catch
        {
            _usedColumn.Dispose();
            throw;
        }

        _used = _usedColumn.Pointer;
        _full = _fullColumn.Pointer;
        SetBits(0, first - _base);
        SetBits(first + count - _base, (_wordCount * WordBits) - (first + count - _base));

        // Summary bits past the last word read as full.
        for (ulong word = _wordCount; word % WordBits != 0; word++)
        {
            _full[word / WordBits] |= 1UL << (int)(word % WordBits);
        }
    }

    public ulong First { get; }

    public ulong Count { get; }

    public ulong FreeCount { get; private set; }

    public ulong End => First + Count;

    public bool Contains(ulong number) => number - First < Count;

    /// <summary>Takes the lowest free number.</summary>
    public bool TryTake(out uint number)
    {
        bool found = TryTakeRun(1, out number, out _);
        return found;
    }

    /// <summary>Takes the lowest free number and the free ones that follow it without a gap, at most <paramref name="most"/> together.</summary>
    public bool TryTakeRun(ulong most, out uint first, out ulong count)
    {
        first = 0;
        count = 0;
        if (FreeCount == 0 || most == 0)
        {
            return false;
        }

        ulong word = FirstWordWithFree(_firstWord);
        _firstWord = word;
        int start = BitOperations.TrailingZeroCount(~_used[word]);
        ulong bit = (word * WordBits) + (ulong)start;
        ulong run = 0;
        while (run < most && word < _wordCount)
        {
            ulong busy = _used[word] >> start;
            int room = (int)WordBits - start;
            int free = busy == 0 ? room : BitOperations.TrailingZeroCount(busy);
            run += (ulong)free;
            if (free < room)
            {
                break;
            }

            word++;
            start = 0;
        }

        run = Math.Min(run, most);
        SetBits(bit, run);
        FreeCount -= run;
        first = (uint)(_base + bit);
        count = run;
        return true;
    }

    /// <summary>Takes the lowest free numbers, adjacent or not, in order. Answers how many there were.</summary>
    /// <param name="into">Receives them.</param>
    public int TakeMany(Span<uint> into)
    {
        int wanted = (int)Math.Min((ulong)into.Length, FreeCount);
        int taken = 0;
        ulong word = _firstWord;
        while (taken < wanted)
        {
            word = FirstWordWithFree(word);
            ulong free = ~_used[word];
            ulong numbers = _base + (word * WordBits);
            while (free != 0 && taken < wanted)
            {
                into[taken++] = (uint)(numbers + (ulong)BitOperations.TrailingZeroCount(free));
                free &= free - 1;
            }

            _used[word] = ~free;
            if (free == 0)
            {
                _full[word / WordBits] |= 1UL << (int)(word % WordBits);
            }
        }

        _firstWord = wanted > 0 ? word : _firstWord;
        FreeCount -= (ulong)taken;
        return taken;
    }

    /// <summary>Takes the lowest free aligned run of 512.</summary>
    public bool TryTakeBlock(out uint first)
    {
        const ulong WordsPerBlock = PageOrder.PagesPerBlock / WordBits;
        first = 0;
        if (FreeCount < PageOrder.PagesPerBlock)
        {
            return false;
        }

        ulong blockCount = _wordCount / WordsPerBlock;
        for (ulong block = _firstBlock; block < blockCount; block++)
        {
            ulong* words = _used + (block * WordsPerBlock);
            if ((words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7]) == 0)
            {
                SetBits(block * PageOrder.PagesPerBlock, PageOrder.PagesPerBlock);
                FreeCount -= PageOrder.PagesPerBlock;
                _firstBlock = block + 1;
                first = (uint)(_base + (block * PageOrder.PagesPerBlock));
                return true;
            }
        }

        // Nothing from the old mark on; Give moves the mark back.
        _firstBlock = blockCount;
        return false;
    }

    /// <summary>Gives numbers back that are taken.</summary>
    public void Give(ulong first, ulong count)
    {
        ulong bit = first - _base;
        ulong end = bit + count;
        FreeCount += count;
        _firstWord = Math.Min(_firstWord, bit / WordBits);
        _firstBlock = Math.Min(_firstBlock, bit / PageOrder.PagesPerBlock);
        while (bit < end)
        {
            ulong word = bit / WordBits;
            ulong mask = MaskOf(bit, end);
            _used[word] &= ~mask;
            _full[word / WordBits] &= ~(1UL << (int)(word % WordBits));
            bit = (word + 1) * WordBits;
        }
    }

    /// <summary>Gives numbers back that are taken, in any order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void GiveMany(ReadOnlySpan<MigratePfn> pages)
    {
        ulong lowest = ulong.MaxValue;
        foreach (MigratePfn page in pages)
        {
            ulong bit = page.Pfn.Value - _base;
            ulong word = bit / WordBits;
            lowest = Math.Min(lowest, bit);
            _used[word] &= ~(1UL << (int)(bit % WordBits));
            _full[word / WordBits] &= ~(1UL << (int)(word % WordBits));
        }

        FreeCount += (ulong)pages.Length;
        _firstWord = Math.Min(_firstWord, lowest / WordBits);
        _firstBlock = Math.Min(_firstBlock, lowest / PageOrder.PagesPerBlock);
    }

    public void Dispose()
    {
        _usedColumn.Dispose();
        _fullColumn.Dispose();
    }

    private static ulong MaskOf(ulong bit, ulong end)
    {
        int from = (int)(bit % WordBits);
        ulong length = Math.Min(WordBits - (ulong)from, end - bit);
        return (length == WordBits ? ulong.MaxValue : (1UL << (int)length) - 1) << from;
    }

    private void SetBits(ulong bit, ulong count)
    {
        ulong end = bit + count;
        while (bit < end)
        {
            ulong word = bit / WordBits;
            _used[word] |= MaskOf(bit, end);
            if (_used[word] == ulong.MaxValue)
            {
                _full[word / WordBits] |= 1UL << (int)(word % WordBits);
            }

            bit = (word + 1) * WordBits;
        }
    }

    private ulong FirstWordWithFree(ulong from)
    {
        ulong group = from / WordBits;
        ulong open = ~_full[group] & (ulong.MaxValue << (int)(from % WordBits));
        while (open == 0)
        {
            group++;
            open = ~_full[group];
        }

        return (group * WordBits) + (ulong)BitOperations.TrailingZeroCount(open);
    }
}
