using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Loops that only read: counts, bitmaps, searches, runs. The caller guarantees count elements behind every pointer.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class ScanLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static ClassCounts Classify(byte* classes, int count, ByteTable table, ulong* bitmap)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        byte* codes = scratch->Codes;
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);
        long valid = 0;
        long error = 0;
        long low = 0;
        long high = 0;
        long both = 0;
        for (nint i = 0; i < count; i += 64)
        {
            ulong inside = Inside(count - i);
            byte* c = classes + i;
            if (inside != ulong.MaxValue)
            {
                Unsafe.CopyBlock(scratch->Classes, c, (uint)(count - i));
                c = scratch->Classes;
            }

            lanes.Lookup64(c, codes);
            ulong bit0 = TLanes.Test64(codes, 1) & inside;
            ulong bit1 = TLanes.Test64(codes, 2) & inside;
            valid += BitOperations.PopCount(TLanes.Test64(codes, Resolution.Valid) & inside);
            error += BitOperations.PopCount(TLanes.Test64(codes, Resolution.Error) & inside);
            low += BitOperations.PopCount(bit0);
            high += BitOperations.PopCount(bit1);
            both += BitOperations.PopCount(bit0 & bit1);
            if (bitmap != null)
            {
                bitmap[i >> 6] = bit0 | bit1;
            }
        }

        return new ClassCounts(count, valid, error, low - both, high - both, both);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static long Mark(byte* classes, int count, ByteTable table, byte bits, ulong* bitmap)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        byte* codes = scratch->Codes;
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);
        long members = 0;
        for (nint i = 0; i < count; i += 64)
        {
            ulong inside = Inside(count - i);
            byte* c = classes + i;
            if (inside != ulong.MaxValue)
            {
                Unsafe.CopyBlock(scratch->Classes, c, (uint)(count - i));
                c = scratch->Classes;
            }

            lanes.Lookup64(c, codes);
            ulong mask = TLanes.Test64(codes, bits) & inside;
            members += BitOperations.PopCount(mask);
            if (bitmap != null)
            {
                bitmap[i >> 6] = mask;
            }
        }

        return members;
    }

    /// <summary>The first page whose membership, flipped by <paramref name="flip"/> (0 or all ones), is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static int Find(byte* classes, int count, ByteTable table, byte bits, ulong flip)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        byte* codes = scratch->Codes;
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);
        for (nint i = 0; i < count; i += 64)
        {
            ulong inside = Inside(count - i);
            byte* c = classes + i;
            if (inside != ulong.MaxValue)
            {
                Unsafe.CopyBlock(scratch->Classes, c, (uint)(count - i));
                c = scratch->Classes;
            }

            lanes.Lookup64(c, codes);
            ulong mask = (TLanes.Test64(codes, bits) ^ flip) & inside;
            if (mask != 0)
            {
                return (int)i + BitOperations.TrailingZeroCount(mask);
            }
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int EqualRun(byte* values, int count)
    {
        if (count == 0)
        {
            return 0;
        }

        byte first = *values;
        nint i = 0;
        for (; i + 64 <= count; i += 64)
        {
            ulong equal = TLanes.Equal64(values + i, first);
            if (equal != ulong.MaxValue)
            {
                return (int)i + BitOperations.TrailingZeroCount(~equal);
            }
        }

        while (i < count && values[i] == first)
        {
            i++;
        }

        return (int)i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int CountingRun(uint* values, int count)
    {
        if (count == 0)
        {
            return 0;
        }

        // A block looks one value ahead, so the last value of the column is never a block's own.
        nint i = 0;
        for (; i + 64 < count; i += 64)
        {
            ulong counting = TLanes.ContiguousWithNext64(values + i);
            if (counting != ulong.MaxValue)
            {
                return (int)i + BitOperations.TrailingZeroCount(~counting) + 1;
            }
        }

        while (i + 1 < count && values[i] + 1 == values[i + 1])
        {
            i++;
        }

        return (int)i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Inside(nint left) => left >= 64 ? ulong.MaxValue : (1UL << (int)left) - 1;
}
