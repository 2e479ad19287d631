using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>
/// 512-bit vectors with AVX-512 VBMI, VBMI2 and GFNI: a 128-entry table is two registers and one VPERMI2B, so the full 256 entries cost two of them and a
/// blend by the class's top bit, for 64 pages.
/// </summary>
internal readonly unsafe struct Lanes512 : ILanes<Lanes512>, ILookup512<Lanes512>
{
    private readonly Vector512<byte> _row0;
    private readonly Vector512<byte> _row4;
    private readonly Vector512<byte> _row8;
    private readonly Vector512<byte> _row12;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes512(byte* table)
    {
        _row0 = Vector512.Load(table);
        _row4 = Vector512.Load(table + 64);
        _row8 = Vector512.Load(table + 128);
        _row12 = Vector512.Load(table + 192);
    }

    public static string Name => "512";

    public static int WidthBits => 512;

    public static bool IsSupported => Vector512.IsHardwareAccelerated && Gfni.V512.IsSupported && Avx512Vbmi2.IsSupported && Avx512Vbmi.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(byte* entries, int rowCount) => new(entries);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Lookup64(byte* classes, byte* codes) => Lookup(Vector512.Load(classes)).Store(codes);

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
        where TStore : struct, IStore => Blocks512.ExpandInRegisters<TStore>(Vector512.Load(codes), pfns, words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask) =>
        Blocks512.ExpandKeepInRegisters(Vector512.Load(codes), pfns, words, keepMask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift) =>
        Blocks512.ExpandFormatInRegisters(Vector512.Load(codes), pfns, words, keepMask, kindShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests) =>
        Blocks512.RequestBytesByPermute64(words, mask, defaults, shift, requests);

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
        Vector512<byte> codes = Lookup(Vector512.Load(classes));
        if ((codes & Vector512.Create(Resolution.WorkMask)) != Vector512<byte>.Zero)
        {
            return false;
        }

        Blocks512.ExpandInRegisters<TStore>(codes, pfns, words);
        return true;
    }

    public static void ClassifyBlocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
    {
        if (table.Count <= HalfLookup512.Capacity)
        {
            Classify512<HalfLookup512>.Blocks(classes, count, table, bitmap, bits);
        }
        else
        {
            Classify512<Lanes512>.Blocks(classes, count, table, bitmap, bits);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table)
    {
        Vector512<byte> some = count == 64
            ? Vector512.Load(classes)
            : Avx512BW.MaskLoad(classes, Vector512.LessThan(Vector512<byte>.Indices, Vector512.Create((byte)count)), Vector512<byte>.Zero);
        return Blocks512.ExpandSome(Load(table.Pointer, table.RowCount).Lookup(some), pfns, words, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore
    {
        Vector512<byte> codes = Lookup(Vector512.Load(classes));
        if ((codes & Vector512.Create(Resolution.WorkMask)) != Vector512<byte>.Zero)
        {
            return false;
        }

        Blocks512.ExpandKindInRegisters<TStore>(codes, pfns, words, kindShift);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ResolveKeep64(byte* classes, uint* pfns, ulong* words, ulong keepMask, byte* scratch)
    {
        Vector512<byte> codes = Lookup(Vector512.Load(classes));
        if ((codes & Vector512.Create(Resolution.WorkMask)) != Vector512<byte>.Zero)
        {
            return false;
        }

        Blocks512.ExpandKeepInRegisters(codes, pfns, words, keepMask);
        return true;
    }

    public static int RunBlocks(byte* classes, uint* pfns, uint first, int count, ByteTable table, ref RunStage stage, int limit) =>
        table.Count <= HalfLookup512.Capacity
            ? Runs512<HalfLookup512>.Blocks(classes, pfns, first, count, table, ref stage, limit)
            : Runs512<Lanes512>.Blocks(classes, pfns, first, count, table, ref stage, limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<byte> Lookup(Vector512<byte> classes)
    {
        // VPERMI2B looks at the low seven bits of an index, so both halves take the class as it is.
        Vector512<byte> low = Avx512Vbmi.PermuteVar64x8x2(_row0, classes, _row4);
        Vector512<byte> high = Avx512Vbmi.PermuteVar64x8x2(_row8, classes, _row12);
        return Blocks512.Blend(low, high, classes);
    }
}
