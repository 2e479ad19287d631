using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>256-bit vectors with AVX2. A byte look-up is one shuffle per 16-entry row in use, as in <see cref="Lanes128"/>, both halves holding the same row.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Lanes256>
{
    private readonly byte* _table;
    private readonly int _rowCount;

    private Lanes256(byte* table, int rowCount)
    {
        _table = table;
        _rowCount = rowCount;
    }

    public static string Name => "256";

    public static int WidthBits => 256;

    public static bool IsSupported => Vector256.IsHardwareAccelerated && Avx2.IsSupported;

    public static Lanes256 Load(byte* entries, int rowCount) => new(entries, rowCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Lookup64(byte* classes, byte* codes)
    {
        byte* table = _table;
        int rows = _rowCount;
        for (nint i = 0; i < 64; i += 32)
        {
            Vector256<byte> c = Vector256.Load(classes + i);
            Vector256<byte> low = c & Vector256.Create((byte)0x0F);

            // Shifts of 16-bit units: what crosses into a byte comes below its top bit, and only the top bit is looked at.
            Vector256<byte> bit4 = Vector256.ShiftLeft(c.AsUInt16(), 3).AsByte();
            Vector256<byte> bit5 = Vector256.ShiftLeft(c.AsUInt16(), 2).AsByte();
            Vector256<byte> r = FourRows(table, low, bit4, bit5);
            if (rows > 4)
            {
                Vector256<byte> bit6 = Vector256.ShiftLeft(c.AsUInt16(), 1).AsByte();
                r = Avx2.BlendVariable(r, FourRows(table + 64, low, bit4, bit5), bit6);
                if (rows > 8)
                {
                    Vector256<byte> upper = FourRows(table + 128, low, bit4, bit5);
                    if (rows > 12)
                    {
                        upper = Avx2.BlendVariable(upper, FourRows(table + 192, low, bit4, bit5), bit6);
                    }

                    r = Avx2.BlendVariable(r, upper, c);
                }
            }

            r.Store(codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Test64(byte* codes, byte bits)
    {
        Vector256<byte> wanted = Vector256.Create(bits);
        Vector256<byte> low = Vector256.Equals(Vector256.Load(codes) & wanted, Vector256<byte>.Zero);
        Vector256<byte> high = Vector256.Equals(Vector256.Load(codes + 32) & wanted, Vector256<byte>.Zero);
        return ~Join(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Equal64(byte* bytes, byte value)
    {
        Vector256<byte> v = Vector256.Create(value);
        return Join(Vector256.Equals(Vector256.Load(bytes), v), Vector256.Equals(Vector256.Load(bytes + 32), v));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Same64(byte* a, byte* b) => Join(
        Vector256.Equals(Vector256.Load(a), Vector256.Load(b)),
        Vector256.Equals(Vector256.Load(a + 32), Vector256.Load(b + 32)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ContiguousWithNext64(uint* pfns)
    {
        Vector256<byte> one = Vector256<byte>.One;
        return Join(Vector256.Equals(Steps32(pfns), one), Vector256.Equals(Steps32(pfns + 32), one));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Steps64(ulong* words, ulong step)
    {
        Vector256<ulong> by = Vector256.Create(step);
        Vector256<ulong> differ = Vector256<ulong>.Zero;
        for (nint i = 0; i < 64; i += 4)
        {
            differ |= (Vector256.Load(words + i) + by) ^ Vector256.Load(words + i + 1);
        }

        return differ == Vector256<ulong>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore
    {
        for (nint i = 0; i < 64; i += 4)
        {
            Vector256<ulong> flags = Vector256.ShiftLeft(Avx2.ConvertToVector256Int64(codes + i).AsUInt64(), 56);
            TStore.Store(flags | KeepIfValid(Avx2.ConvertToVector256Int64(pfns + i).AsUInt64(), flags), words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask)
    {
        Vector256<ulong> keep = Vector256.Create(keepMask);
        for (nint i = 0; i < 64; i += 4)
        {
            Vector256<ulong> flags = Vector256.ShiftLeft(Avx2.ConvertToVector256Int64(codes + i).AsUInt64(), 56);
            Vector256<ulong> pfn = KeepIfValid(Avx2.ConvertToVector256Int64(pfns + i).AsUInt64(), flags);
            (flags | pfn | (Vector256.Load(words + i) & keep)).Store(words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift)
    {
        Vector256<ulong> kindMask = Vector256.Create(kindShift == 0 ? 0 : 7UL << kindShift);
        int back = 56 + Resolution.KindBit - kindShift;
        for (nint i = 0; i < 64; i += 4)
        {
            Vector256<ulong> flags = Vector256.ShiftLeft(Avx2.ConvertToVector256Int64(codes + i).AsUInt64(), 56);
            Vector256<ulong> kind = Vector256.ShiftRightLogical(flags, back) & kindMask;
            Vector256<ulong> top = flags & Vector256.Create(0xE000_0000_0000_0000);
            Vector256<ulong> kept = Vector256.Load(words + i) & Vector256.Create(keepMask);
            Vector256<ulong> pfn = KeepIfValid(Avx2.ConvertToVector256Int64(pfns + i).AsUInt64(), flags);
            (top | kind | kept | pfn).Store(words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests)
    {
        // Eight vectors of four pages become one of 32 bytes: byte k of word j is page 4k + j. Within a half a shuffle pairs the bytes of its
        // two words, k by k; interleaving the halves by 16-bit units then puts all in order.
        Vector256<ulong> m = Vector256.Create((mask >> shift) & 0xFF);
        Vector256<ulong> d = Vector256.Create((defaults >> shift) & 0xFF);
        Vector256<byte> pairs = Vector256.Create(Vector128.Create((byte)0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
        for (nint i = 0; i < 64; i += 32)
        {
            Vector256<ulong> all = Vector256<ulong>.Zero;
            for (int k = 7; k >= 0; k--)
            {
                Vector256<ulong> one = (Vector256.ShiftRightLogical(Vector256.Load(words + i + (4 * k)), shift) & m) | d;
                all = Vector256.ShiftLeft(all, 8) | one;
            }

            Vector256<ushort> paired = Avx2.Shuffle(all.AsByte(), pairs).AsUInt16();
            Sse2.UnpackLow(paired.GetLower(), paired.GetUpper()).AsByte().Store(requests + i);
            Sse2.UnpackHigh(paired.GetLower(), paired.GetUpper()).AsByte().Store(requests + i + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes)
    {
        for (nint i = 0; i < 64; i += 32)
        {
            Vector256<byte> request = Vector256.Load(requests + i);
            Vector256<byte> asked = Avx2.BlendVariable(Vector256.Load(read + i), Vector256.Load(write + i), request + request);
            Avx2.BlendVariable(Vector256.Load(none + i), asked, request).Store(codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Blend64(byte* selectors, byte* clear, byte* set, byte* codes)
    {
        for (nint i = 0; i < 64; i += 32)
        {
            Avx2.BlendVariable(Vector256.Load(clear + i), Vector256.Load(set + i), Vector256.Load(selectors + i)).Store(codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Iota(uint* pfns, nint count, uint first)
    {
        Vector256<uint> value = Vector256.Create(first) + Vector256<uint>.Indices;
        for (nint i = 0; i < count; i += 8)
        {
            value.Store(pfns + i);
            value += Vector256.Create(8u);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore
    {
        Vector256<ulong> value = Vector256.Create(first, first + step, first + (2 * step), first + (3 * step));
        Vector256<ulong> steps = Vector256.Create(4 * step);
        for (nint i = 0; i < count; i += 4)
        {
            TStore.Store(value, words + i);
            value += steps;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask)
    {
        Vector256<ulong> value = Vector256.Create(first, first + step, first + (2 * step), first + (3 * step));
        for (nint i = 0; i < 64; i += 4)
        {
            ((Vector256.Load(words + i) & Vector256.Create(keepMask)) | value).Store(words + i);
            value += Vector256.Create(4 * step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (nint i = 0; i < 64; i += Vector256<T>.Count)
        {
            (Vector256.Load(values + i) + Vector256.Create(delta)).Store(values + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
        ScanLoops<Lanes256>.ClassifyBlocks(classes, count, table, bitmap, bits);

    public static int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table) =>
        ResolveLoops<Lanes256>.Staged(classes, pfns, words, count, table, WordFormat.Plain);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore => ResolveLoops<Lanes256>.KindsThroughScratch(this, classes, pfns, words, kindShift, scratch);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
        RunLoops<Lanes256>.Blocks(classes, pfns, first, count, table, ref stage, limit);

    /// <summary>
    /// How far each of 32 numbers is from the next one, saturated twice to a byte: only 1 becomes 1. Packing works on 128-bit lanes, so that each of the two has four
    /// bytes of every source; one permute puts them in order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Steps32(uint* pfns)
    {
        Vector256<int> a = (Vector256.Load(pfns + 1) - Vector256.Load(pfns)).AsInt32();
        Vector256<int> b = (Vector256.Load(pfns + 9) - Vector256.Load(pfns + 8)).AsInt32();
        Vector256<int> c = (Vector256.Load(pfns + 17) - Vector256.Load(pfns + 16)).AsInt32();
        Vector256<int> d = (Vector256.Load(pfns + 25) - Vector256.Load(pfns + 24)).AsInt32();
        Vector256<int> mixed = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(a, b), Avx2.PackSignedSaturate(c, d)).AsInt32();
        return Avx2.PermuteVar8x32(mixed, Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> FourRows(byte* rows, Vector256<byte> low, Vector256<byte> bit4, Vector256<byte> bit5) => Avx2.BlendVariable(
        Avx2.BlendVariable(Row(rows, low), Row(rows + 16, low), bit4),
        Avx2.BlendVariable(Row(rows + 32, low), Row(rows + 48, low), bit4),
        bit5);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Row(byte* row, Vector256<byte> low) =>
        Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(row), low);

    /// <summary>The sign of the flags keeps or drops the frame number: one blend instead of a shift and an and.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> KeepIfValid(Vector256<ulong> pfns, Vector256<ulong> flags) =>
        Avx.BlendVariable(Vector256<double>.Zero, pfns.AsDouble(), flags.AsDouble()).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Join(Vector256<byte> low, Vector256<byte> high) =>
        low.ExtractMostSignificantBits() | ((ulong)high.ExtractMostSignificantBits() << 32);
}
