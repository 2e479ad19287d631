using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>make_device_exclusive_range.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Faults pages in for write, then makes the entries of anonymous ones exclusive to a device.</summary>
    public HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount)
    {
        pages.Fill(Pfn.None);
        HmmStatus status = FaultForWrite(range, out ulong end);
        ulong start = range.Start.Value;
        faultedPageCount = end - start;
        if (end == start)
        {
            return status;
        }

        for (ulong vpn = start; vpn < end; vpn++)
        {
            // The frames were taken before any page was made exclusive; entries keep their frames, so looking now gives the same.
            uint frame = _pfn[vpn];
            if (_physical.HeadOf(frame) == frame && TryMakeExclusive(frame, vpn, owner))
            {
                pages[(int)(vpn - start)] = new Pfn(frame);
            }
        }

        return HmmStatus.Ok;
    }

    /// <summary>Faults a range for write page by page and stops at the first page that cannot be had; 2 MiB entries are split.</summary>
    private HmmStatus FaultForWrite(VpnRange range, out ulong end)
    {
        for (end = range.Start.Value; end < range.End.Value; end++)
        {
            Vma? vma = _vmas.Find(end);
            if (vma is null || !vma.CanWrite || vma.IsUnfaultable)
            {
                return HmmStatus.Fault;
            }

            while (true)
            {
                ulong block = end / BlockPages;
                if (_block[block].Kind == BlockKind.Huge)
                {
                    SplitHugeEntry(block);
                }

                PageClass pageClass = ClassAt(end, out _);
                if (pageClass.IsPresent && pageClass.IsWritable)
                {
                    if (!pageClass.IsDirty)
                    {
                        _frames.Flags[_physical.HeadOf(_pfn[end])] |= FrameFlags.Dirty;
                    }

                    break;
                }

                FaultOutcome outcome = HandleFault(vma, end, write: true);
                if (outcome != FaultOutcome.Done)
                {
                    return StatusOf(outcome);
                }
            }
        }

        return HmmStatus.Ok;
    }

    internal static HmmStatus StatusOf(FaultOutcome outcome) => outcome switch
    {
        FaultOutcome.Done => HmmStatus.Ok,
        FaultOutcome.OutOfMemory => HmmStatus.OutOfMemory,
        FaultOutcome.Busy => HmmStatus.Busy,
        _ => HmmStatus.Fault,
    };

    /// <summary>
    /// A page goes alone, a 2 MiB folio as a whole, with every page of it that is still mapped, wherever that is. True when the asked page became exclusive and
    /// nothing maps the folio any more.
    /// </summary>
    private bool TryMakeExclusive(uint head, ulong asked, OwnerId owner)
    {
        if ((_frames.Flags[head] & FrameFlags.Anonymous) == 0)
        {
            return false;
        }

        bool isMade = false;
        bool goesOn = true;
        foreach (Place place in PlacesOf(head))
        {
            if (!goesOn || _physical.FolioMapCount(head) == 0)
            {
                break;
            }

            place.Space.Invalidate(VpnRange.FromBounds(new Vpn(place.Start), new Vpn(place.End)), InvalidationEvent.Exclusive, owner);
            goesOn = place.Space.MakePlaceExclusive(place, head, place.Space == this ? asked : ulong.MaxValue, ref isMade);
        }

        return isMade && _physical.FolioMapCount(head) == 0;
    }

    /// <summary>One place of the reverse map, page by page. False: a page of the folio is exclusive already, which ends the walk.</summary>
    private bool MakePlaceExclusive(Place place, uint head, ulong asked, ref bool isMade)
    {
        for (ulong vpn = place.Start; vpn < place.End; vpn++)
        {
            PageClass old = ClassAt(vpn, out uint number);
            if (number != head + place.Offset + (uint)(vpn - place.Start))
            {
                continue;
            }

            if (old.Kind == PageEntryKind.DeviceExclusive)
            {
                return false;
            }

            if (!old.IsPresent || !old.HoldsFrame)
            {
                continue;
            }

            if (old.IsDirty)
            {
                _frames.Flags[head] |= FrameFlags.Dirty;
            }

            EntryBits bits = old.Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
            _class[vpn] = _classes.Intern(new PageClass(PageEntryKind.DeviceExclusive, bits));
            _physical.BeginHold(number);
            isMade |= vpn == asked;
        }

        return true;
    }
}
