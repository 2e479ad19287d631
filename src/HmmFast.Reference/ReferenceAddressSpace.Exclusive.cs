namespace HmmFast.Reference;

/// <summary>make_device_exclusive_range.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private HmmStatus MakeExclusive(ulong start, ulong end, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount)
    {
        pages.Fill(Pfn.None);
        HmmStatus status = HmmStatus.Ok;
        int taken = 0;
        for (ulong vpn = start; vpn < end && status == HmmStatus.Ok; vpn++)
        {
            status = TakeWritablePage(vpn, out uint pfn);
            if (status == HmmStatus.Ok)
            {
                pages[taken++] = new Pfn(pfn);
            }
        }

        faultedPageCount = (ulong)taken;
        for (int i = 0; i < taken; i++)
        {
            uint pfn = (uint)pages[i].Value;
            bool made = _physical.HeadOf(pfn) == pfn && TryMakeFolioExclusive(pfn, start + (ulong)i, owner);
            _physical.Put(pfn);
            if (!made)
            {
                pages[i] = Pfn.None;
            }
        }

        return taken > 0 ? HmmStatus.Ok : status;
    }

    /// <summary>get_user_pages for one page, for writing, with any 2 MiB mapping split: faults until it is there, then takes a reference.</summary>
    private HmmStatus TakeWritablePage(ulong vpn, out uint pfn)
    {
        pfn = 0;
        while (true)
        {
            Vma? vma = _vmas.Find(vpn);
            if (vma is null || vma.HasNoPages || !vma.CanWrite)
            {
                return HmmStatus.Fault;
            }

            if (_tables.IsHuge(vpn))
            {
                SplitHugeMapping(vpn);
            }

            PageEntry entry = _tables.Read(vpn);
            if (entry.IsPresent && entry.IsWritable)
            {
                pfn = entry.Number;
                if (!entry.IsDirty)
                {
                    _physical[_physical.HeadOf(pfn)].Set(FrameFlags.Dirty, true);
                }

                _physical.Get(pfn);
                return HmmStatus.Ok;
            }

            switch (HandleFault(vma, vpn, write: true))
            {
                case FaultOutcome.SigBus:
                    return HmmStatus.Fault;
                case FaultOutcome.OutOfMemory:
                    return HmmStatus.OutOfMemory;
                case FaultOutcome.Wait:
                    return HmmStatus.Busy;
            }
        }
    }

    /// <summary>Makes every mapping of the folio exclusive; true when the asked page became so and nothing maps the folio any more.</summary>
    private bool TryMakeFolioExclusive(uint head, ulong vpn, OwnerId owner)
    {
        if (!_physical[head].Has(FrameFlags.Anonymous))
        {
            return false;
        }

        bool valid = false;
        bool goOn = true;
        foreach (FolioPlace place in _memory.PlacesOf(head))
        {
            if (!goOn || _physical.FolioMapCount(head) == 0)
            {
                break;
            }

            place.Space.Invalidate(place.Start, place.End, InvalidationEvent.Exclusive, owner);
            goOn = place.Space.MakePlaceExclusive(place, head, place.Space == this ? vpn : ulong.MaxValue, ref valid);
        }

        return valid && _physical.FolioMapCount(head) == 0;
    }

    /// <summary>One place of the reverse map, page by page. False: a page of the folio is exclusive already, which ends the walk.</summary>
    private bool MakePlaceExclusive(FolioPlace place, uint head, ulong asked, ref bool valid)
    {
        for (ulong vpn = place.Start; vpn < place.End; vpn++)
        {
            PageEntry entry = _tables.Read(vpn);
            if (entry.Number != PageOfFolioAt(place.Vma, vpn, head))
            {
                continue;
            }

            if (entry.Kind == PageEntryKind.DeviceExclusive)
            {
                return false;
            }

            if (entry.IsPresent)
            {
                MakeEntryExclusive(ref EntryAt(vpn));
                valid |= vpn == asked;
            }
        }

        return true;
    }

    /// <summary>The page keeps its frame and the entry's reference; it only stops being mapped.</summary>
    private void MakeEntryExclusive(ref PageEntry entry)
    {
        if (entry.IsDirty)
        {
            _physical[_physical.HeadOf(entry.Number)].Set(FrameFlags.Dirty, true);
        }

        entry = new PageEntry(PageEntryKind.DeviceExclusive, entry.Number, entry.Flags & (EntryFlags.Writable | EntryFlags.SoftDirty));
        _physical.RemoveMapping(entry.Number);
        _physical[entry.Number].Set(FrameFlags.HeldExclusively, true);
    }
}
