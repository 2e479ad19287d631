using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// Columns to runs. Per block a mask says which pages begin a run: its code differs from the page before, or it is valid and its frame number does not follow.
/// The caller guarantees count elements behind the columns' pointers and capacity behind the outputs'.
/// </summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class ExtentLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    public static ExtentCount Run(
        byte* classes, uint* pfns, int count, ByteTable table, int kindShift, uint* starts, ulong* words, int capacity)
    {
        int page = 0;
        int extents = 0;
        while (page < count)
        {
            // The columns' first block has no page before it; it, the last, and any with work or too little room are taken one by one.
            if (page > 0 && kindShift == 0)
            {
                extents += Blocks(classes, pfns, count, table, starts + extents, words + extents, capacity - extents, ref page);
                if (page == count)
                {
                    break;
                }
            }

            int n = Math.Min(64, count - page);
            int done = Edge(classes + page, pfns + page, n, page, table, kindShift, starts, words, capacity, ref extents);
            page += done;
            if (done < n)
            {
                break;
            }
        }

        return new ExtentCount(extents, page);
    }

    /// <summary>Full blocks from page on, while no page needs work and a whole block's runs would fit; returns the runs written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static int Blocks(byte* classes, uint* pfns, int count, ByteTable table, uint* starts, ulong* words, int capacity, ref int page)
    {
        if (count - page < 64 || capacity < 64)
        {
            return 0;
        }

        byte* stack = stackalloc byte[64 + 64 + 64];
        byte* scratch = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);

        // Pointers that advance instead of indices: one value less to hold in registers each.
        byte* c = classes + page;
        uint* p = pfns + page;
        uint* s = starts;
        ulong* w = words;
        uint at = (uint)page;
        uint last = (uint)count - 64;
        ulong* lastRoom = words + capacity - 64;
        while (at <= last && w <= lastRoom)
        {
            int found = lanes.Runs64(c, p, at, w, s, scratch);
            if (found < 0)
            {
                break;
            }

            w += found;
            s += found;
            c += 64;
            p += 64;
            at += 64;
        }

        page = (int)at;
        return (int)(w - words);
    }

    /// <summary>Up to 64 pages, page by page where a run begins; returns the pages covered, fewer than asked at work or a full output.</summary>
    [SkipLocalsInit]
    private static int Edge(
        byte* classes, uint* pfns, int count, int page, ByteTable table, int kindShift, uint* starts, ulong* words, int capacity, ref int extents)
    {
        byte* entries = table.Pointer;
        byte before = page == 0 ? (byte)0 : entries[classes[-1]];
        for (int i = 0; i < count; i++)
        {
            byte code = entries[classes[i]];
            if ((code & Resolution.WorkMask) != 0)
            {
                return i;
            }

            bool follows = page + i > 0 && code == before && ((code & Resolution.Valid) == 0 || pfns[i - 1] + 1 == pfns[i]);
            if (!follows)
            {
                if (extents == capacity)
                {
                    return i;
                }

                starts[extents] = (uint)(page + i);
                words[extents] = Scalar.Word(code, pfns[i], 0, 0, kindShift);
                extents++;
            }

            before = code;
        }

        return count;
    }
}
