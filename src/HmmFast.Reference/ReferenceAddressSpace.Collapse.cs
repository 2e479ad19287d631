namespace HmmFast.Reference;

/// <summary>MADV_COLLAPSE of private anonymous memory.</summary>
internal sealed partial class ReferenceAddressSpace
{
    /// <summary>How collapsing one block ended.</summary>
    private enum CollapseResult
    {
        Done,

        /// <summary>Cannot be collapsed as it is; other blocks are tried.</summary>
        Unsuitable,

        /// <summary>Somebody holds one of its pages; other blocks are tried, and another time might do.</summary>
        InUse,

        /// <summary>Ends the call.</summary>
        Failed,

        /// <summary>No free 2 MiB run; ends the call.</summary>
        NoHugePage,
    }

    private HmmStatus Collapse(Vma vma, ulong start, ulong end)
    {
        ulong lastBlock = vma.End & ~(PageTables.PagesPerBlock - 1);
        bool hasBlock = lastBlock >= PageTables.PagesPerBlock && lastBlock - PageTables.PagesPerBlock >= vma.Start;
        if (!vma.IsAnonymous || vma.Anon is null || vma.Traits.NoHugePage || !hasBlock)
        {
            return HmmStatus.Invalid;
        }

        ulong from = (start + PageTables.PagesPerBlock - 1) & ~(PageTables.PagesPerBlock - 1);
        ulong to = end & ~(PageTables.PagesPerBlock - 1);
        HmmStatus failure = HmmStatus.Ok;
        for (ulong block = from; block < to; block += PageTables.PagesPerBlock)
        {
            CollapseResult result = CollapseBlock(vma, block);
            failure = result switch
            {
                CollapseResult.Done => failure,
                CollapseResult.InUse => HmmStatus.TryAgain,
                CollapseResult.NoHugePage => HmmStatus.OutOfMemory,
                _ => HmmStatus.Invalid,
            };
            if (result is CollapseResult.Failed or CollapseResult.NoHugePage)
            {
                break;
            }
        }

        return failure;
    }

    /// <summary>One block: looked over first, then a folio is taken, swapped and device pages are brought back, and everything is copied.</summary>
    private CollapseResult CollapseBlock(Vma vma, ulong block)
    {
        PmdTable? pmd = _tables.FindPmdTable(block);
        if (pmd is null || PageTables.SlotOf(pmd, block).IsEmpty)
        {
            return CollapseResult.Unsuitable;
        }

        if (PageTables.SlotOf(pmd, block).IsHuge)
        {
            return CollapseResult.Done;
        }

        CollapseResult result = LookOver(block, scanning: true);
        if (result != CollapseResult.Done)
        {
            return result;
        }

        if (!_physical.TryAllocateLarge(out uint head))
        {
            return CollapseResult.NoHugePage;
        }

        result = BringBack(vma, block);
        if (result == CollapseResult.Done)
        {
            Invalidate(block, block + PageTables.PagesPerBlock, InvalidationEvent.Clear);
            result = LookOver(block, scanning: false);
        }

        if (result != CollapseResult.Done)
        {
            _physical.Put(head);
            return result;
        }

        CopyIntoFolio(block, head);
        ref PmdSlot slot = ref PageTables.SlotOf(pmd, block);
        slot.Table = null;
        MapNewHuge(vma, block, ref slot, head);
        return CollapseResult.Done;
    }

    /// <summary>Every present page must be an ordinary anonymous one that nobody holds, and one of them writable.</summary>
    private CollapseResult LookOver(ulong block, bool scanning)
    {
        bool writable = false;
        for (ulong vpn = block; vpn < block + PageTables.PagesPerBlock; vpn++)
        {
            PageEntry entry = EntryAt(vpn);
            if (entry.IsNone || entry.IsZeroPage)
            {
                continue;
            }

            if (!entry.IsPresent)
            {
                if (scanning)
                {
                    continue;
                }

                return CollapseResult.Unsuitable;
            }

            if (_physical.DeviceOf(entry.Number) is not null)
            {
                return CollapseResult.Unsuitable;
            }

            if (!_physical.HasOnlyKnownReferences(entry.Number))
            {
                return CollapseResult.InUse;
            }

            writable |= entry.IsWritable;
        }

        return writable ? CollapseResult.Done : CollapseResult.Unsuitable;
    }

    /// <summary>Every entry that is not present is brought back as a read fault would, once.</summary>
    private CollapseResult BringBack(Vma vma, ulong block)
    {
        for (ulong vpn = block; vpn < block + PageTables.PagesPerBlock; vpn++)
        {
            PageEntry entry = EntryAt(vpn);
            if (entry.IsNone || entry.IsPresent)
            {
                continue;
            }

            if (NonPresentFault(vma, vpn, write: false) != FaultOutcome.Done)
            {
                return CollapseResult.Failed;
            }
        }

        return CollapseResult.Done;
    }

    private void CopyIntoFolio(ulong block, uint head)
    {
        for (uint i = 0; i < PageTables.PagesPerBlock; i++)
        {
            PageEntry entry = EntryAt(block + i);
            if (entry.IsNone || entry.IsZeroPage)
            {
                continue;
            }

            _physical.SetContent(head + i, _physical.ContentOf(entry.Number));
            EntryAt(block + i) = default;
            _physical.RemoveMapping(entry.Number);
            _physical.PutUnmapped(entry.Number);
        }
    }
}
