using System.Numerics;
using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>
/// Which swap slots are taken: one bit each, with a summary bit for each full word, so that the lowest free number is found in a few steps however
/// many there are. Always gives the lowest-numbered free one.
/// </summary>
internal sealed unsafe class SlotRange : IDisposable
{
    private const ulong WordBits = 64;

    private readonly NativeColumn<ulong> _usedColumn;
    private readonly NativeColumn<ulong> _fullColumn;
    private readonly ulong* _used;
    private readonly ulong* _full;
    private readonly ulong _wordCount;

    // No word below this one has a free bit; no aligned run of 512 below the other one is free.
    private ulong _firstWord;
    private ulong _firstBlock;

    /// <summary>Makes a range in which everything is free.</summary>
    /// <param name="count">How many.</param>
    /// <param name="ledger">Where the columns are entered.</param>
    public SlotRange(ulong count, NativeMemoryLedger ledger)
    {
        FreeCount = count;
        ulong bits = (count + PageOrder.PagesPerBlock - 1) & ~(PageOrder.PagesPerBlock - 1UL);
        _wordCount = bits / WordBits;
        _usedColumn = new NativeColumn<ulong>("swap slots in use", (long)_wordCount, ledger, HugePagePolicy.SystemDefault);
        try
        {
            _fullColumn = new NativeColumn<ulong>("swap slots full words", (long)((_wordCount + WordBits - 1) / WordBits), ledger, HugePagePolicy.SystemDefault);
        }
        catch
        {
            _usedColumn.Dispose();
            throw;
        }

        _used = _usedColumn.Pointer;
        _full = _fullColumn.Pointer;
        SetBits(count, bits - count);

        // Summary bits past the last word read as full.
        for (ulong word = _wordCount; word % WordBits != 0; word++)
        {
            _full[word / WordBits] |= 1UL << (int)(word % WordBits);
        }
    }

    public ulong FreeCount { get; private set; }

    /// <summary>Takes the lowest free number.</summary>
    public bool TryTake(out uint number)
    {
        number = 0;
        if (FreeCount == 0)
        {
            return false;
        }

        _firstWord = FirstWordWithFree(_firstWord);
        ulong bit = (_firstWord * WordBits) + (ulong)BitOperations.TrailingZeroCount(~_used[_firstWord]);
        SetBits(bit, 1);
        FreeCount--;
        number = (uint)bit;
        return true;
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
                first = (uint)(block * PageOrder.PagesPerBlock);
                return true;
            }
        }

        // Nothing from the old mark on; Give moves the mark back.
        _firstBlock = blockCount;
        return false;
    }

    /// <summary>Gives a number back that is taken.</summary>
    public void Give(uint number)
    {
        ulong word = number / WordBits;
        FreeCount++;
        _firstWord = Math.Min(_firstWord, word);
        _firstBlock = Math.Min(_firstBlock, number / PageOrder.PagesPerBlock);
        _used[word] &= ~(1UL << (int)(number % WordBits));
        _full[word / WordBits] &= ~(1UL << (int)(word % WordBits));
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
