namespace HmmFast.Reference;

/// <summary>madvise: the walk over VMAs, and the advices that do not reclaim.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private HmmStatus AdviseRange(ulong start, ulong end, Advice advice)
    {
        HmmStatus holes = HmmStatus.Ok;
        for (ulong at = start; at < end;)
        {
            Vma? vma = _vmas.FindAtOrAfter(at);
            if (vma is null)
            {
                return HmmStatus.OutOfMemory;
            }

            if (vma.Start > at)
            {
                // The rest is advised all the same.
                holes = HmmStatus.OutOfMemory;
                at = vma.Start;
                continue;
            }

            ulong to = Math.Min(end, vma.End);
            HmmStatus status = AdvisePart(vma, at, to, advice, out Vma holder);
            if (status != HmmStatus.Ok)
            {
                return status;
            }

            at = Math.Max(to, holder.End);
        }

        return holes;
    }

    /// <summary>One VMA's part; <paramref name="holder"/> is the VMA that holds it afterwards.</summary>
    private HmmStatus AdvisePart(Vma vma, ulong start, ulong end, Advice advice, out Vma holder)
    {
        holder = vma;
        switch (advice)
        {
            case Advice.DontNeed:
                if (vma.HasNoPages)
                {
                    return HmmStatus.Invalid;
                }

                Invalidate(start, end, InvalidationEvent.Clear);
                Zap(vma, start, end);
                return HmmStatus.Ok;
            case Advice.Free:
                if (!vma.IsAnonymous)
                {
                    return HmmStatus.Invalid;
                }

                Invalidate(start, end, InvalidationEvent.Clear);
                ForEachBlock(start, end, FreeBlock);
                return HmmStatus.Ok;
            case Advice.PageOut:
                if (vma.HasNoPages)
                {
                    return HmmStatus.Invalid;
                }

                ForEachBlock(start, end, (from, to) => PageOutBlock(vma, from, to));
                return HmmStatus.Ok;
            case Advice.Collapse:
                return Collapse(vma, start, end);
            default:
                return AdviseHuge(vma, start, end, advice == Advice.HugePage, out holder);
        }
    }

    private HmmStatus AdviseHuge(Vma vma, ulong start, ulong end, bool huge, out Vma holder)
    {
        holder = vma;
        VmaTraits traits = vma.Traits with { HugePage = huge, NoHugePage = !huge };
        if (traits != vma.Traits)
        {
            bool softDirty = vma.SoftDirty;
            holder = _vmas.Modify(vma, start, end, traits);
            holder.Traits = traits;
            holder.SoftDirty = softDirty;
        }

        return HmmStatus.Ok;
    }

    /// <summary>Visits the parts of a range by 2 MiB block, where the block's PMD entry is not empty.</summary>
    private void ForEachBlock(ulong start, ulong end, Action<ulong, ulong> action)
    {
        for (ulong vpn = start; vpn < end;)
        {
            PmdTable? pmd = _tables.FindPmdTable(vpn);
            if (pmd is null)
            {
                vpn = Math.Min(end, PageTables.GibibyteEnd(vpn));
                continue;
            }

            ulong next = Math.Min(end, PageTables.BlockEnd(vpn));
            if (!PageTables.SlotOf(pmd, vpn).IsEmpty)
            {
                action(vpn, next);
            }

            vpn = next;
        }
    }

    /// <summary>MADV_FREE in one block: swap slots go at once, present pages become lazily freeable (no longer swap-backed, clean).</summary>
    private void FreeBlock(ulong start, ulong end)
    {
        ref PmdSlot slot = ref PageTables.SlotOf(_tables.FindPmdTable(start)!, start);
        if (slot.IsHuge && !FreeHuge(ref slot, whole: end - start == PageTables.PagesPerBlock))
        {
            return;
        }

        for (ulong vpn = start; vpn < end && slot.Table is not null; vpn++)
        {
            PageEntry entry = EntryAt(vpn);
            if (entry.Kind is PageEntryKind.Swap or PageEntryKind.Marker)
            {
                ZapEntry(ref EntryAt(vpn));
            }

            if (!entry.IsPresent || entry.IsZeroPage || _physical.DeviceOf(entry.Number) is not null)
            {
                continue;
            }

            if (_physical[entry.Number].Has(FrameFlags.Large))
            {
                ulong mapped = RunOfFolio(vpn, end);
                if (mapped < PageTables.PagesPerBlock)
                {
                    if (!_physical.LooksShared(entry.Number) && TrySplitFolio(_memory, _physical.HeadOf(entry.Number)))
                    {
                        // Look at the page again, now on its own.
                        vpn--;
                    }

                    continue;
                }

                if (MarkLazyFree(_physical.HeadOf(entry.Number)))
                {
                    for (ulong page = vpn; page < vpn + mapped; page++)
                    {
                        EntryAt(page).Set(EntryFlags.Dirty, false);
                    }
                }

                vpn += mapped - 1;
            }
            else if (MarkLazyFree(entry.Number))
            {
                EntryAt(vpn).Set(EntryFlags.Dirty, false);
            }
        }
    }

    /// <summary>A 2 MiB entry under MADV_FREE: marked as a whole, or its folio split when only a part is meant. True: go on with single pages.</summary>
    private bool FreeHuge(ref PmdSlot slot, bool whole)
    {
        uint head = slot.Huge.Number;
        if (_physical.IsHugeZero(head) || _physical.LooksShared(head))
        {
            return false;
        }

        if (!whole)
        {
            TrySplitFolio(_memory, head);
            return true;
        }

        _physical[head].Flags &= ~(FrameFlags.Dirty | FrameFlags.SwapBacked);
        slot.Huge.Set(EntryFlags.Dirty, false);
        return false;
    }

    /// <summary>False when others need the page as it is: it is dirty or in the swap cache, and mapped elsewhere or its slot still referred to.</summary>
    private bool MarkLazyFree(uint head)
    {
        ref Frame frame = ref _physical[head];
        if (frame.SlotPlusOne != 0 || frame.Has(FrameFlags.Dirty))
        {
            if (_physical.FolioMapCount(head) != (int)_physical.PagesInFolio(head))
            {
                return false;
            }

            if (frame.SlotPlusOne != 0 && !_physical.TryFreeSwap(head))
            {
                return false;
            }

            frame.Set(FrameFlags.Dirty, false);
        }

        if (frame.Has(FrameFlags.Anonymous))
        {
            frame.Set(FrameFlags.SwapBacked, false);
        }

        return true;
    }

    /// <summary>How many entries from here on map the folio's next pages in a row; their bits do not matter.</summary>
    private ulong RunOfFolio(ulong start, ulong end)
    {
        uint first = _tables.Read(start).Number;
        ulong limit = Math.Min(end - start, PageTables.PagesPerBlock - (first & (PageTables.PagesPerBlock - 1)));
        ulong count = 1;
        while (count < limit && _tables.Read(start + count) is { IsPresent: true } entry && entry.Number == first + count)
        {
            count++;
        }

        return count;
    }
}
