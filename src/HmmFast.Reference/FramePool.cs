using System.Numerics;

namespace HmmFast.Reference;

/// <summary>The frames of system memory or of one pagemap. Gives out the lowest-numbered free one.</summary>
internal sealed class FramePool
{
    private readonly ulong[] free;
    private readonly uint bitBase;
    private int firstWord;
    private int firstBlock;

    public FramePool(uint first, ulong count)
    {
        First = first;
        Count = count;
        FreeCount = count;
        bitBase = first & ~511u;
        ulong bits = first - bitBase + count;
        free = new ulong[((bits + 511) / 512) * 8];
        for (ulong bit = first - bitBase; bit < bits; bit++)
        {
            if ((bit & 63) == 0 && bit + 64 <= bits)
            {
                free[bit >> 6] = ulong.MaxValue;
                bit += 63;
                continue;
            }

            free[bit >> 6] |= 1UL << (int)(bit & 63);
        }
    }

    public uint First { get; }

    public ulong Count { get; }

    public ulong FreeCount { get; private set; }

    public bool Contains(ulong pfn) => pfn - First < Count;

    /// <summary>Takes the lowest free frame.</summary>
    public bool TryTake(out uint pfn)
    {
        for (int word = firstWord; word < free.Length; word++)
        {
            if (free[word] != 0)
            {
                firstWord = word;
                int bit = BitOperations.TrailingZeroCount(free[word]);
                free[word] &= ~(1UL << bit);
                FreeCount--;
                pfn = bitBase + ((uint)word << 6) + (uint)bit;
                return true;
            }
        }

        firstWord = free.Length;
        pfn = 0;
        return false;
    }

    /// <summary>Takes the lowest free run of 512 frames that starts at a multiple of 512.</summary>
    public bool TryTakeBlock(out uint pfn)
    {
        for (int block = firstBlock; block < free.Length / 8; block++)
        {
            Span<ulong> words = free.AsSpan(block * 8, 8);
            if (!words.ContainsAnyExcept(ulong.MaxValue))
            {
                words.Clear();
                FreeCount -= 512;
                firstBlock = block + 1;
                pfn = bitBase + ((uint)block << 9);
                return true;
            }
        }

        firstBlock = free.Length / 8;
        pfn = 0;
        return false;
    }

    public void Give(uint pfn)
    {
        uint bit = pfn - bitBase;
        int word = (int)(bit >> 6);
        free[word] |= 1UL << (int)(bit & 63);
        FreeCount++;
        firstWord = Math.Min(firstWord, word);
        firstBlock = Math.Min(firstBlock, word / 8);
    }
}
