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
    public static ulong SameAsNext64(byte* bytes) =>
        Vector512.Equals(Vector512.Load(bytes), Vector512.Load(bytes + 1)).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ContiguousWithNext64(uint* pfns)
    {
        Vector512<uint> one = Vector512<uint>.One;
        ulong a = Vector512.Equals(Vector512.Load(pfns) + one, Vector512.Load(pfns + 1)).ExtractMostSignificantBits();
        ulong b = Vector512.Equals(Vector512.Load(pfns + 16) + one, Vector512.Load(pfns + 17)).ExtractMostSignificantBits();
        ulong c = Vector512.Equals(Vector512.Load(pfns + 32) + one, Vector512.Load(pfns + 33)).ExtractMostSignificantBits();
        ulong d = Vector512.Equals(Vector512.Load(pfns + 48) + one, Vector512.Load(pfns + 49)).ExtractMostSignificantBits();
        return a | (b << 16) | (c << 32) | (d << 48);
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
    public static void Iota64(uint* pfns, uint first)
    {
        Vector512<uint> value = Vector512.Create(first) + Vector512<uint>.Indices;
        for (nint i = 0; i < 64; i += 16)
        {
            value.Store(pfns + i);
            value += Vector512.Create(16u);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words64<TStore>(ulong* words, ulong first, ulong step)
        where TStore : struct, IStore
    {
        Vector512<ulong> value = Vector512.Create(first) + (Vector512<ulong>.Indices * step);
        Vector512<ulong> steps = Vector512.Create(8 * step);
        for (nint i = 0; i < 64; i += 8)
        {
            TStore.Store(value, words + i);
            value += steps;
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
    public static void Add64(uint* values, uint delta)
    {
        for (nint i = 0; i < 64; i += 16)
        {
            (Vector512.Load(values + i) + Vector512.Create(delta)).Store(values + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add64(ushort* values, ushort delta)
    {
        for (nint i = 0; i < 64; i += 32)
        {
            (Vector512.Load(values + i) + Vector512.Create(delta)).Store(values + i);
        }
    }

    /// <summary>Per byte: the selector's top bit takes the second over the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Blend(Vector512<byte> clear, Vector512<byte> set, Vector512<byte> selector) =>
        Vector512.ConditionalSelect(Vector512.LessThan(selector.AsSByte(), Vector512<sbyte>.Zero).AsByte(), set, clear);
}
