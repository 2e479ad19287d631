using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// Columns to runs. A page begins one when its code differs from the page before, or it is valid and its frame number does not follow. Blocks of 64 pages put
/// the runs they find in a stage, which is emptied into the caller's arrays when it is full.
/// The caller guarantees count elements behind the columns' pointers and capacity behind the outputs'.
/// </summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class ExtentLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>From this many pages on, blocks are laid on the class column's 64-byte borders: it costs one block that overlaps the one before.</summary>
    private const int AlignFromPages = 1024;

    public static ExtentCount Run(
        byte* classes, uint* pfns, int count, ByteTable table, int kindShift, uint* starts, ulong* words, int capacity)
    {
        // The columns' first page has none before it to compare with; blocks begin behind it.
        int extents = 0;
        int edge = Math.Min(count, count <= 64 ? 64 : 1);
        int page = Edge(classes, pfns, edge, 0, table, kindShift, starts, words, capacity, ref extents);
        return page == count || page < edge
            ? new ExtentCount(extents, page)
            : Blocks(classes, pfns, count, table, kindShift, starts, words, capacity, extents);
    }

    /// <summary>Everything behind the first page; there are at least 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static ExtentCount Blocks(
        byte* classes, uint* pfns, int count, ByteTable table, int kindShift, uint* starts, ulong* words, int capacity, int extents)
    {
        byte* stack = stackalloc byte[RunStage.AllocationBytes];
        RunStage stage = RunStage.In(stack);
        RunOutput<TLanes> output = new(starts, words, capacity, kindShift, extents);
        output.Lend(ref stage);
        int page = 1;
        int border = 1 + (int)((0 - (nuint)(classes + 1)) & 63);
        bool isAligned = border == 1 || count < AlignFromPages;
        while (page < count)
        {
            // One run more than there is room for is looked for: it ends the last one that fits.
            int limit = Math.Min(output.StageRuns, output.Room + 1);
            int at = page;
            int pages = (count - page) & ~63;
            if (!isAligned)
            {
                // The first block, then one that overlaps it and ends on a border.
                at = page == 1 ? page : border;
                pages = 64;
                isAligned = page != 1;
            }
            else if (pages == 0)
            {
                at = count - 64;
                pages = 64;
            }

            int before = stage.Count;
            int done = TLanes.RunBlocks(classes + at, pfns + at, (uint)at, pages, table, ref stage, limit);
            if (at < page)
            {
                // What an overlapping block found in pages that were seen before is there already.
                int known = before;
                while (known < stage.Count && stage.Indices[known] < (uint)page)
                {
                    known++;
                }

                stage.Remove(before, known - before);
            }

            if (done != 0)
            {
                page = at + done;
            }

            if (stage.Count > output.Room)
            {
                return new ExtentCount(capacity, output.Fill(stage));
            }

            if (done < pages && stage.Count < limit)
            {
                // A page in the next block needs work: up to it page by page.
                extents = output.Finish(stage);
                page += Edge(classes + page, pfns + page, Math.Min(64, count - page), page, table, kindShift, starts, words, capacity, ref extents);
                return new ExtentCount(extents, page);
            }

            if (stage.Count >= limit)
            {
                output.Empty(ref stage, page, count);
            }
        }

        return new ExtentCount(output.Finish(stage), count);
    }

    /// <summary>Up to 64 pages, page by page; returns the pages covered, fewer than asked at work or a full output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
