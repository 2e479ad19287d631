using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>The block steps that both 512-bit widths share; they differ in the table look-up alone.</summary>
internal static unsafe class Blocks512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Test64(byte* codes, byte bits) =>
        ~Vector512.Equals(Vector512.Load(codes) & Vector512.Create(bits), Vector512<byte>.Zero).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Equal64(byte* bytes, byte value) =>
        Vector512.Equals(Vector512.Load(bytes), Vector512.Create(value)).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Same64(byte* a, byte* b) =>
        Vector512.Equals(Vector512.Load(a), Vector512.Load(b)).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ContiguousWithNext64(uint* pfns)
    {
        return Vector512.Equals(Steps(pfns + 1), Vector512<byte>.One).ExtractMostSignificantBits();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Steps64(ulong* words, ulong step)
    {
        Vector512<ulong> by = Vector512.Create(step);
        Vector512<ulong> differ = Vector512<ulong>.Zero;
        for (nint i = 0; i < 64; i += 8)
        {
            differ |= (Vector512.Load(words + i) + by) ^ Vector512.Load(words + i + 1);
        }

        return differ == Vector512<ulong>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Test(Vector512<byte> codes, byte bits) =>
        ~Vector512.Equals(codes & Vector512.Create(bits), Vector512<byte>.Zero).ExtractMostSignificantBits();

    /// <summary>
    /// Words of 64 pages whose codes are in a register. Per eight pages one permute of two registers makes, in every word, byte 7 the code and bytes 0 to 3
    /// all ones if it is valid; anding that with (frame number | ones in byte 7) is the word.
    /// </summary>
    /// <remarks>Example: code 0xC0, frame 0x1234: C0??_????_FFFF_FFFF &amp; FF00_0000_0000_1234 = C000_0000_0000_1234.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandInRegisters<TStore>(Vector512<byte> codes, uint* pfns, ulong* words)
        where TStore : struct, IStore
    {
        Vector512<byte> valid = Vector512.LessThan(codes.AsSByte(), Vector512<sbyte>.Zero).AsByte();
        Vector512<ulong> top = Vector512.Create(0xFF00_0000_0000_0000);

        // Index of word j, group 0: byte 7 takes code j; bytes 0..6 take "valid" j, which is 64 further on.
        Vector512<byte> index = (Vector512<ulong>.Indices * 0x0101_0101_0101_0101UL).AsByte() | Vector512.Create(0x0040_4040_4040_4040UL).AsByte();
        Vector512<byte> eight = Vector512.Create((byte)8);
        TStore.Store(SpreadWord(codes, valid, index, pfns, top), words);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 8, top), words + 8);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 16, top), words + 16);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 24, top), words + 24);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 32, top), words + 32);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 40, top), words + 40);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 48, top), words + 48);
        index += eight;
        TStore.Store(SpreadWord(codes, valid, index, pfns + 56, top), words + 56);
    }

    /// <summary>
    /// As <see cref="ExpandInRegisters"/> with kind bits placed: the whole word moved down by the distance between the kind bits' two places has them where they
    /// belong, and a mask takes nothing else of it.
    /// </summary>
    /// <remarks>Example: code 0xC8 (kind 2), kind bits from 50 up: C8.. &gt;&gt; 8 = 00C8.., of which bits 50 to 52 are 2 &lt;&lt; 50.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKindInRegisters<TStore>(Vector512<byte> codes, uint* pfns, ulong* words, int kindShift)
        where TStore : struct, IStore
    {
        Vector512<byte> valid = Vector512.LessThan(codes.AsSByte(), Vector512<sbyte>.Zero).AsByte();
        Vector512<ulong> top = Vector512.Create(0xE000_0000_0000_0000);
        Vector512<ulong> kind = Vector512.Create(7UL << kindShift);
        int back = 56 + Resolution.KindBit - kindShift;
        Vector512<byte> index = (Vector512<ulong>.Indices * 0x0101_0101_0101_0101UL).AsByte() | Vector512.Create(0x0040_4040_4040_4040UL).AsByte();
        for (nint i = 0; i < 64; i += 8)
        {
            TStore.Store(KindWord(codes, valid, index, pfns + i, top, kind, back), words + i);
            index += Vector512.Create((byte)8);
        }
    }

    /// <summary>As <see cref="ExpandKindInRegisters"/> with old bits kept; with no place for kinds it places none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandFormatInRegisters(Vector512<byte> codes, uint* pfns, ulong* words, ulong keepMask, int kindShift)
    {
        Vector512<byte> valid = Vector512.LessThan(codes.AsSByte(), Vector512<sbyte>.Zero).AsByte();
        Vector512<ulong> top = Vector512.Create(0xE000_0000_0000_0000);
        Vector512<ulong> kind = Vector512.Create(kindShift == 0 ? 0 : 7UL << kindShift);
        Vector512<ulong> keep = Vector512.Create(keepMask);
        int back = 56 + Resolution.KindBit - kindShift;
        Vector512<byte> index = (Vector512<ulong>.Indices * 0x0101_0101_0101_0101UL).AsByte() | Vector512.Create(0x0040_4040_4040_4040UL).AsByte();
        for (nint i = 0; i < 64; i += 8)
        {
            StoreKeeping(KindWord(codes, valid, index, pfns + i, top, kind, back), keep, words + i);
            index += Vector512.Create((byte)8);
        }
    }

    /// <summary>Words up to the first code that needs work, at most count: whole vectors, then one under a mask. Returns how many; nothing behind the count is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ExpandSome(Vector512<byte> codes, uint* pfns, ulong* words, int count)
    {
        int done = Math.Min(count, BitOperations.TrailingZeroCount(Test(codes, Resolution.WorkMask)));
        Vector512<byte> valid = Vector512.LessThan(codes.AsSByte(), Vector512<sbyte>.Zero).AsByte();
        Vector512<ulong> top = Vector512.Create(0xFF00_0000_0000_0000);
        Vector512<byte> index = (Vector512<ulong>.Indices * 0x0101_0101_0101_0101UL).AsByte() | Vector512.Create(0x0040_4040_4040_4040UL).AsByte();
        int i = 0;
        for (; i + 8 <= done; i += 8)
        {
            SpreadWord(codes, valid, index, pfns + i, top).Store(words + i);
            index += Vector512.Create((byte)8);
        }

        if (i < done)
        {
            Vector512<ulong> these = Vector512.LessThan(Vector512<ulong>.Indices, Vector512.Create((ulong)(done - i)));
            Vector256<uint> numbers = Avx512F.VL.MaskLoad(
                pfns + i, Vector256.LessThan(Vector256<uint>.Indices, Vector256.Create((uint)(done - i))), Vector256<uint>.Zero);
            Vector512<ulong> word = Avx512F.TernaryLogic(
                Avx512Vbmi.PermuteVar64x8x2(codes, index, valid).AsUInt64(), Avx512F.ConvertToVector512UInt64(numbers), top, 0xE0); // a & (b | c)
            Avx512F.MaskStore(words + i, these, word);
        }

        return done;
    }

    /// <summary>As <see cref="ExpandInRegisters"/> with old bits kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKeepInRegisters(Vector512<byte> codes, uint* pfns, ulong* words, ulong keepMask)
    {
        Vector512<byte> valid = Vector512.LessThan(codes.AsSByte(), Vector512<sbyte>.Zero).AsByte();
        Vector512<ulong> top = Vector512.Create(0xFF00_0000_0000_0000);
        Vector512<ulong> keep = Vector512.Create(keepMask);
        Vector512<byte> index = (Vector512<ulong>.Indices * 0x0101_0101_0101_0101UL).AsByte() | Vector512.Create(0x0040_4040_4040_4040UL).AsByte();
        Vector512<byte> eight = Vector512.Create((byte)8);
        StoreKeeping(SpreadWord(codes, valid, index, pfns, top), keep, words);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 8, top), keep, words + 8);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 16, top), keep, words + 16);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 24, top), keep, words + 24);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 32, top), keep, words + 32);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 40, top), keep, words + 40);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 48, top), keep, words + 48);
        index += eight;
        StoreKeeping(SpreadWord(codes, valid, index, pfns + 56, top), keep, words + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask)
    {
        Vector512<ulong> keep = Vector512.Create(keepMask);
        for (nint i = 0; i < 64; i += 8)
        {
            StoreKeeping(Word(Flags(codes + i), Pfns(pfns + i)), keep, words + i);
        }
    }

    /// <summary>Eight code bytes to eight words with the byte on top.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Flags(byte* codes) => Vector512.ShiftLeft(
        Avx512F.ConvertToVector512UInt64(Vector128.CreateScalarUnsafe(*(ulong*)codes).AsByte()), 56);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Pfns(uint* pfns) => Avx512F.ConvertToVector512UInt64(Vector256.Load(pfns));

    /// <summary>flags | (pfns where the flags' sign says valid).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Word(Vector512<ulong> flags, Vector512<ulong> pfns) => Avx512F.TernaryLogic(
        flags, pfns, Vector512.ShiftRightArithmetic(flags.AsInt64(), 63).AsUInt64(), 0xF8); // a | (b & c)

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore
    {
        TStore.Store(Word(Flags(codes), Pfns(pfns)), words);
        TStore.Store(Word(Flags(codes + 8), Pfns(pfns + 8)), words + 8);
        TStore.Store(Word(Flags(codes + 16), Pfns(pfns + 16)), words + 16);
        TStore.Store(Word(Flags(codes + 24), Pfns(pfns + 24)), words + 24);
        TStore.Store(Word(Flags(codes + 32), Pfns(pfns + 32)), words + 32);
        TStore.Store(Word(Flags(codes + 40), Pfns(pfns + 40)), words + 40);
        TStore.Store(Word(Flags(codes + 48), Pfns(pfns + 48)), words + 48);
        TStore.Store(Word(Flags(codes + 56), Pfns(pfns + 56)), words + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift)
    {
        Vector512<ulong> kindMask = Vector512.Create(kindShift == 0 ? 0 : 7UL << kindShift);
        Vector512<ulong> topMask = Vector512.Create(0xE000_0000_0000_0000);
        Vector512<ulong> keep = Vector512.Create(keepMask);
        int back = 56 + Resolution.KindBit - kindShift;
        for (nint i = 0; i < 64; i += 8)
        {
            Vector512<ulong> flags = Flags(codes + i);
            Vector512<ulong> kind = Vector512.ShiftRightLogical(flags, back) & kindMask;
            Vector512<ulong> kept = Vector512.Load(words + i) & keep;
            Vector512<ulong> pfn = Pfns(pfns + i) & Vector512.ShiftRightArithmetic(flags.AsInt64(), 63).AsUInt64();
            ((flags & topMask) | kind | kept | pfn).Store(words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests)
    {
        Vector512<ulong> m = Vector512.Create(mask >> shift);
        Vector512<ulong> d = Vector512.Create(defaults >> shift);
        for (nint i = 0; i < 64; i += 8)
        {
            Vector512<ulong> one = (Vector512.ShiftRightLogical(Vector512.Load(words + i), shift) & m) | d;
            *(ulong*)(requests + i) = Avx512F.ConvertToVector128Byte(one).AsUInt64().ToScalar();
        }
    }

    /// <summary>As <see cref="RequestBytes64"/> with permutes of bytes: for the top byte, which is the usual case, four of them take it out of all 64 words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequestBytesByPermute64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests)
    {
        if (shift != 56)
        {
            RequestBytes64(words, mask, defaults, shift, requests);
            return;
        }

        // Byte 7 of 8 + 8 words to 16 bytes in front, four times; the four quarters then go side by side.
        Vector512<byte> tops = (Vector512<byte>.Indices * (byte)8) + Vector512.Create((byte)7);
        Vector512<byte> a = Avx512Vbmi.PermuteVar64x8x2(Load(words), tops, Load(words + 8));
        Vector512<byte> b = Avx512Vbmi.PermuteVar64x8x2(Load(words + 16), tops, Load(words + 24));
        Vector512<byte> c = Avx512Vbmi.PermuteVar64x8x2(Load(words + 32), tops, Load(words + 40));
        Vector512<byte> d = Avx512Vbmi.PermuteVar64x8x2(Load(words + 48), tops, Load(words + 56));
        Vector512<byte> all = Join(
            a.GetLower().GetLower(), b.GetLower().GetLower(), c.GetLower().GetLower(), d.GetLower().GetLower());
        ((all & Vector512.Create((byte)(mask >> 56))) | Vector512.Create((byte)(defaults >> 56))).Store(requests);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes)
    {
        Vector512<byte> request = Vector512.Load(requests);
        Vector512<byte> asked = Blend(Vector512.Load(read), Vector512.Load(write), request + request);
        Blend(Vector512.Load(none), asked, request).Store(codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Blend64(byte* selectors, byte* clear, byte* set, byte* codes) =>
        Blend(Vector512.Load(clear), Vector512.Load(set), Vector512.Load(selectors)).Store(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Iota(uint* pfns, nint count, uint first)
    {
        Vector512<uint> value = Vector512.Create(first) + Vector512<uint>.Indices;
        for (nint i = 0; i < count; i += 16)
        {
            value.Store(pfns + i);
            value += Vector512.Create(16u);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore
    {
        // Eight registers that advance by themselves: one that advanced eight times a turn would make every store wait for the one before.
        Vector512<ulong> a = Vector512.Create(first) + (Vector512<ulong>.Indices * step);
        Vector512<ulong> eight = Vector512.Create(8 * step);
        Vector512<ulong> b = a + eight;
        Vector512<ulong> c = b + eight;
        Vector512<ulong> d = c + eight;
        Vector512<ulong> e = d + eight;
        Vector512<ulong> f = e + eight;
        Vector512<ulong> g = f + eight;
        Vector512<ulong> h = g + eight;
        Vector512<ulong> turn = Vector512.Create(64 * step);
        for (nint i = 0; i < count; i += 64)
        {
            TStore.Store(a, words + i);
            TStore.Store(b, words + i + 8);
            TStore.Store(c, words + i + 16);
            TStore.Store(d, words + i + 24);
            TStore.Store(e, words + i + 32);
            TStore.Store(f, words + i + 40);
            TStore.Store(g, words + i + 48);
            TStore.Store(h, words + i + 56);
            a += turn;
            b += turn;
            c += turn;
            d += turn;
            e += turn;
            f += turn;
            g += turn;
            h += turn;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask)
    {
        Vector512<ulong> value = Vector512.Create(first) + (Vector512<ulong>.Indices * step);
        for (nint i = 0; i < 64; i += 8)
        {
            ((Vector512.Load(words + i) & Vector512.Create(keepMask)) | value).Store(words + i);
            value += Vector512.Create(8 * step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (nint i = 0; i < 64; i += Vector512<T>.Count)
        {
            (Vector512.Load(values + i) + Vector512.Create(delta)).Store(values + i);
        }
    }

    /// <summary>Per byte: the selector's top bit takes the second over the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Blend(Vector512<byte> clear, Vector512<byte> set, Vector512<byte> selector) =>
        Vector512.ConditionalSelect(Vector512.LessThan(selector.AsSByte(), Vector512<sbyte>.Zero).AsByte(), set, clear);

    /// <summary>Eight words out of the codes that the index names; see <see cref="ExpandInRegisters"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> SpreadWord(
        Vector512<byte> codes, Vector512<byte> valid, Vector512<byte> index, uint* pfns, Vector512<ulong> top) =>
        Avx512F.TernaryLogic(Avx512Vbmi.PermuteVar64x8x2(codes, index, valid).AsUInt64(), Pfns(pfns), top, 0xE0); // a & (b | c)

    /// <summary>As <see cref="SpreadWord"/> with kind bits placed; see <see cref="ExpandKindInRegisters"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> KindWord(
        Vector512<byte> codes, Vector512<byte> valid, Vector512<byte> index, uint* pfns, Vector512<ulong> top, Vector512<ulong> kind, int back)
    {
        Vector512<ulong> spread = Avx512Vbmi.PermuteVar64x8x2(codes, index, valid).AsUInt64();
        Vector512<ulong> word = Avx512F.TernaryLogic(spread, Pfns(pfns), top, 0xE0); // a & (b | c)
        return Avx512F.TernaryLogic(word, Vector512.ShiftRightLogical(spread, back), kind, 0xF8); // a | (b & c)
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreKeeping(Vector512<ulong> word, Vector512<ulong> keep, ulong* words) =>
        Avx512F.TernaryLogic(word, Vector512.Load(words), keep, 0xF8).Store(words); // a | (b & c)

    /// <summary>
    /// Four quarters to a whole. Not by creating from two halves: that inserts both into a register of whatever was there before, and the compiler
    /// then carries it from one turn of the loop to the next, through memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Join(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d) =>
        a.ToVector256Unsafe().WithUpper(b).ToVector512Unsafe().WithUpper(c.ToVector256Unsafe().WithUpper(d));

    /// <summary>How far each number is from the one before it, as <see cref="Narrow"/> makes it. Reads element -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Steps(uint* pfns) => Narrow(
        Vector512.Load(pfns) - Vector512.Load(pfns - 1),
        Vector512.Load(pfns + 16) - Vector512.Load(pfns + 15),
        Vector512.Load(pfns + 32) - Vector512.Load(pfns + 31),
        Vector512.Load(pfns + 48) - Vector512.Load(pfns + 47));

    /// <summary>
    /// 64 values to bytes, saturated twice: only 1 becomes 1. Packing works on 128-bit lanes, so that each of the four has four bytes of every source; one permute
    /// puts them in order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Narrow(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d)
    {
        Vector512<short> low = Avx512BW.PackSignedSaturate(a.AsInt32(), b.AsInt32());
        Vector512<short> high = Avx512BW.PackSignedSaturate(c.AsInt32(), d.AsInt32());
        Vector512<int> mixed = Avx512BW.PackSignedSaturate(low, high).AsInt32();
        return Avx512F.PermuteVar16x32(mixed, Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Load(ulong* words) => Vector512.Load(words).AsByte();
}
