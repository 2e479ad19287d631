using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// Where runs begin, at widths that cannot compress a register. Columns are compared with themselves one page on, without a look-up: only a page whose class
/// or frame number does not go on can begin a run or be the first that needs work. Few such pages are looked at one by one; where there are
/// many (no runs, or holes, whose numbers go nowhere) the whole block is looked up.
/// </summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class RunLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Up to this many pages of a block are looked at one by one.</summary>
    private const int Few = 16;

    /// <summary>Full blocks, until one has a page that needs work or the stage holds the limit; returns the pages done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Blocks(byte* classes, uint* pfns, uint first, int count, ByteTable table, ref RunStage stage, int limit)
    {
        byte* entries = table.Pointer;
        nint i = 0;
        while (i < count && stage.Count < limit)
        {
            byte* c = classes + i;
            uint* p = pfns + i;
            ulong follows = TLanes.ContiguousWithNext64(p - 1);
            ulong candidates = ~(TLanes.Same64(c, c - 1) & follows);
            if (candidates != 0)
            {
                bool isDone = BitOperations.PopCount(candidates) <= Few
                    ? OneByOne(candidates, c, p, first + (uint)i, entries, ref stage)
                    : Whole(table, follows, c, p, first + (uint)i, ref stage);
                if (!isDone)
                {
                    break;
                }
            }

            i += 64;
        }

        return (int)i;
    }

    /// <summary>Looks candidates up. The class in front of one is that of the candidate before it, so its code is at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool OneByOne(ulong candidates, byte* c, uint* p, uint first, byte* entries, ref RunStage stage)
    {
        byte* codes = stage.Codes;
        uint* numbers = stage.Pfns;
        uint* indices = stage.Indices;
        nint at = stage.Count;
        byte before = entries[c[-1]];
        byte all = 0;
        do
        {
            int i = BitOperations.TrailingZeroCount(candidates);
            byte code = entries[c[i]];
            uint pfn = p[i];
            codes[at] = code;
            numbers[at] = pfn;
            indices[at] = first + (uint)i;
            int jumps = p[i - 1] + 1 != pfn ? code >> 7 : 0;
            at += (code != before ? 1 : 0) | jumps;
            all |= code;
            before = code;
            candidates &= candidates - 1;
        }
        while (candidates != 0);
        if ((all & Resolution.WorkMask) != 0)
        {
            return false;
        }

        stage.Count = (int)at;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static bool Whole(ByteTable table, ulong follows, byte* c, uint* p, uint first, ref RunStage stage)
    {
        byte* stack = stackalloc byte[64 + 64 + 63];
        byte* scratch = (byte*)(((nuint)stack + 63) & ~(nuint)63) + 64;
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);
        lanes.Lookup64(c, scratch);
        if (TLanes.Test64(scratch, Resolution.WorkMask) != 0)
        {
            return false;
        }

        scratch[-1] = table.Pointer[c[-1]];
        ulong begins = ~(TLanes.Same64(scratch, scratch - 1) & (follows | ~TLanes.Test64(scratch, Resolution.Valid)));
        byte* codes = stage.Codes;
        uint* numbers = stage.Pfns;
        uint* indices = stage.Indices;
        nint at = stage.Count;
        int found = BitOperations.PopCount(begins);
        stage.Count += found;
        if (found <= Few)
        {
            for (; begins != 0; begins &= begins - 1)
            {
                int i = BitOperations.TrailingZeroCount(begins);
                codes[at] = scratch[i];
                numbers[at] = p[i];
                indices[at] = first + (uint)i;
                at++;
            }

            return true;
        }

        // Every page is written where the next run goes, and what begins none is written over: no branch a run.
        for (int i = 0; i < 64; i++)
        {
            codes[at] = scratch[i];
            numbers[at] = p[i];
            indices[at] = first + (uint)i;
            at += (nint)(begins & 1);
            begins >>= 1;
        }

        return true;
    }
}
