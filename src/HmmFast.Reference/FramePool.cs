using System.Numerics;

namespace HmmFast.Reference;

/// <summary>The frames of system memory or of one pagemap. Gives out the lowest-numbered free one.</summary>
internal sealed class FramePool
{
    private readonly ulong[] _free;
    private readonly uint _bitBase;
    private int _firstWord;
    private int _firstBlock;

    public FramePool(uint first, ulong count)
    {
        First = first;
        Count = count;
        FreeCount = count;
        _bitBase = first & ~511u;
        ulong bits = first - _bitBase + count;
        _free = new ulong[((bits + 511) / 512) * 8];
        for (ulong bit = first - _bitBase; bit < bits; bit++)
        {
            if ((bit & 63) == 0 && bit + 64 <= bits)
            {
                _free[bit >> 6] = ulong.MaxValue;
                bit += 63;
                continue;
            }

            _free[bit >> 6] |= 1UL << (int)(bit & 63);
        }
    }

    public uint First { get; }

    public ulong Count { get; }

    public ulong FreeCount { get; private set; }

    public bool Contains(ulong pfn) => pfn - First < Count;

    /// <summary>Takes the lowest free frame.</summary>
    public bool TryTake(out uint pfn)
    {
        for (int word = _firstWord; word < _free.Length; word++)
        {
            if (_free[word] != 0)
            {
                _firstWord = word;
                int bit = BitOperations.TrailingZeroCount(_free[word]);
                _free[word] &= ~(1UL << bit);
                FreeCount--;
                pfn = _bitBase + ((uint)word << 6) + (uint)bit;
                return true;
            }
        }

        _firstWord = _free.Length;
        pfn = 0;
        return false;
    }

    /// <summary>Takes the lowest free run of 512 frames that starts at a multiple of 512.</summary>
    public bool TryTakeBlock(out uint pfn)
    {
        for (int block = _firstBlock; block < _free.Length / 8; block++)
        {
            Span<ulong> words = _free.AsSpan(block * 8, 8);
            if (!words.ContainsAnyExcept(ulong.MaxValue))
            {
                words.Clear();
                FreeCount -= 512;
                _firstBlock = block + 1;
                pfn = _bitBase + ((uint)block << 9);
                return true;
            }
        }

        _firstBlock = _free.Length / 8;
        pfn = 0;
        return false;
    }

    public void Give(uint pfn)
    {
        uint bit = pfn - _bitBase;
        int word = (int)(bit >> 6);
        _free[word] |= 1UL << (int)(bit & 63);
        FreeCount++;
        _firstWord = Math.Min(_firstWord, word);
        _firstBlock = Math.Min(_firstBlock, word / 8);
    }
}
