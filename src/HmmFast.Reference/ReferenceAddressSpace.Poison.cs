namespace HmmFast.Reference;

/// <summary>Pages that fail, and pages without struct page.</summary>
internal sealed partial class ReferenceAddressSpace
{
    public HmmStatus Poison(Vpn page)
    {
        CheckRange(new VpnRange(page, 1));
        if (!IsAnonymousPage(page.Value))
        {
            return HmmStatus.Invalid;
        }

        uint pfn = _tables.Read(page.Value).Number;
        if (_physical[pfn].Has(FrameFlags.Large))
        {
            if (!TrySplitFolio(_memory, _physical.HeadOf(pfn)))
            {
                return HmmStatus.Busy;
            }

            if (!IsAnonymousPage(page.Value))
            {
                return HmmStatus.Invalid;
            }
        }

        return Fail(pfn);
    }

    public HmmStatus InsertMixed(VpnRange range, Pfn first)
    {
        CheckRange(range);
        for (ulong i = 0; i < range.PageCount; i++)
        {
            ulong number = first.Value + i;
            if (number > uint.MaxValue || HasStructPage((uint)number))
            {
                throw new ArgumentOutOfRangeException(nameof(first), first, $"Page {i} would get number 0x{number:x}, which has a struct page or more than 32 bits.");
            }
        }

        Vma? vma = _vmas.Find(range.Start.Value);
        if (range.IsEmpty || vma is null || vma.Kind != MappingKind.DriverMixed || range.End.Value > vma.End)
        {
            return HmmStatus.Invalid;
        }

        for (ulong i = 0; i < range.PageCount; i++)
        {
            ulong vpn = range.Start.Value + i;
            ref PageEntry entry = ref _tables.EnsureTable(vpn).Entries[PageTables.IndexInTable(vpn)];
            if (entry.IsNone)
            {
                entry = new PageEntry(PageEntryKind.Present, (uint)(first.Value + i), EntryFlags.Special);
            }
        }

        return HmmStatus.Ok;
    }

    private bool HasStructPage(uint number) =>
        number == PhysicalMemory.ZeroFrame || _physical.System.Contains(number) || _physical.IsHugeZero(number) || _physical.DeviceOf(number) is not null;

    /// <summary>A present page of anonymous system memory, the only kind that is made to fail here.</summary>
    private bool IsAnonymousPage(ulong vpn)
    {
        PageEntry entry = _tables.Read(vpn);
        return entry.IsPresent && !entry.IsSpecial && _physical.DeviceOf(entry.Number) is null && _physical[_physical.HeadOf(entry.Number)].Has(FrameFlags.Anonymous);
    }

    /// <summary>memory_failure: the reference it takes is never dropped; each mapping makes way for a marker.</summary>
    private HmmStatus Fail(uint pfn)
    {
        if (_physical[pfn].RefCount != _physical[pfn].MapCount)
        {
            return HmmStatus.Busy;
        }

        _physical.Get(pfn);
        foreach (FolioPlace place in _memory.PlacesOf(pfn))
        {
            place.Space.Invalidate(place.Start, place.Start + 1, InvalidationEvent.Clear);
            PageEntry entry = place.Space._tables.Read(place.Start);
            if (entry.HoldsFrame && entry.Number == pfn)
            {
                place.Space.EntryAt(place.Start) = new PageEntry(PageEntryKind.Marker, 0, EntryFlags.None);
                _physical.RemoveMapping(pfn);
                _physical.Put(pfn);
            }

            if (_physical[pfn].MapCount == 0)
            {
                break;
            }
        }

        _physical[pfn].Flags = FrameFlags.InUse | FrameFlags.Poisoned;
        return HmmStatus.Ok;
    }
}
