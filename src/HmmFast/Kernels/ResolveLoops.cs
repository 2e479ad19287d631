using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Resolve under one table, over whole columns. The caller guarantees count elements behind every pointer.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class ResolveLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Frame number, valid, write and error only; nothing is read from the words.</summary>
    public static int Plain(byte* classes, uint* pfns, ulong* words, int count, ByteTable table, long resultWords)
    {
        int done = 0;
        if (Streaming.Pays(words, count, resultWords))
        {
            int head = Streaming.WordsToBorder(words);
            done = head == 0 ? 0 : TLanes.ResolveSome(classes, pfns, words, head, table);
            if (done < head)
            {
                return done;
            }

            done += Blocks<StreamingStore>(classes + done, pfns + done, words + done, count - done, table.Pointer, table.RowCount);
            FenceWhole(resultWords);
        }
        else if (count >= 64)
        {
            done = Blocks<CachedStore>(classes, pfns, words, count, table.Pointer, table.RowCount);
        }

        // What is left is a block with a page that needs work in it, or the columns' end.
        return done == count ? done : done + TLanes.ResolveSome(classes + done, pfns + done, words + done, Math.Min(64, count - done), table);
    }

    /// <summary>With old bits kept or kinds placed.</summary>
    public static int Formatted(byte* classes, uint* pfns, ulong* words, int count, ByteTable table, in WordFormat format)
    {
        int i = 0;
        if (format.KindShift == 0)
        {
            i = KeepBlocks(classes, pfns, words, count, table.Pointer, table.RowCount, format.KeepMask);
        }
        else if (format.KeepMask != 0)
        {
            i = KindBlocks(classes, pfns, words, count, table.Pointer, table.RowCount, format.KeepMask, format.KindShift);
        }
        else if (Streaming.Pays(words, count, format.ResultWords))
        {
            int head = Streaming.WordsToBorder(words);
            i = Staged(classes, pfns, words, head, table, format);
            if (i < head)
            {
                return i;
            }

            i += FreshKindBlocks<StreamingStore>(classes + i, pfns + i, words + i, count - i, table.Pointer, table.RowCount, format.KindShift);
            FenceWhole(format.ResultWords);
        }
        else
        {
            i = FreshKindBlocks<CachedStore>(classes, pfns, words, count, table.Pointer, table.RowCount, format.KindShift);
        }

        return i + Staged(classes + i, pfns + i, words + i, Math.Min(64, count - i), table, format);
    }

    /// <summary>Up to 64 pages through a scratch block; stops at the first that needs work and returns the pages done.</summary>
    [SkipLocalsInit]
    public static int Staged(byte* classes, uint* pfns, ulong* words, int count, ByteTable table, in WordFormat format)
    {
        if (count == 0)
        {
            return 0;
        }

        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        if (count < 64)
        {
            Unsafe.CopyBlock(scratch->Classes, classes, (uint)count);
            Unsafe.CopyBlock(scratch->Pfns, pfns, (uint)count * sizeof(uint));
            classes = scratch->Classes;
            pfns = scratch->Pfns;
        }

        TLanes.Load(table.Pointer, table.RowCount).Lookup64(classes, scratch->Codes);
        ulong work = TLanes.Test64(scratch->Codes, Resolution.WorkMask);
        int done = Math.Min(count, BitOperations.TrailingZeroCount(work));
        if (format.IsPlain)
        {
            TLanes.Expand64<CachedStore>(scratch->Codes, pfns, scratch->Words);
        }
        else
        {
            Unsafe.CopyBlock(scratch->Words, words, (uint)done * sizeof(ulong));
            TLanes.ExpandFormat64(scratch->Codes, pfns, scratch->Words, format.KeepMask, format.KindShift);
        }

        Unsafe.CopyBlock(words, scratch->Words, (uint)done * sizeof(ulong));
        return done;
    }

    /// <summary><see cref="ILanes{TSelf}.ResolveKind64"/> for widths that have no shorter way: the words are read, and nothing of them is kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool KindsThroughScratch(TLanes lanes, byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
    {
        lanes.Lookup64(classes, scratch);
        if (TLanes.Test64(scratch, Resolution.WorkMask) != 0)
        {
            return false;
        }

        TLanes.ExpandFormat64(scratch, pfns, words, 0, kindShift);
        return true;
    }

    // Who writes a result in parts orders them all at once.
    private static void FenceWhole(long resultWords)
    {
        if (resultWords == 0)
        {
            Streaming.Fence();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static int KeepBlocks(byte* classes, uint* pfns, ulong* words, int count, byte* entries, int rowCount, ulong keepMask)
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(entries, rowCount);
        nint i = 0;
        nint full = count & ~63;
        for (; i < full; i += 64)
        {
            if (!lanes.ResolveKeep64(classes + i, pfns + i, words + i, keepMask, codes))
            {
                break;
            }
        }

        return (int)i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static int KindBlocks(byte* classes, uint* pfns, ulong* words, int count, byte* entries, int rowCount, ulong keepMask, int kindShift)
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(entries, rowCount);
        nint i = 0;
        nint full = count & ~63;
        for (; i < full; i += 64)
        {
            lanes.Lookup64(classes + i, codes);
            if (TLanes.Test64(codes, Resolution.WorkMask) != 0)
            {
                break;
            }

            TLanes.ExpandFormat64(codes, pfns + i, words + i, keepMask, kindShift);
        }

        return (int)i;
    }

    /// <summary>Full blocks up to the first that has a page that needs work; returns the pages done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static int Blocks<TStore>(byte* classes, uint* pfns, ulong* words, int count, byte* entries, int rowCount)
        where TStore : struct, IStore
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(entries, rowCount);
        nint i = 0;
        nint full = count & ~63;
        for (; i < full; i += 64)
        {
            if (!lanes.Resolve64<TStore>(classes + i, pfns + i, words + i, codes))
            {
                break;
            }
        }

        return (int)i;
    }

    /// <summary>Kinds placed, nothing kept: nothing is read from the words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static int FreshKindBlocks<TStore>(byte* classes, uint* pfns, ulong* words, int count, byte* entries, int rowCount, int kindShift)
        where TStore : struct, IStore
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(entries, rowCount);
        nint i = 0;
        nint full = count & ~63;
        for (; i < full; i += 64)
        {
            if (!lanes.ResolveKind64<TStore>(classes + i, pfns + i, words + i, kindShift, codes))
            {
                break;
            }
        }

        return (int)i;
    }
}
