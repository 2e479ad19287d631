namespace HmmFast.Reference;

/// <summary>MADV_PAGEOUT: which pages are taken, and what reclaim does with each.</summary>
internal sealed partial class ReferenceAddressSpace
{
    /// <summary>Collects the block's pages that nobody else maps, then reclaims them in page order.</summary>
    private void PageOutBlock(Vma vma, ulong start, ulong end)
    {
        List<(uint Head, ulong Vpn)> isolated = [];
        ref PmdSlot slot = ref PageTables.SlotOf(_tables.FindPmdTable(start)!, start);
        if (slot.IsHuge)
        {
            uint head = slot.Huge.Number;
            if (_physical.IsHugeZero(head) || _physical.LooksShared(head))
            {
                return;
            }

            if (end - start == PageTables.PagesPerBlock)
            {
                Reclaim(vma, head, start);
                return;
            }

            if (!TrySplitFolio(_memory, head))
            {
                return;
            }
        }

        for (ulong vpn = start; vpn < end && slot.Table is not null; vpn++)
        {
            PageEntry entry = EntryAt(vpn);
            if (!entry.IsPresent || entry.IsZeroPage || entry.IsSpecial || _physical.DeviceOf(entry.Number) is not null)
            {
                continue;
            }

            ulong mapped = 1;
            if (_physical[entry.Number].Has(FrameFlags.Large))
            {
                mapped = RunOfFolio(vpn, end);
                if (mapped < PageTables.PagesPerBlock)
                {
                    // A part of a folio: split it and look at the page again, unless others map it too.
                    if (!_physical.LooksShared(entry.Number) && TrySplitFolio(_memory, _physical.HeadOf(entry.Number)))
                    {
                        vpn--;
                    }

                    continue;
                }
            }

            bool alone = _physical.FolioMapCount(entry.Number) == (int)_physical.PagesInFolio(entry.Number);
            if (_physical[entry.Number].Has(FrameFlags.Lru) && alone)
            {
                isolated.Add((_physical.HeadOf(entry.Number), vpn));
            }

            vpn += mapped - 1;
        }

        foreach ((uint head, ulong vpn) in isolated)
        {
            Reclaim(vma, head, vpn);
        }
    }

    /// <summary>Reclaims one folio that only this address space maps, at <paramref name="vpn"/>.</summary>
    private void Reclaim(Vma vma, uint head, ulong vpn)
    {
        ref Frame frame = ref _physical[head];
        bool large = frame.Has(FrameFlags.Large);
        if (!frame.Has(FrameFlags.Anonymous))
        {
            ReclaimFilePage(vma, head, vpn);
        }
        else if (!frame.Has(FrameFlags.SwapBacked))
        {
            DiscardLazyFree(head, vpn, large);
        }
        else if (large)
        {
            SwapOutHuge(vma, head, vpn);
        }
        else
        {
            SwapOut(head, vpn);
        }
    }

    /// <summary>Notifiers hear of every place the reverse map looks at, until the one where the folio is mapped.</summary>
    private void TellBeforeUnmapping(uint head, ulong vpn)
    {
        foreach (FolioPlace place in _memory.PlacesOf(head))
        {
            place.Space.Invalidate(place.Start, place.End, InvalidationEvent.Clear);
            if (place.Space == this && place.Start <= vpn && vpn < place.End)
            {
                return;
            }
        }
    }

    /// <summary>An anonymous page goes to the lowest free slot, or back to the slot it came from when it is clean and still cached there.</summary>
    private void SwapOut(uint pfn, ulong vpn)
    {
        if (_physical[pfn].SlotPlusOne == 0)
        {
            if (!_physical.Swap.TryTake(out uint taken))
            {
                return;
            }

            _physical.AddToSwapCache(pfn, taken);
            _physical[pfn].Set(FrameFlags.Dirty, true);
        }

        uint slot = _physical[pfn].SlotPlusOne - 1;
        TellBeforeUnmapping(pfn, vpn);
        ReplaceBySwapEntry(ref EntryAt(vpn), pfn, slot);
        WriteToSwap(pfn, slot);
    }

    private void ReplaceBySwapEntry(ref PageEntry entry, uint pfn, uint slot)
    {
        ref Frame frame = ref _physical[pfn];
        EntryFlags flags = entry.Flags & EntryFlags.SoftDirty;
        flags |= frame.Has(FrameFlags.AnonExclusive) ? EntryFlags.Exclusive : EntryFlags.None;
        if (entry.IsDirty)
        {
            _physical[_physical.HeadOf(pfn)].Set(FrameFlags.Dirty, true);
        }

        entry = new PageEntry(PageEntryKind.Swap, slot, flags);
        _physical.Swap.AddEntry(slot);
        _physical.RemoveMapping(pfn);
        frame.Set(FrameFlags.AnonExclusive, false);
        _physical.Put(pfn);
    }

    /// <summary>Writes a dirty page to its slot; then the frame is free unless somebody holds it, who keeps it in the swap cache.</summary>
    private void WriteToSwap(uint pfn, uint slot)
    {
        if (_physical[pfn].Has(FrameFlags.Dirty))
        {
            _physical.Swap.SetContent(slot, _physical.ContentOf(pfn));
            _physical[pfn].Set(FrameFlags.Dirty, false);
            _memory.Count.PagesSwappedOut++;
        }

        if (_physical[pfn].RefCount == 1)
        {
            _physical.DropFromSwapCache(pfn);
        }
    }

    /// <summary>A whole 2 MiB folio goes to 512 slots in a row; where there is no such run it is split and its pages go one by one.</summary>
    private void SwapOutHuge(Vma vma, uint head, ulong start)
    {
        ulong end = start + PageTables.PagesPerBlock;
        if (_physical[head].PinCount > 0 || !_physical.Swap.TryTakeBlock(out uint first))
        {
            if (TrySplitFolio(_memory, head))
            {
                PageOutBlock(vma, start, end);
            }

            return;
        }

        TellBeforeUnmapping(head, start);
        PmdTable pmd = _tables.FindPmdTable(start)!;
        if (PageTables.SlotOf(pmd, start).IsHuge)
        {
            SplitHugeEntry(ref PageTables.SlotOf(pmd, start), dirtyCountsAsSoftDirty: true);
        }

        for (uint i = 0; i < PageTables.PagesPerBlock; i++)
        {
            _physical.Swap.SetContent(first + i, _physical.ContentOf(head + i));
            ReplaceBySwapEntry(ref EntryAt(start + i), head + i, first + i);
            _memory.Count.PagesSwappedOut++;
        }
    }

    /// <summary>A lazily freed page is dropped if it was not written since; else it becomes an ordinary page again.</summary>
    private void DiscardLazyFree(uint head, ulong vpn, bool large)
    {
        ulong count = _physical.PagesInFolio(head);
        TellBeforeUnmapping(head, vpn);
        ref PmdSlot slot = ref PageTables.SlotOf(_tables.FindPmdTable(vpn)!, vpn);
        bool held = _physical[head].RefCount > _physical.FolioMapCount(head);
        if (large && slot.IsHuge)
        {
            if (!held && !slot.Huge.IsDirty && !_physical[head].Has(FrameFlags.Dirty))
            {
                ZapHuge(ref slot);
                return;
            }

            SplitHugeEntry(ref slot, dirtyCountsAsSoftDirty: true);
        }

        for (ulong i = 0; i < count; i++)
        {
            ref PageEntry entry = ref EntryAt(vpn + i);
            if (entry.IsDirty)
            {
                _physical[head].Set(FrameFlags.Dirty, true);
            }

            if (held || _physical[head].Has(FrameFlags.Dirty))
            {
                _physical[head].Set(FrameFlags.SwapBacked, true);
                return;
            }

            uint pfn = entry.Number;
            entry = default;
            _physical.RemoveMapping(pfn);
            _physical.Put(pfn);
        }
    }

    /// <summary>A file's page: unmapped always; dropped from the cache if clean, a dirty shmem page swapped out, a dirty disk page kept.</summary>
    private void ReclaimFilePage(Vma vma, uint pfn, ulong vpn)
    {
        PageFile file = vma.File!;
        ulong index = vma.IndexOf(vpn);
        TellBeforeUnmapping(pfn, vpn);
        ref PageEntry entry = ref EntryAt(vpn);
        if (entry.IsDirty)
        {
            _physical.MarkDirty(pfn);
        }

        entry = default;
        _physical.RemoveMapping(pfn);
        _physical.Put(pfn);
        if (_physical[pfn].RefCount > 1)
        {
            return;
        }

        if (!_physical[pfn].Has(FrameFlags.Dirty))
        {
            _memory.RemoveCachePage(file, index, pfn);
        }
        else if (file.Kind == FileKind.Memfd && _physical.Swap.TryTake(out uint slot))
        {
            _physical.Swap.SetContent(slot, _physical.ContentOf(pfn));
            _physical.Swap.AddEntry(slot);
            _memory.RemoveCachePage(file, index, pfn);
            file[index] = new CachedPage(CachedPageKind.Swapped, slot);
            _memory.Count.PagesSwappedOut++;
        }
        else if (file.Kind == FileKind.Disk)
        {
            _physical[pfn].Set(FrameFlags.ReadAheadMark, true);
        }
    }
}
