using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Resolve in which every page's word chooses its table. The caller guarantees count elements behind every pointer.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class PerPageLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Runs until a page needs work; words from that page on keep their requests.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static int Run(byte* classes, uint* pfns, ulong* words, int count, RequestTables tables, in PageRequest request, in WordFormat format)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        ByteTable none = tables.None;
        ByteTable read = tables.Read;
        ByteTable write = tables.Write;
        TLanes lanesNone = TLanes.Load(none.Pointer, none.RowCount);
        TLanes lanesRead = TLanes.Load(read.Pointer, read.RowCount);
        TLanes lanesWrite = TLanes.Load(write.Pointer, write.RowCount);
        ulong mask = request.Mask;
        ulong defaults = request.Default;
        bool general = request.AllowBit != 0 || !format.IsPlain;
        int i = 0;
        while (i < count)
        {
            int n = Math.Min(64, count - i);
            byte* c = classes + i;
            uint* p = pfns + i;
            ulong* w = words + i;
            if (n < 64)
            {
                // The last, partial block is worked on in the scratch, as a full one.
                c = scratch->Classes;
                p = scratch->Pfns;
                w = scratch->Words;
                Unsafe.CopyBlock(c, classes + i, (uint)n);
                Unsafe.CopyBlock(p, pfns + i, (uint)n * sizeof(uint));
                Unsafe.CopyBlock(w, words + i, (uint)n * sizeof(ulong));
            }

            TLanes.RequestBytes64(w, mask, defaults, 56, scratch->Requests);
            lanesNone.Lookup64(c, scratch->Codes);
            lanesRead.Lookup64(c, scratch->Codes1);
            lanesWrite.Lookup64(c, scratch->Codes2);
            TLanes.Select64(scratch->Requests, scratch->Codes, scratch->Codes1, scratch->Codes2, scratch->Codes);
            if (general && request.AllowBit != 0)
            {
                SelectAllowed(scratch, c, w, tables, request);
            }

            ulong work = TLanes.Test64(scratch->Codes, Resolution.WorkMask);
            int done = Math.Min(n, BitOperations.TrailingZeroCount(work));
            if (done < 64)
            {
                if (n == 64)
                {
                    Unsafe.CopyBlock(scratch->Pfns, p, (uint)done * sizeof(uint));
                    Unsafe.CopyBlock(scratch->Words, w, (uint)done * sizeof(ulong));
                }

                p = scratch->Pfns;
                w = scratch->Words;
            }

            if (!general)
            {
                TLanes.Expand64<CachedStore>(scratch->Codes, p, w);
            }
            else
            {
                TLanes.ExpandFormat64(scratch->Codes, p, w, format.KeepMask, format.KindShift);
            }

            if (done < 64)
            {
                Unsafe.CopyBlock(words + i, w, (uint)done * sizeof(ulong));
                return i + done;
            }

            i += 64;
        }

        return count;
    }

    /// <summary>Replaces the codes of the pages that carry the allow bit by those of the second three tables.</summary>
    [SkipLocalsInit]
    private static void SelectAllowed(Scratch* scratch, byte* classes, ulong* words, RequestTables tables, in PageRequest request)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* other = Scratch.In(stack);
        TLanes.Load(tables.NoneAllowed.Pointer, tables.NoneAllowed.RowCount).Lookup64(classes, other->Codes);
        TLanes.Load(tables.ReadAllowed.Pointer, tables.ReadAllowed.RowCount).Lookup64(classes, other->Codes1);
        TLanes.Load(tables.WriteAllowed.Pointer, tables.WriteAllowed.RowCount).Lookup64(classes, other->Codes2);
        TLanes.Select64(scratch->Requests, other->Codes, other->Codes1, other->Codes2, other->Codes);
        TLanes.RequestBytes64(words, request.Mask, request.Default, request.AllowBit - 7, other->Requests);
        TLanes.Blend64(other->Requests, scratch->Codes, other->Codes, scratch->Codes);
    }
}
