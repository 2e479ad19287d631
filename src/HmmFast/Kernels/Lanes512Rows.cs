using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>512-bit vectors without VBMI: rows of 16 entries as in <see cref="Lanes256"/>, 64 pages at a time, with the same block steps as <see cref="Lanes512"/>.</summary>
internal readonly unsafe struct Lanes512Rows : ILanes<Lanes512Rows>, ILookup512<Lanes512Rows>
{
    private readonly byte* _table;
    private readonly int _rowCount;

    private Lanes512Rows(byte* table, int rowCount)
    {
        _table = table;
        _rowCount = rowCount;
    }

    public static string Name => "512rows";

    public static int WidthBits => 512;

    public static bool IsSupported => Vector512.IsHardwareAccelerated && Avx512BW.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512Rows Load(byte* entries, int rowCount) => new(entries, rowCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Lookup64(byte* classes, byte* codes) => Lookup(Vector512.Load(classes)).Store(codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<byte> Lookup(Vector512<byte> c)
    {
        byte* table = _table;
        int rows = _rowCount;
        Vector512<byte> low = c & Vector512.Create((byte)0x0F);

        // Shifts of 16-bit units: what crosses into a byte comes below its top bit, and only the top bit is looked at.
        Vector512<byte> bit4 = Vector512.ShiftLeft(c.AsUInt16(), 3).AsByte();
        Vector512<byte> bit5 = Vector512.ShiftLeft(c.AsUInt16(), 2).AsByte();
        Vector512<byte> r = FourRows(table, low, bit4, bit5);
        if (rows > 4)
        {
            Vector512<byte> bit6 = Vector512.ShiftLeft(c.AsUInt16(), 1).AsByte();
            r = Blocks512.Blend(r, FourRows(table + 64, low, bit4, bit5), bit6);
            if (rows > 8)
            {
                Vector512<byte> upper = FourRows(table + 128, low, bit4, bit5);
                if (rows > 12)
                {
                    upper = Blocks512.Blend(upper, FourRows(table + 192, low, bit4, bit5), bit6);
                }

                r = Blocks512.Blend(r, upper, c);
            }
        }

        return r;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Test64(byte* codes, byte bits) => Blocks512.Test64(codes, bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Equal64(byte* bytes, byte value) => Blocks512.Equal64(bytes, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Same64(byte* a, byte* b) => Blocks512.Same64(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ContiguousWithNext64(uint* pfns) => Blocks512.ContiguousWithNext64(pfns);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Steps64(ulong* words, ulong step) => Blocks512.Steps64(words, step);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore => Blocks512.Expand64<TStore>(codes, pfns, words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask) =>
        Blocks512.ExpandKeep64(codes, pfns, words, keepMask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift) =>
        Blocks512.ExpandFormat64(codes, pfns, words, keepMask, kindShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests) =>
        Blocks512.RequestBytes64(words, mask, defaults, shift, requests);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes) =>
        Blocks512.Select64(requests, none, read, write, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Blend64(byte* selectors, byte* clear, byte* set, byte* codes) =>
        Blocks512.Blend64(selectors, clear, set, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Iota(uint* pfns, nint count, uint first) => Blocks512.Iota(pfns, count, first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore => Blocks512.Words<TStore>(words, count, first, step);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask) =>
        Blocks512.WordsKeeping64(words, first, step, keepMask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T> => Blocks512.Add64(values, delta);

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
        Classify512<Lanes512Rows>.Blocks(classes, count, table, bitmap, bits);

    public static int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table) =>
        ResolveLoops<Lanes512Rows>.Staged(classes, pfns, words, count, table, WordFormat.Plain);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore => ResolveLoops<Lanes512Rows>.KindsThroughScratch(this, classes, pfns, words, kindShift, scratch);

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
        RunLoops<Lanes512Rows>.Blocks(classes, pfns, first, count, table, ref stage, limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> FourRows(byte* rows, Vector512<byte> low, Vector512<byte> bit4, Vector512<byte> bit5) => Blocks512.Blend(
        Blocks512.Blend(Row(rows, low), Row(rows + 16, low), bit4),
        Blocks512.Blend(Row(rows + 32, low), Row(rows + 48, low), bit4),
        bit5);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Row(byte* row, Vector512<byte> low) =>
        Avx512BW.Shuffle(Avx512F.BroadcastVector128ToVector512((uint*)row).AsByte(), low);
}
