using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// Columns to runs. Per block a mask says which pages begin a run: its code differs from the page before, or it is valid and its frame number does not follow.
/// </summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class ExtentLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Up to this many runs in a block, their words are made one by one; above, for the whole block at once.</summary>
    private const int FewRuns = 6;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static ExtentCount Run(
        byte* classes, uint* pfns, int count, ByteTable table, int kindShift, uint* starts, ulong* words, int capacity)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        byte* codes = scratch->Codes;
        TLanes lanes = TLanes.Load(table.Pointer, table.RowCount);
        int extents = 0;
        for (nint i = 0; i < count; i += 64)
        {
            int n = (int)Math.Min(64, count - i);
            byte* c = classes + i;
            uint* p = pfns + i;
            if (n < 64 || i == 0)
            {
                // The first block has no page before it, the last may be short: both are looked at in the scratch.
                Unsafe.CopyBlock(scratch->Classes, c, (uint)n);
                Unsafe.CopyBlock(scratch->Pfns, p, (uint)n * sizeof(uint));
                c = scratch->Classes;
                p = scratch->Pfns;
                scratch->PfnBefore[15] = i == 0 ? 0 : pfns[i - 1];
            }

            // Element -1 of codes is the last code of the block before; the scratch has room for it.
            lanes.Lookup64(c, codes);
            ulong valid = TLanes.Test64(codes, Resolution.Valid);
            ulong same = TLanes.SameAsNext64(codes - 1) & (TLanes.ContiguousWithNext64(p - 1) | ~valid);
            scratch->CodeBefore[63] = codes[63];
            ulong work = TLanes.Test64(codes, Resolution.WorkMask);
            ulong begins = ~same;
            if (i == 0)
            {
                begins |= 1;
            }

            int done = Math.Min(n, BitOperations.TrailingZeroCount(work));
            begins &= done == 64 ? ulong.MaxValue : (1UL << done) - 1;
            int found = BitOperations.PopCount(begins);
            int room = capacity - extents;
            if (found > room)
            {
                // Keep what fits; the runs end where the first that does not fit would begin.
                for (int k = 0; k < room; k++)
                {
                    int bit = BitOperations.TrailingZeroCount(begins);
                    begins &= begins - 1;
                    Emit(codes, p, bit, (uint)i, kindShift, starts + extents, words + extents);
                    extents++;
                }

                return new ExtentCount(extents, (int)i + BitOperations.TrailingZeroCount(begins));
            }

            if (found <= FewRuns || room < 64)
            {
                while (begins != 0)
                {
                    int bit = BitOperations.TrailingZeroCount(begins);
                    begins &= begins - 1;
                    Emit(codes, p, bit, (uint)i, kindShift, starts + extents, words + extents);
                    extents++;
                }
            }
            else
            {
                if (kindShift == 0)
                {
                    TLanes.Expand64<CachedStore>(codes, p, scratch->Words);
                }
                else
                {
                    TLanes.ExpandFormat64(codes, p, scratch->Words, 0, kindShift);
                }

                TLanes.Compress64(begins, scratch->Words, (uint)i, words + extents, starts + extents);
                extents += found;
            }

            if (done < n)
            {
                return new ExtentCount(extents, (int)i + done);
            }
        }

        return new ExtentCount(extents, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Emit(byte* codes, uint* pfns, int bit, uint first, int kindShift, uint* start, ulong* word)
    {
        *start = first + (uint)bit;
        *word = kindShift == 0 ? Scalar.Word(codes[bit], pfns[bit]) : Scalar.Word(codes[bit], pfns[bit], 0, 0, kindShift);
    }
}
