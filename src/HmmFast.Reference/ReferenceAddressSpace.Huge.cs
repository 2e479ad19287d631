namespace HmmFast.Reference;

/// <summary>2 MiB entries: fault, reuse, split, and what zapping one does.</summary>
internal sealed partial class ReferenceAddressSpace
{
    /// <summary>Splits the folio (not only one mapping of it) into single pages, for everyone; false when somebody holds it beyond its mappings.</summary>
    /// <remarks>A page without any mapping is freed; a page that holds only zeroes gives way to the zero page wherever it was mapped.</remarks>
    public static bool TrySplitFolio(ReferenceMemorySystem memory, uint head)
    {
        PhysicalMemory physical = memory.Physical;
        if (physical[head].RefCount != physical.FolioMapCount(head))
        {
            return false;
        }

        List<FolioPlace> places = memory.PlacesOf(head);
        int mapped = physical.FolioMapCount(head);
        for (int i = 0; i < places.Count && mapped > 0; i++)
        {
            places[i].Space.InvalidateBlock(places[i].Start);
            places[i].Space.Invalidate(places[i].Start, places[i].End, InvalidationEvent.Clear);
            mapped -= places[i].Space.FreezeForSplit(places[i], head);
        }

        bool dirty = physical[head].Has(FrameFlags.Dirty);

        SplitFrames(physical, head, dirty);
        foreach ((ReferenceAddressSpace space, Vma vma, ulong start, ulong end) in places)
        {
            space.RemapAfterSplit(vma, start, end, head);
        }

        for (uint pfn = head; pfn < head + PageTables.PagesPerBlock; pfn++)
        {
            physical.Put(pfn);
        }

        return true;
    }

    /// <summary>Splits one mapping of a 2 MiB page into a table of pages; the folio stays one.</summary>
    private void SplitHugeMapping(ulong vpn)
    {
        InvalidateBlock(vpn);
        SplitHugeEntry(ref PageTables.SlotOf(_tables.FindPmdTable(vpn)!, vpn), dirtyCountsAsSoftDirty: true);
    }

    /// <summary>A new border inside a 2 MiB block that lay in the VMA as a whole: notifiers hear of the block, and a 2 MiB mapping is split.</summary>
    private void SplitHugeAcross(Vma vma, ulong border)
    {
        if (PageTables.IndexInTable(border) == 0 || !vma.HoldsBlock(border))
        {
            return;
        }

        if (_tables.IsHuge(border))
        {
            SplitHugeMapping(border);
        }
        else if (_tables.FindPmdTable(border) is not null)
        {
            InvalidateBlock(border);
        }
    }

    /// <summary>Splitting a 2 MiB mapping is told before it is looked whether there is one.</summary>
    private void InvalidateBlock(ulong vpn)
    {
        ulong block = vpn & ~(PageTables.PagesPerBlock - 1);
        Invalidate(block, block + PageTables.PagesPerBlock, InvalidationEvent.Clear);
    }

    /// <summary>Replaces a 2 MiB entry by 512 single ones. Marking them dirty marks them soft-dirty too, unless the folio is being split.</summary>
    private void SplitHugeEntry(ref PmdSlot slot, bool dirtyCountsAsSoftDirty)
    {
        _memory.Count.HugeSplits++;
        PageEntry huge = slot.Huge;
        slot.Huge = default;
        slot.Table = new PageTable();
        if (_physical.IsHugeZero(huge.Number))
        {
            Array.Fill(slot.Table.Entries, new PageEntry(PageEntryKind.Present, PhysicalMemory.ZeroFrame, EntryFlags.None));
            return;
        }

        EntryFlags flags = huge.Flags & (EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty);
        if (dirtyCountsAsSoftDirty && huge.IsDirty)
        {
            flags |= EntryFlags.SoftDirty;
        }

        bool exclusive = _physical[huge.Number].Has(FrameFlags.AnonExclusive);
        ref LargeFolio folio = ref _physical.LargeOf(huge.Number);
        folio.EntireMapCount--;
        folio.TotalMapCount += (int)PageTables.PagesPerBlock - 1;
        _physical[huge.Number].RefCount += (int)PageTables.PagesPerBlock - 1;
        for (uint i = 0; i < PageTables.PagesPerBlock; i++)
        {
            ref Frame frame = ref _physical[huge.Number + i];
            frame.MapCount++;
            frame.Set(FrameFlags.AnonExclusive, exclusive);
            slot.Table.Entries[i] = new PageEntry(PageEntryKind.Present, huge.Number + i, flags);
        }
    }

    /// <summary>An empty block where huge pages are wanted: the huge zero page for a read, a new folio for a write. False: fall back to small pages.</summary>
    private bool TryHugeAnonymousFault(Vma vma, ulong vpn, bool write, ref PmdSlot slot)
    {
        _vmas.PrepareAnon(vma);
        if (!write)
        {
            slot.Huge = new PageEntry(PageEntryKind.Present, _physical.HugeZeroFrame, EntryFlags.None);
            _memory.Count.ZeroPageFaults++;
            return true;
        }

        if (!_physical.TryAllocateLarge(out uint head))
        {
            return false;
        }

        MapNewHuge(vma, vpn & ~(PageTables.PagesPerBlock - 1), ref slot, head);
        return true;
    }

    private void MapNewHuge(Vma vma, ulong block, ref PmdSlot slot, uint head)
    {
        _physical[head].Flags |= FrameFlags.Anonymous | FrameFlags.SwapBacked | FrameFlags.AnonExclusive;
        _physical[head].Index = vma.IndexOf(block);
        _physical[head].AnonNumber = vma.Anon!.Number;
        _physical.LargeOf(head) = new LargeFolio { EntireMapCount = 1, TotalMapCount = 1 };
        EntryFlags flags = EntryFlags.Dirty | EntryFlags.SoftDirty | (vma.CanWrite ? EntryFlags.Writable : EntryFlags.None);
        slot.Huge = new PageEntry(PageEntryKind.Present, head, flags);
    }

    /// <summary>A write to a read-only 2 MiB page: reused when it is this mapping's alone; else the mapping is split and small pages are copied.</summary>
    private bool TryReuseHuge(Vma vma, ref PmdSlot slot)
    {
        uint head = slot.Huge.Number;
        if (_physical.IsHugeZero(head) || !(_physical[head].Has(FrameFlags.AnonExclusive) || _physical[head].RefCount == 1))
        {
            return false;
        }

        _physical[head].Set(FrameFlags.AnonExclusive, true);
        _physical[head].AnonNumber = vma.Anon!.Number;
        slot.Huge.Flags |= EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty;
        return true;
    }

    private void ZapHuge(ref PmdSlot slot)
    {
        uint head = slot.Huge.Number;
        slot.Huge = default;
        RemoveHugeMapping(head);
    }

    private void RemoveHugeMapping(uint head)
    {
        if (_physical.IsHugeZero(head))
        {
            return;
        }

        ref LargeFolio folio = ref _physical.LargeOf(head);
        folio.EntireMapCount--;
        folio.TotalMapCount--;
        _physical.Put(head);
    }

    /// <summary>Makes sure that the folio is mapped by single entries here, and notes if any is dirty. Answers how many entries mapped it.</summary>
    private int FreezeForSplit(FolioPlace place, uint head)
    {
        int mapped = 0;
        PmdTable? pmd = _tables.FindPmdTable(place.Start);
        bool huge = pmd is not null && PageTables.SlotOf(pmd, place.Start) is { IsHuge: true } slot && slot.Huge.Number == head;
        if (huge)
        {
            SplitHugeEntry(ref PageTables.SlotOf(pmd!, place.Start), dirtyCountsAsSoftDirty: false);
        }

        for (ulong vpn = place.Start; vpn < place.End; vpn++)
        {
            PageEntry entry = _tables.Read(vpn);
            if (entry.IsPresent && entry.Number == PageOfFolioAt(place.Vma, vpn, head))
            {
                mapped++;
                _physical[head].Set(FrameFlags.Dirty, _physical[head].Has(FrameFlags.Dirty) || entry.IsDirty);
            }
        }

        return huge ? 1 : mapped;
    }

    private uint PageOfFolioAt(Vma vma, ulong vpn, uint head) => head + (uint)(vma.IndexOf(vpn) - _physical[head].Index);

    /// <summary>Puts single pages where the folio was mapped; zero-filled ones give way to the zero page.</summary>
    private void RemapAfterSplit(Vma vma, ulong start, ulong end, uint head)
    {
        for (ulong vpn = start; vpn < end; vpn++)
        {
            uint pfn = PageOfFolioAt(vma, vpn, head);
            PageEntry entry = _tables.Read(vpn);
            if (!entry.IsPresent || entry.Number != pfn)
            {
                continue;
            }

            if (_physical.TracksContent && _physical.ContentOf(pfn) == 0)
            {
                EntryAt(vpn) = new PageEntry(PageEntryKind.Present, PhysicalMemory.ZeroFrame, entry.Flags & EntryFlags.SoftDirty);
                _physical.RemoveMapping(pfn);
                _physical.Put(pfn);
            }
        }
    }

    /// <summary>Makes 512 single pages of a folio. Each gets one reference a mapping, and one more that the caller drops.</summary>
    private static void SplitFrames(PhysicalMemory physical, uint head, bool dirty)
    {
        FrameFlags shared = physical[head].Flags & (FrameFlags.Anonymous | FrameFlags.SwapBacked);
        ulong index = physical[head].Index;
        int anon = physical[head].AnonNumber;
        physical.LargeOf(head) = default;
        for (uint i = 0; i < PageTables.PagesPerBlock; i++)
        {
            ref Frame frame = ref physical[head + i];
            frame.Flags = (frame.Flags & ~FrameFlags.Large) | shared;
            frame.Set(FrameFlags.Dirty, dirty);
            frame.Index = index + i;
            frame.AnonNumber = anon;
            frame.RefCount = frame.MapCount + 1;
        }
    }
}
