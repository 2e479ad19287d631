using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Loops that only read: counts, bitmaps, searches, runs. The caller guarantees count elements behind every pointer.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class ScanLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    public static ClassCounts Classify(byte* classes, int count, ByteTable table, ulong* bitmap)
    {
        long* bits = stackalloc long[8];
        new Span<long>(bits, 8).Clear();
        nint full = count & ~63;
        TLanes.ClassifyBlocks(classes, full, table, bitmap, bits);
        ulong last = 0;
        byte* entries = table.CountingPointer;
        for (nint i = full; i < count; i++)
        {
            byte code = entries[classes[i]];
            for (int bit = 0; bit < 8; bit++)
            {
                bits[bit] += code >> bit & 1;
            }

            last |= code >= 0x80 ? 1UL << (int)(i - full) : 0;
        }

        if (bitmap != null && full < count)
        {
            bitmap[full >> 6] = last;
        }

        return new ClassCounts(count, bits[6], bits[5], bits[0], bits[1], bits[2]);
    }

    public static long Mark(byte* classes, int count, ByteTable table, byte bits, ulong* bitmap)
    {
        nint full = count & ~63;
        long members = MarkBlocks(classes, full, table, bits, bitmap);
        ulong last = 0;
        for (nint i = full; i < count; i++)
        {
            last |= (table.Pointer[classes[i]] & bits) != 0 ? 1UL << (int)(i - full) : 0;
        }

        if (bitmap != null && full < count)
        {
            bitmap[full >> 6] = last;
        }

        return members + BitOperations.PopCount(last);
    }

    /// <summary>The first page whose membership, flipped by <paramref name="flip"/> (0 or all ones), is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static int Find(byte* classes, int count, ByteTable table, byte bits, ulong flip)
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        byte* entries = table.Pointer;
        TLanes lanes = TLanes.Load(entries, table.RowCount);
        nint i = 0;
        for (; i + 64 <= count; i += 64)
        {
            lanes.Lookup64(classes + i, codes);
            ulong mask = TLanes.Test64(codes, bits) ^ flip;
            if (mask != 0)
            {
                return (int)i + BitOperations.TrailingZeroCount(mask);
            }
        }

        bool wanted = flip == 0;
        while (i < count && ((entries[classes[i]] & bits) != 0) != wanted)
        {
            i++;
        }

        return (int)i;
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

    /// <summary>Words from the first on that count up by a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int CountingRun(ulong* words, int count, ulong step)
    {
        // Most runs are either one word or a thousand.
        if (count < 2 || words[0] + step != words[1])
        {
            return Math.Min(count, 1);
        }

        nint i = 0;
        while (i + 64 < count && TLanes.Steps64(words + i, step))
        {
            i += 64;
        }

        while (i + 1 < count && words[i] + step == words[i + 1])
        {
            i++;
        }

        return (int)i + 1;
    }

    /// <summary>Full blocks: adds to the eight bit counts of the counting table and writes the work bitmap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void ClassifyBlocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(table.CountingPointer, table.RowCount);
        long valid = 0;
        long error = 0;
        long work1 = 0;
        long work2 = 0;
        long work3 = 0;
        for (nint i = 0; i < count; i += 64)
        {
            lanes.Lookup64(classes + i, codes);
            valid += BitOperations.PopCount(TLanes.Test64(codes, 0x40));
            error += BitOperations.PopCount(TLanes.Test64(codes, 0x20));
            ulong work = TLanes.Test64(codes, 0x80);
            if (work != 0)
            {
                work1 += BitOperations.PopCount(TLanes.Test64(codes, 1));
                work2 += BitOperations.PopCount(TLanes.Test64(codes, 2));
                work3 += BitOperations.PopCount(TLanes.Test64(codes, 4));
            }

            if (bitmap != null)
            {
                bitmap[i >> 6] = work;
            }
        }

        bits[6] = valid;
        bits[5] = error;
        bits[0] = work1;
        bits[1] = work2;
        bits[2] = work3;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static long MarkBlocks(byte* classes, nint count, ByteTable table, byte bits, ulong* bitmap)
    {
        byte* stack = stackalloc byte[128];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);
        long members = 0;
        for (nint i = 0; i < count; i += 64)
        {
            lanes.Lookup64(classes + i, codes);
            ulong mask = TLanes.Test64(codes, bits);
            members += BitOperations.PopCount(mask);
            if (bitmap != null)
            {
                bitmap[i >> 6] = mask;
            }
        }

        return members;
    }
}
