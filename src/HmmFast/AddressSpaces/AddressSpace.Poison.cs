using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Pages that HMM can never give: those whose memory failed, and those without struct page.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>memory_failure of an anonymous page: markers wherever it is mapped, and its frame is out of use.</summary>
    public HmmStatus Poison(Vpn page)
    {
        ulong vpn = page.Value;
        if (!TryFindAnonymous(vpn, out uint frame))
        {
            return HmmStatus.Invalid;
        }

        if ((_frames.Flags[frame] & FrameFlags.HugePart) != 0)
        {
            if (!TrySplitFolio(_physical.HeadOf(frame)))
            {
                return HmmStatus.Busy;
            }

            // The split lets the zero page stand for a page of zeroes.
            if (!TryFindAnonymous(vpn, out frame))
            {
                return HmmStatus.Invalid;
            }
        }

        List<Place> places = PlacesOf(frame);
        if ((_frames.Flags[frame] & (FrameFlags.Pinned | FrameFlags.SwapCache)) != 0 || IsExclusiveAnywhere(places, frame))
        {
            return HmmStatus.Busy;
        }

        byte marker = _classes.Intern(new PageClass(PageEntryKind.Marker, EntryBits.None));
        for (int i = 0; i < places.Count && _frames.MapCount[frame] > 0; i++)
        {
            AddressSpace space = places[i].Space;
            ulong at = places[i].Start;
            space.InvalidatePage(at, InvalidationEvent.Clear);
            if (space.ClassAt(at, out uint number).HoldsFrame && number == frame)
            {
                space.SetEntry(at, marker, 0);
                _frames.MapCount[frame]--;
            }
        }

        _frames.Flags[frame] = FrameFlags.InUse | FrameFlags.Poisoned;
        return HmmStatus.Ok;
    }

    /// <summary>Puts numbers without struct page where a driver's mapping is empty.</summary>
    public HmmStatus InsertMixed(VpnRange range, Pfn first)
    {
        Vma? vma = range.IsEmpty ? null : _vmas.Find(range.Start.Value);
        if (vma is not { Kind: MappingKind.DriverMixed } || range.End.Value > vma.End)
        {
            return HmmStatus.Invalid;
        }

        byte special = _classes.Present(EntryBits.Special);
        for (ulong i = 0; i < range.PageCount; i++)
        {
            ulong vpn = range.Start.Value + i;
            _columns.EnsureTable(vpn / BlockPages);
            if (_class[vpn] == 0)
            {
                SetEntry(vpn, special, (uint)(first.Value + i));
            }
        }

        return HmmStatus.Ok;
    }

    private bool TryFindAnonymous(ulong vpn, out uint frame)
    {
        PageClass pageClass = ClassAt(vpn, out frame);
        return pageClass is { IsPresent: true, HoldsFrame: true } && (_frames.Flags[frame] & FrameFlags.Anonymous) != 0 && _physical.PagemapOf(frame) is null;
    }

    private static bool IsExclusiveAnywhere(List<Place> places, uint frame)
    {
        foreach (Place place in places)
        {
            if (place.Space.ClassAt(place.Start, out uint number).Kind == PageEntryKind.DeviceExclusive && number == frame)
            {
                return true;
            }
        }

        return false;
    }
}
