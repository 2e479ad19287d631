using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Loops that write a column from a rule. The caller guarantees count elements behind every pointer.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class FillLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map(byte* source, byte* destination, int count, ByteTable table)
    {
        byte* entries = table.Pointer;
        TLanes lanes = TLanes.Load(entries, table.RowCount);
        nint i = 0;
        for (; i + 64 <= count; i += 64)
        {
            lanes.Lookup64(source + i, destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = entries[source[i]];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CountUp(uint* values, int count, uint first)
    {
        nint full = count & ~63;
        TLanes.Iota(values, full, first);
        for (nint i = full; i < count; i++)
        {
            values[i] = first + (uint)i;
        }
    }

    public static void FillWords(ulong* words, int count, ulong first, ulong step, ulong keepMask)
    {
        if (keepMask != 0)
        {
            FillKeeping(words, count, first, step, keepMask);
        }
        else if (Streaming.FillPays(words, count))
        {
            int head = Streaming.WordsToBorder(words);
            Fill<CachedStore>(words, head, first, step);
            Fill<StreamingStore>(words + head, count - head, first + ((ulong)head * step), step);
            Streaming.Fence();
        }
        else
        {
            Fill<CachedStore>(words, count, first, step);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add<T>(T* values, int count, T delta)
        where T : unmanaged, IBinaryInteger<T>
    {
        nint i = 0;
        for (; i + 64 <= count; i += 64)
        {
            TLanes.Add64(values + i, delta);
        }

        for (; i < count; i++)
        {
            values[i] += delta;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fill<TStore>(ulong* words, int count, ulong first, ulong step)
        where TStore : struct, IStore
    {
        nint full = count & ~63;
        TLanes.Words<TStore>(words, full, first, step);
        first += (ulong)full * step;
        for (nint i = full; i < count; i++)
        {
            words[i] = first;
            first += step;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillKeeping(ulong* words, int count, ulong first, ulong step, ulong keepMask)
    {
        nint i = 0;
        for (; i + 64 <= count; i += 64)
        {
            TLanes.WordsKeeping64(words + i, first, step, keepMask);
            first += 64 * step;
        }

        for (; i < count; i++)
        {
            words[i] = (words[i] & keepMask) | first;
            first += step;
        }
    }
}
