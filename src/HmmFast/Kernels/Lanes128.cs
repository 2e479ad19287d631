using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>
/// 128-bit vectors: SSE4.1 on x86, AdvSimd elsewhere. A byte look-up is one shuffle per 16-entry row in use, chosen among by the
/// class's upper four bits.
/// </summary>
/// <remarks>
/// Example, class 0x25: every row is shuffled by the low nibble 5; bit 4 (clear) chooses row 2 over row 3, bit 5 (set) rows 2-3 over 0-1.
/// </remarks>
internal readonly unsafe struct Lanes128 : ILanes<Lanes128>
{
    private readonly byte* _table;
    private readonly int _rowCount;

    private Lanes128(byte* table, int rowCount)
    {
        _table = table;
        _rowCount = rowCount;
    }

    public static string Name => "128";

    public static int WidthBits => 128;

    public static bool IsSupported => Vector128.IsHardwareAccelerated
        && (Sse41.IsSupported || System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported);

    public static Lanes128 Load(byte* entries, int rowCount) => new(entries, rowCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Lookup64(byte* classes, byte* codes)
    {
        byte* table = _table;
        int rows = _rowCount;
        for (nint i = 0; i < 64; i += 16)
        {
            Vector128<byte> c = Vector128.Load(classes + i);
            Vector128<byte> low = c & Vector128.Create((byte)0x0F);
            // Shifts of 16-bit units: what crosses into a byte comes below its top bit, and only the top bit is looked at.
            Vector128<byte> bit4 = Vector128.ShiftLeft(c.AsUInt16(), 3).AsByte();
            Vector128<byte> bit5 = Vector128.ShiftLeft(c.AsUInt16(), 2).AsByte();
            Vector128<byte> r = FourRows(table, low, bit4, bit5);
            if (rows > 4)
            {
                Vector128<byte> bit6 = Vector128.ShiftLeft(c.AsUInt16(), 1).AsByte();
                r = Blend(r, FourRows(table + 64, low, bit4, bit5), bit6);
                if (rows > 8)
                {
                    Vector128<byte> upper = FourRows(table + 128, low, bit4, bit5);
                    if (rows > 12)
                    {
                        upper = Blend(upper, FourRows(table + 192, low, bit4, bit5), bit6);
                    }

                    r = Blend(r, upper, c);
                }
            }

            r.Store(codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Test64(byte* codes, byte bits)
    {
        Vector128<byte> wanted = Vector128.Create(bits);
        Vector128<byte> a = Vector128.Load(codes) & wanted;
        Vector128<byte> b = Vector128.Load(codes + 16) & wanted;
        Vector128<byte> c = Vector128.Load(codes + 32) & wanted;
        Vector128<byte> d = Vector128.Load(codes + 48) & wanted;
        Vector128<byte> zero = Vector128<byte>.Zero;
        return ~Join(Vector128.Equals(a, zero), Vector128.Equals(b, zero), Vector128.Equals(c, zero), Vector128.Equals(d, zero));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Equal64(byte* bytes, byte value)
    {
        Vector128<byte> v = Vector128.Create(value);
        return Join(
            Vector128.Equals(Vector128.Load(bytes), v),
            Vector128.Equals(Vector128.Load(bytes + 16), v),
            Vector128.Equals(Vector128.Load(bytes + 32), v),
            Vector128.Equals(Vector128.Load(bytes + 48), v));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Same64(byte* a, byte* b) => Join(
        Vector128.Equals(Vector128.Load(a), Vector128.Load(b)),
        Vector128.Equals(Vector128.Load(a + 16), Vector128.Load(b + 16)),
        Vector128.Equals(Vector128.Load(a + 32), Vector128.Load(b + 32)),
        Vector128.Equals(Vector128.Load(a + 48), Vector128.Load(b + 48)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ContiguousWithNext64(uint* pfns)
    {
        Vector128<byte> one = Vector128<byte>.One;
        return Join(
            Vector128.Equals(Steps16(pfns), one),
            Vector128.Equals(Steps16(pfns + 16), one),
            Vector128.Equals(Steps16(pfns + 32), one),
            Vector128.Equals(Steps16(pfns + 48), one));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Steps64(ulong* words, ulong step)
    {
        Vector128<ulong> by = Vector128.Create(step);
        Vector128<ulong> differ = Vector128<ulong>.Zero;
        for (nint i = 0; i < 64; i += 2)
        {
            differ |= (Vector128.Load(words + i) + by) ^ Vector128.Load(words + i + 1);
        }

        return differ == Vector128<ulong>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore
    {
        for (nint i = 0; i < 64; i += 2)
        {
            Vector128<ulong> flags = Vector128.ShiftLeft(WidenBytes(codes + i), 56);
            TStore.Store(flags | KeepIfValid(WidenPfns(pfns + i), flags), words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask)
    {
        Vector128<ulong> keep = Vector128.Create(keepMask);
        for (nint i = 0; i < 64; i += 2)
        {
            Vector128<ulong> flags = Vector128.ShiftLeft(WidenBytes(codes + i), 56);
            (flags | KeepIfValid(WidenPfns(pfns + i), flags) | (Vector128.Load(words + i) & keep)).Store(words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift)
    {
        ulong kindMask = kindShift == 0 ? 0 : 7UL << kindShift;
        int back = 56 + Resolution.KindBit - kindShift;
        for (nint i = 0; i < 64; i += 2)
        {
            Vector128<ulong> flags = Vector128.ShiftLeft(WidenBytes(codes + i), 56);
            Vector128<ulong> kind = Vector128.ShiftRightLogical(flags, back) & Vector128.Create(kindMask);
            Vector128<ulong> top = flags & Vector128.Create(0xE000_0000_0000_0000);
            Vector128<ulong> kept = Vector128.Load(words + i) & Vector128.Create(keepMask);
            (top | kind | kept | KeepIfValid(WidenPfns(pfns + i), flags)).Store(words + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests)
    {
        // Eight vectors of two pages become one of sixteen bytes: byte k of lane j is page 2k + j, which one shuffle puts in order.
        Vector128<ulong> m = Vector128.Create((mask >> shift) & 0xFF);
        Vector128<ulong> d = Vector128.Create((defaults >> shift) & 0xFF);
        Vector128<byte> order = Vector128.Create((byte)0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
        for (nint i = 0; i < 64; i += 16)
        {
            Vector128<ulong> all = Vector128<ulong>.Zero;
            for (int k = 7; k >= 0; k--)
            {
                Vector128<ulong> one = (Vector128.ShiftRightLogical(Vector128.Load(words + i + (2 * k)), shift) & m) | d;
                all = Vector128.ShiftLeft(all, 8) | one;
            }

            Vector128.ShuffleNative(all.AsByte(), order).Store(requests + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes)
    {
        for (nint i = 0; i < 64; i += 16)
        {
            Vector128<byte> request = Vector128.Load(requests + i);
            Vector128<byte> asked = Blend(Vector128.Load(read + i), Vector128.Load(write + i), request + request);
            Blend(Vector128.Load(none + i), asked, request).Store(codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Blend64(byte* selectors, byte* clear, byte* set, byte* codes)
    {
        for (nint i = 0; i < 64; i += 16)
        {
            Blend(Vector128.Load(clear + i), Vector128.Load(set + i), Vector128.Load(selectors + i)).Store(codes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Iota(uint* pfns, nint count, uint first)
    {
        Vector128<uint> value = Vector128.Create(first) + Vector128<uint>.Indices;
        for (nint i = 0; i < count; i += 4)
        {
            value.Store(pfns + i);
            value += Vector128.Create(4u);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore
    {
        Vector128<ulong> value = Vector128.Create(first, first + step);
        Vector128<ulong> steps = Vector128.Create(2 * step);
        for (nint i = 0; i < count; i += 2)
        {
            TStore.Store(value, words + i);
            value += steps;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask)
    {
        Vector128<ulong> value = Vector128.Create(first, first + step);
        for (nint i = 0; i < 64; i += 2)
        {
            ((Vector128.Load(words + i) & Vector128.Create(keepMask)) | value).Store(words + i);
            value += Vector128.Create(2 * step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (nint i = 0; i < 64; i += Vector128<T>.Count)
        {
            (Vector128.Load(values + i) + Vector128.Create(delta)).Store(values + i);
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
        ScanLoops<Lanes128>.ClassifyBlocks(classes, count, table, bitmap, bits);

    public static int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table) =>
        ResolveLoops<Lanes128>.Staged(classes, pfns, words, count, table, WordFormat.Plain);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore => ResolveLoops<Lanes128>.KindsThroughScratch(this, classes, pfns, words, kindShift, scratch);

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
        RunLoops<Lanes128>.Blocks(classes, pfns, first, count, table, ref stage, limit);

    /// <summary>How far each of 16 numbers is from the next one, saturated twice to a byte: only 1 becomes 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Steps16(uint* pfns)
    {
        Vector128<int> a = (Vector128.Load(pfns + 1) - Vector128.Load(pfns)).AsInt32();
        Vector128<int> b = (Vector128.Load(pfns + 5) - Vector128.Load(pfns + 4)).AsInt32();
        Vector128<int> c = (Vector128.Load(pfns + 9) - Vector128.Load(pfns + 8)).AsInt32();
        Vector128<int> d = (Vector128.Load(pfns + 13) - Vector128.Load(pfns + 12)).AsInt32();
        return Sse2.IsSupported
            ? Sse2.PackSignedSaturate(Sse2.PackSignedSaturate(a, b), Sse2.PackSignedSaturate(c, d)).AsByte()
            : Vector128.NarrowWithSaturation(Vector128.NarrowWithSaturation(a, b), Vector128.NarrowWithSaturation(c, d)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> FourRows(byte* rows, Vector128<byte> low, Vector128<byte> bit4, Vector128<byte> bit5) => Blend(
        Blend(Vector128.ShuffleNative(Vector128.Load(rows), low), Vector128.ShuffleNative(Vector128.Load(rows + 16), low), bit4),
        Blend(Vector128.ShuffleNative(Vector128.Load(rows + 32), low), Vector128.ShuffleNative(Vector128.Load(rows + 48), low), bit4),
        bit5);

    /// <summary>Per byte: the selector's top bit takes the second over the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Blend(Vector128<byte> clear, Vector128<byte> set, Vector128<byte> selector) => Sse41.IsSupported
        ? Sse41.BlendVariable(clear, set, selector)
        : Vector128.ConditionalSelect(Vector128.LessThan(selector.AsSByte(), Vector128<sbyte>.Zero).AsByte(), set, clear);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> KeepIfValid(Vector128<ulong> pfns, Vector128<ulong> flags) => Sse41.IsSupported
        ? Sse41.BlendVariable(Vector128<double>.Zero, pfns.AsDouble(), flags.AsDouble()).AsUInt64()
        : pfns & Vector128.ShiftRightArithmetic(flags.AsInt64(), 63).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> WidenBytes(byte* bytes) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int64(bytes).AsUInt64()
        : Vector128.Create((ulong)bytes[0], bytes[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> WidenPfns(uint* pfns) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int64(pfns).AsUInt64()
        : Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)pfns).AsUInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Join(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d) =>
        a.ExtractMostSignificantBits()
        | ((ulong)b.ExtractMostSignificantBits() << 16)
        | ((ulong)c.ExtractMostSignificantBits() << 32)
        | ((ulong)d.ExtractMostSignificantBits() << 48);
}
