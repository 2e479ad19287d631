using System.Numerics;
using HmmFast.Kernels;

namespace HmmFast.Tests.Kernels;

/// <summary>A width that passes everything on and counts the look-ups: proof that a kernel set runs the width it was made for.</summary>
internal readonly unsafe struct CountingLanes<TInner> : ILanes<CountingLanes<TInner>>
    where TInner : struct, ILanes<TInner>
{
    private readonly TInner _inner;

    private CountingLanes(TInner inner) => _inner = inner;

    public static int Calls { get; set; }

    public static string Name => "counting";

    public static int WidthBits => TInner.WidthBits;

    public static bool IsSupported => TInner.IsSupported;

    public static CountingLanes<TInner> Load(byte* entries, int rowCount) => new(TInner.Load(entries, rowCount));

    public void Lookup64(byte* classes, byte* codes)
    {
        Calls++;
        _inner.Lookup64(classes, codes);
    }

    public static ulong Test64(byte* codes, byte bits) => TInner.Test64(codes, bits);

    public static ulong Equal64(byte* bytes, byte value) => TInner.Equal64(bytes, value);

    public static ulong Same64(byte* a, byte* b) => TInner.Same64(a, b);

    public static ulong ContiguousWithNext64(uint* pfns) => TInner.ContiguousWithNext64(pfns);

    public static bool Steps64(ulong* words, ulong step) => TInner.Steps64(words, step);

    public static void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore => TInner.Expand64<TStore>(codes, pfns, words);

    public static void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask) => TInner.ExpandKeep64(codes, pfns, words, keepMask);

    public static void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift) =>
        TInner.ExpandFormat64(codes, pfns, words, keepMask, kindShift);

    public static void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests) =>
        TInner.RequestBytes64(words, mask, defaults, shift, requests);

    public static void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes) =>
        TInner.Select64(requests, none, read, write, codes);

    public static void Blend64(byte* selectors, byte* clear, byte* set, byte* codes) => TInner.Blend64(selectors, clear, set, codes);

    public static void Iota(uint* pfns, nint count, uint first) => TInner.Iota(pfns, count, first);

    public static void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore => TInner.Words<TStore>(words, count, first, step);

    public static void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask) =>
        TInner.WordsKeeping64(words, first, step, keepMask);

    public static void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T> => TInner.Add64(values, delta);

    public bool Resolve64<TStore>(byte* classes, uint* pfns, ulong* words, byte* scratch)
        where TStore : struct, IStore
    {
        Calls++;
        return _inner.Resolve64<TStore>(classes, pfns, words, scratch);
    }

    public static void ClassifyBlocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits) =>
        TInner.ClassifyBlocks(classes, count, table, bitmap, bits);

    public static int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table)
    {
        Calls++;
        return TInner.ResolveSome(classes, pfns, words, count, table);
    }

    public bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore
    {
        Calls++;
        return _inner.ResolveKind64<TStore>(classes, pfns, words, kindShift, scratch);
    }

    public bool ResolveKeep64(byte* classes, uint* pfns, ulong* words, ulong keepMask, byte* scratch)
    {
        Calls++;
        return _inner.ResolveKeep64(classes, pfns, words, keepMask, scratch);
    }

    public static int RunBlocks(byte* classes, uint* pfns, uint first, int count, ByteTable table, ref RunStage stage, int limit) =>
        TInner.RunBlocks(classes, pfns, first, count, table, ref stage, limit);
}
