using System.Numerics;
using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Resolve in which every page's word chooses its table. The caller guarantees count elements behind every pointer.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal static unsafe class PerPageLoops<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Runs until a page needs work; words from that page on keep their requests.</summary>
    public static int Run(byte* classes, uint* pfns, ulong* words, int count, RequestTables tables, in PageRequest request, in WordFormat format)
    {
        int i = 0;
        bool mayAllow = request.AllowBit != 0 && ((request.Mask | request.Default) >> request.AllowBit & 1) != 0;
        if (!mayAllow && format.KindShift == 0)
        {
            i = Blocks(classes, pfns, words, count, tables, request.Mask, request.Default, format.KeepMask);
        }

        while (i < count)
        {
            int n = Math.Min(64, count - i);
            int done = Partial(classes + i, pfns + i, words + i, n, tables, request, format);
            i += done;
            if (done < n)
            {
                break;
            }
        }

        return i;
    }

    /// <summary>Full blocks up to the first that has a page that needs work; returns the pages done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static int Blocks(byte* classes, uint* pfns, ulong* words, int count, RequestTables tables, ulong mask, ulong defaults, ulong keepMask)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        TLanes none = TLanes.Load(tables.None.Pointer, tables.None.RowCount);
        TLanes read = TLanes.Load(tables.Read.Pointer, tables.Read.RowCount);
        TLanes write = TLanes.Load(tables.Write.Pointer, tables.Write.RowCount);
        nint i = 0;
        nint full = count & ~63;
        for (; i < full; i += 64)
        {
            TLanes.RequestBytes64(words + i, mask, defaults, 56, scratch->Requests);
            none.Lookup64(classes + i, scratch->Codes);
            read.Lookup64(classes + i, scratch->Codes1);
            write.Lookup64(classes + i, scratch->Codes2);
            TLanes.Select64(scratch->Requests, scratch->Codes, scratch->Codes1, scratch->Codes2, scratch->Codes);
            if (TLanes.Test64(scratch->Codes, Resolution.WorkMask) != 0)
            {
                break;
            }

            // The words were just read, so their lines are here: ordinary stores at any size.
            if (keepMask == 0)
            {
                TLanes.Expand64<CachedStore>(scratch->Codes, pfns + i, words + i);
            }
            else
            {
                TLanes.ExpandKeep64(scratch->Codes, pfns + i, words + i, keepMask);
            }
        }

        return (int)i;
    }

    /// <summary>Up to 64 pages in the scratch block, in the general form; stops at the first that needs work and returns the pages done.</summary>
    [SkipLocalsInit]
    private static int Partial(
        byte* classes, uint* pfns, ulong* words, int count, RequestTables tables, in PageRequest request, in WordFormat format)
    {
        byte* stack = stackalloc byte[Scratch.AllocationBytes];
        Scratch* scratch = Scratch.In(stack);
        Unsafe.CopyBlock(scratch->Classes, classes, (uint)count);
        Unsafe.CopyBlock(scratch->Pfns, pfns, (uint)count * sizeof(uint));
        Unsafe.CopyBlock(scratch->Words, words, (uint)count * sizeof(ulong));
        TLanes.RequestBytes64(scratch->Words, request.Mask, request.Default, 56, scratch->Requests);
        Select(scratch, tables.None, tables.Read, tables.Write, scratch->Codes);
        if (request.AllowBit != 0)
        {
            // Pages that carry the allow bit take the codes of the second three tables.
            byte* allowed = scratch->CodesAllowed;
            Select(scratch, tables.NoneAllowed, tables.ReadAllowed, tables.WriteAllowed, allowed);
            TLanes.RequestBytes64(scratch->Words, request.Mask, request.Default, request.AllowBit - 7, scratch->Requests);
            TLanes.Blend64(scratch->Requests, scratch->Codes, allowed, scratch->Codes);
        }

        ulong work = TLanes.Test64(scratch->Codes, Resolution.WorkMask);
        TLanes.ExpandFormat64(scratch->Codes, scratch->Pfns, scratch->Words, format.KeepMask, format.KindShift);
        int done = Math.Min(count, BitOperations.TrailingZeroCount(work));
        Unsafe.CopyBlock(words, scratch->Words, (uint)done * sizeof(ulong));
        return done;
    }

    private static void Select(Scratch* scratch, ByteTable none, ByteTable read, ByteTable write, byte* codes)
    {
        TLanes.Load(none.Pointer, none.RowCount).Lookup64(scratch->Classes, codes);
        TLanes.Load(read.Pointer, read.RowCount).Lookup64(scratch->Classes, scratch->Codes1);
        TLanes.Load(write.Pointer, write.RowCount).Lookup64(scratch->Classes, scratch->Codes2);
        TLanes.Select64(scratch->Requests, codes, scratch->Codes1, scratch->Codes2, codes);
    }
}
