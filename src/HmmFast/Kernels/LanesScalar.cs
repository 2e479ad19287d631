using System.Numerics;

namespace HmmFast.Kernels;

/// <summary>No vectors: the width every machine has. Bytes are compared and chosen eight at a time in a register (in the byte order of every machine .NET 10 runs this on,
/// little-endian), because a branch a page on mixed pages costs ten times as much.</summary>
internal readonly unsafe struct LanesScalar : ILanes<LanesScalar>
{
    private const ulong Ones = 0x0101_0101_0101_0101;

    private readonly byte* _table;

    private LanesScalar(byte* table) => _table = table;

    public static string Name => "scalar";

    public static int WidthBits => 64;

    public static bool IsSupported => true;

    public static LanesScalar Load(byte* entries, int rowCount) => new(entries);

    public void Lookup64(byte* classes, byte* codes)
    {
        byte* table = _table;
        for (nint i = 0; i < 64; i += 4)
        {
            // Four independent look-ups a step; all loads before the stores, because the two may be the same memory.
            byte a = table[classes[i]];
            byte b = table[classes[i + 1]];
            byte c = table[classes[i + 2]];
            byte d = table[classes[i + 3]];
            codes[i] = a;
            codes[i + 1] = b;
            codes[i + 2] = c;
            codes[i + 3] = d;
        }
    }

    public static ulong Test64(byte* codes, byte bits)
    {
        ulong repeated = bits * Ones;
        ulong mask = 0;
        for (int i = 0; i < 64; i += 8)
        {
            mask |= NonZero(*(ulong*)(codes + i) & repeated) << i;
        }

        return mask;
    }

    public static ulong Equal64(byte* bytes, byte value)
    {
        ulong repeated = value * Ones;
        ulong mask = 0;
        for (int i = 0; i < 64; i += 8)
        {
            mask |= NonZero(*(ulong*)(bytes + i) ^ repeated) << i;
        }

        return ~mask;
    }

    public static ulong Same64(byte* a, byte* b)
    {
        ulong mask = 0;
        for (int i = 0; i < 64; i += 8)
        {
            mask |= NonZero(*(ulong*)(a + i) ^ *(ulong*)(b + i)) << i;
        }

        return ~mask;
    }

    public static ulong ContiguousWithNext64(uint* pfns)
    {
        ulong mask = 0;
        for (int i = 0; i < 64; i += 4)
        {
            // Mostly all four follow, or none does; what differs is worth a branch.
            uint a = pfns[i + 1] - pfns[i];
            uint b = pfns[i + 2] - pfns[i + 1];
            uint c = pfns[i + 3] - pfns[i + 2];
            uint d = pfns[i + 4] - pfns[i + 3];
            ulong four = ((a ^ 1) | (b ^ 1) | (c ^ 1) | (d ^ 1)) == 0 ? 15UL : Bit(a) | (Bit(b) << 1) | (Bit(c) << 2) | (Bit(d) << 3);
            mask |= four << i;
        }

        return mask;
    }

    public static bool Steps64(ulong* words, ulong step)
    {
        ulong differ = 0;
        for (nint i = 0; i < 64; i++)
        {
            differ |= (words[i] + step) ^ words[i + 1];
        }

        return differ == 0;
    }

    public static void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore
    {
        for (nint i = 0; i < 64; i++)
        {
            words[i] = Scalar.Word(codes[i], pfns[i]);
        }
    }

    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask)
    {
        for (nint i = 0; i < 64; i++)
        {
            words[i] = Scalar.Word(codes[i], pfns[i]) | (words[i] & keepMask);
        }
    }

    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift)
    {
        for (nint i = 0; i < 64; i++)
        {
            words[i] = Scalar.Word(codes[i], pfns[i], words[i], keepMask, kindShift);
        }
    }

    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests)
    {
        for (nint i = 0; i < 64; i++)
        {
            requests[i] = (byte)(((words[i] & mask) | defaults) >> shift);
        }
    }

    public static void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes)
    {
        for (nint i = 0; i < 64; i += 8)
        {
            ulong request = *(ulong*)(requests + i);
            ulong asked = Choose(*(ulong*)(read + i), *(ulong*)(write + i), TopBits(request << 1));
            *(ulong*)(codes + i) = Choose(*(ulong*)(none + i), asked, TopBits(request));
        }
    }

    public static void Blend64(byte* selectors, byte* clear, byte* set, byte* codes)
    {
        for (nint i = 0; i < 64; i += 8)
        {
            *(ulong*)(codes + i) = Choose(*(ulong*)(clear + i), *(ulong*)(set + i), TopBits(*(ulong*)(selectors + i)));
        }
    }

    public static void Iota(uint* pfns, nint count, uint first)
    {
        for (nint i = 0; i < count; i++)
        {
            pfns[i] = first + (uint)i;
        }
    }

    public static void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore
    {
        for (nint i = 0; i < count; i++)
        {
            words[i] = first;
            first += step;
        }
    }

    public static void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask)
    {
        for (nint i = 0; i < 64; i++)
        {
            words[i] = (words[i] & keepMask) | first;
            first += step;
        }
    }

    public static void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (nint i = 0; i < 64; i++)
        {
            values[i] += delta;
        }
    }

    public bool Resolve64<TStore>(byte* classes, uint* pfns, ulong* words, byte* scratch)
        where TStore : struct, IStore
    {
        Lookup64(classes, scratch);
        if (Test64(scratch, Resolution.WorkMask) != 0)
        {
            return false;
        }

        Expand64<TStore>(scratch, pfns, words);
        return true;
    }

    public static void ClassifyBlocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits) =>
        ScanLoops<LanesScalar>.ClassifyBlocks(classes, count, table, bitmap, bits);

    public static int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table) =>
        ResolveLoops<LanesScalar>.Staged(classes, pfns, words, count, table, WordFormat.Plain);

    public bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore => ResolveLoops<LanesScalar>.KindsThroughScratch(this, classes, pfns, words, kindShift, scratch);

    public bool ResolveKeep64(byte* classes, uint* pfns, ulong* words, ulong keepMask, byte* scratch)
    {
        Lookup64(classes, scratch);
        if (Test64(scratch, Resolution.WorkMask) != 0)
        {
            return false;
        }

        ExpandKeep64(scratch, pfns, words, keepMask);
        return true;
    }

    public static int RunBlocks(byte* classes, uint* pfns, uint first, int count, ByteTable table, ref RunStage stage, int limit) =>
        RunLoops<LanesScalar>.Blocks(classes, pfns, first, count, table, ref stage, limit);

    /// <summary>
    /// Eight bytes to eight bits, set where a byte is not 0. Example: 00..00_05_00: adding 7F to the low seven bits carries into the top bit of byte 1 only;
    /// the multiplication then gathers the eight top bits in one byte: 0000_0010.
    /// </summary>
    private static ulong NonZero(ulong bytes)
    {
        ulong tops = (((bytes & ~(Ones << 7)) + ~(Ones << 7)) | bytes) >> 7 & Ones;
        return (tops * 0x0102_0408_1020_4080) >> 56;
    }

    private static ulong Bit(uint step) => step == 1 ? 1UL : 0;

    /// <summary>All ones in every byte whose top bit is set.</summary>
    private static ulong TopBits(ulong bytes) => ((bytes >> 7) & Ones) * 0xFF;

    private static ulong Choose(ulong clear, ulong set, ulong mask) => clear ^ ((clear ^ set) & mask);
}
