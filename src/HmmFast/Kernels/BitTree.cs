using System.Numerics;
using HmmFast.Memory;

namespace HmmFast.Kernels;

/// <summary>
/// Bits with summaries: a bit of level k + 1 is set when its 64 bits of level k all are, so the lowest clear bit is found in one word a level, and untouched
/// memory reads as clear. The caller guarantees that ranges lie inside.
/// </summary>
/// <remarks>Example with one summary: bits 0..63 set and bit 64 clear gives level 1 = ...01; the lowest clear bit of it is 1, and that of word 1 below is 0: bit 64.</remarks>
internal sealed unsafe class BitTree : IDisposable
{
    private readonly NativeColumn<ulong>[] _levels;

    public BitTree(string name, long count, NativeMemoryLedger ledger)
    {
        Count = count;
        List<NativeColumn<ulong>> levels = [];
        long bits = count;
        do
        {
            long words = (bits + 63) >> 6;
            NativeColumn<ulong> level = new($"{name} level {levels.Count}", words, ledger);
            levels.Add(level);
            if ((bits & 63) != 0)
            {
                // What lies past the end never looks free.
                level[words - 1] = ulong.MaxValue << (int)(bits & 63);
            }

            bits = words;
        }
        while (bits > 1);
        _levels = [.. levels];
    }

    public long Count { get; }

    public bool IsSet(long index) => (_levels[0][index >> 6] >> (int)(index & 63) & 1) != 0;

    /// <summary>The lowest clear bit from an index on, or -1.</summary>
    public long FindClear(long from)
    {
        long at = from;
        for (int level = 0; level < _levels.Length; level++)
        {
            NativeColumn<ulong> words = _levels[level];
            long word = at >> 6;
            if (word >= words.Length)
            {
                return -1;
            }

            ulong clear = ~words.Pointer[word] & (ulong.MaxValue << (int)(at & 63));
            if (clear != 0)
            {
                long index = (word << 6) + BitOperations.TrailingZeroCount(clear);
                while (level > 0)
                {
                    level--;
                    index = (index << 6) + BitOperations.TrailingZeroCount(~_levels[level].Pointer[index]);
                }

                return index;
            }

            at = word + 1;
        }

        return -1;
    }

    /// <summary>How many bits from an index on are clear (or set), up to a limit.</summary>
    public long Run(long from, long limit, bool ofSet)
    {
        ulong flip = ofSet ? ulong.MaxValue : 0;
        ulong* words = _levels[0].Pointer;
        long end = Math.Min(Count, limit > Count - from ? Count : from + limit);
        long at = from;
        while (at < end)
        {
            ulong breaks = (words[at >> 6] ^ flip) >> (int)(at & 63);
            if (breaks != 0)
            {
                at += BitOperations.TrailingZeroCount(breaks);
                break;
            }

            at = (at | 63) + 1;
        }

        return Math.Min(at, end) - from;
    }

    /// <summary>Sets clear bits.</summary>
    public void Set(long start, long count)
    {
        long first = start;
        long last = start + count - 1;
        for (int level = 0; level < _levels.Length; level++)
        {
            ulong* words = _levels[level].Pointer;
            long firstWord = first >> 6;
            long lastWord = last >> 6;
            for (long w = firstWord; w <= lastWord; w++)
            {
                words[w] |= Mask(w, first, last);
            }

            // The words that became full make a run above; only its two ends can be not full.
            first = words[firstWord] == ulong.MaxValue ? firstWord : firstWord + 1;
            last = words[lastWord] == ulong.MaxValue ? lastWord : lastWord - 1;
            if (first > last)
            {
                return;
            }
        }
    }

    /// <summary>Clears set bits.</summary>
    public void Clear(long start, long count)
    {
        long first = start;
        long last = start + count - 1;
        for (int level = 0; level < _levels.Length; level++)
        {
            ulong* words = _levels[level].Pointer;
            for (long w = first >> 6; w <= last >> 6; w++)
            {
                words[w] &= ~Mask(w, first, last);
            }

            first >>= 6;
            last >>= 6;
        }
    }

    public void Dispose()
    {
        foreach (NativeColumn<ulong> level in _levels)
        {
            level.Dispose();
        }
    }

    private static ulong Mask(long word, long first, long last)
    {
        ulong mask = ulong.MaxValue;
        if (word == first >> 6)
        {
            mask &= ulong.MaxValue << (int)(first & 63);
        }

        if (word == last >> 6)
        {
            mask &= ulong.MaxValue >> (63 - (int)(last & 63));
        }

        return mask;
    }
}
