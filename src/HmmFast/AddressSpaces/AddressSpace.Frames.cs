using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>The reverse map: from a frame to every entry that holds it, and moving a page's identity for all of them.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Every entry that holds a frame, by address space in order of creation: those of this family for anonymous frames, all for a file's.</summary>
    internal void FindMappings(uint frame, List<Mapping> into)
    {
        into.Clear();
        ushort wanted = _frames.MapCount[frame];
        bool isAnonymous = (_frames.Flags[frame] & FrameFlags.Anonymous) != 0;
        uint index = _frames.ReverseMap[frame].Index;
        foreach (AddressSpace space in isAnonymous ? _family : _core.Spaces)
        {
            for (int i = 0; i < space._vmas.Count && into.Count < wanted; i++)
            {
                Vma vma = space._vmas[i];
                uint offset = index - (isAnonymous ? IndexOf(vma, vma.Start) : (uint)vma.PageOffset);
                if (offset >= vma.PageCount || (isAnonymous ? vma.IsShared : vma.File is null || vma.File.Object != _frames.ReverseMap[frame].Object))
                {
                    continue;
                }

                ulong vpn = vma.Start + offset;
                if (space.ClassAt(vpn, out uint number).HoldsFrame && number == frame)
                {
                    into.Add(new Mapping(space, vma, vpn));
                }
            }
        }
    }

    /// <summary>
    /// What the reverse map says of a private page of a VMA, if that can be told without asking the frame: where no fork lies between the VMA and its oldest ancestor,
    /// all its private pages are its own anon_vma's. Those of the pages behind it count up. Null where that cannot be told.
    /// </summary>
    /// <param name="vma">The VMA that the pages were in when they were collected: it may have been unmapped, cut or moved since. Null: it was unmapped.</param>
    /// <param name="vpn">The first page.</param>
    /// <param name="count">Pages.</param>
    private RmapEntry? PlaceOf(Vma? vma, ulong vpn, int count)
    {
        if (vma is not { Anon: { Parent: null } anon } || vpn < vma.Start || vpn + (ulong)count > vma.End)
        {
            return null;
        }

        uint index = IndexOf(vma, vpn);
        return index <= uint.MaxValue - (uint)count ? new RmapEntry(anon.Number, index) : null;
    }

    /// <summary>
    /// Where a folio may be mapped: the part of each VMA that covers some of its pages in its object. In the order the kernel finds them: by where the VMA
    /// begins in the object, of two that begin alike the one that took its place first. The list is reused by the next call.
    /// </summary>
    private List<Place> PlacesOf(uint head)
    {
        List<Place> places = _core.PlacesBuffer;
        places.Clear();
        FrameFlags flags = _frames.Flags[head];
        bool isAnonymous = (flags & FrameFlags.Anonymous) != 0;
        uint pageCount = (flags & FrameFlags.HugePart) != 0 ? (uint)BlockPages : 1;
        foreach (AddressSpace space in isAnonymous ? _family : _core.Spaces)
        {
            for (int i = 0; i < space._vmas.Count; i++)
            {
                Vma vma = space._vmas[i];
                bool isCandidate = isAnonymous ? vma.IsFoundFrom(_frames.ReverseMap[head].Object) : vma.File is not null && vma.File.Object == _frames.ReverseMap[head].Object;
                if (isCandidate && (flags & FrameFlags.Driver) == 0)
                {
                    uint firstIndex = isAnonymous ? IndexOf(vma, vma.Start) : (uint)vma.PageOffset;
                    AddPlace(places, space, vma, _frames.ReverseMap[head].Index - firstIndex, pageCount);
                }
            }
        }

        places.Sort(static (one, other) => one.Vma.PageOffset != other.Vma.PageOffset
            ? one.Vma.PageOffset.CompareTo(other.Vma.PageOffset)
            : one.Vma.Stamp.CompareTo(other.Vma.Stamp));
        return places;
    }

    /// <summary>Adds the part of a VMA whose indices are those of a folio's pages. Indices may wrap, so the distance of the first from the VMA's start is given.</summary>
    private static void AddPlace(List<Place> places, AddressSpace space, Vma vma, uint distance, uint pageCount)
    {
        if (distance < vma.PageCount)
        {
            places.Add(new Place(space, vma, vma.Start + distance, vma.Start + Math.Min(vma.PageCount, (ulong)distance + pageCount), 0));
        }
        else if (0 - distance < pageCount)
        {
            // The folio begins in front of the VMA.
            uint offset = 0 - distance;
            places.Add(new Place(space, vma, vma.Start, vma.Start + Math.Min(vma.PageCount, pageCount - offset), offset));
        }
    }

    /// <summary>Notifiers hear of every place the reverse map looks at, until the one where this address space maps the folio.</summary>
    private void TellBeforeUnmapping(uint head, ulong vpn)
    {
        foreach (Place place in PlacesOf(head))
        {
            place.Space.Invalidate(VpnRange.FromBounds(new Vpn(place.Start), new Vpn(place.End)), InvalidationEvent.Clear);
            if (place.Space == this && place.Start <= vpn && vpn < place.End)
            {
                return;
            }
        }
    }

    /// <summary>Every other entry of a page that is being moved becomes a migration entry too; notifiers hear of every place looked at until the last is gone.</summary>
    /// <param name="frame">The page.</param>
    /// <param name="others">Entries that are no migration entries yet.</param>
    internal void HoldOthers(uint frame, uint others)
    {
        if (others == 0)
        {
            return;
        }

        foreach (Place place in PlacesOf(frame))
        {
            place.Space.InvalidatePage(place.Start, InvalidationEvent.Clear);
            PageClass pageClass = place.Space.ClassAt(place.Start, out uint number);
            if (pageClass.HoldsFrame && pageClass.Kind != PageEntryKind.Migration && number == frame)
            {
                place.Space.HoldEntry(place.Start);
                if (--others == 0)
                {
                    return;
                }
            }
        }
    }

    /// <summary>
    /// A device-private page is touched by someone who cannot use it there: its driver brings it back to system memory, for everyone who maps it
    /// (<c>migrate_to_ram</c>). Takes no further access: the caller looks at the entry again.
    /// </summary>
    /// <returns>Done; OutOfMemory or, for a pinned page, SigBus with the page as it was.</returns>
    private FaultOutcome MigrateToRam(ulong vpn)
    {
        uint from = _pfn[vpn];
        Pagemap pagemap = _physical.PagemapOf(from)!;
        InvalidatePage(vpn, InvalidationEvent.Migrate, pagemap.Owner);
        HoldEntry(vpn);
        HoldOthers(from, _frames.MapCount[from] - 1u);
        FaultOutcome outcome = FaultOutcome.Done;
        uint to = 0;
        if (_physical.IsPinned(from))
        {
            outcome = FaultOutcome.SigBus;
        }
        else if (!_physical.TryTakeSystem(FrameFlags.InUse, out to))
        {
            outcome = FaultOutcome.OutOfMemory;
        }

        if (outcome != FaultOutcome.Done)
        {
            RestoreHeld(vpn, from);
            return outcome;
        }

        if (_physical.TracksContent)
        {
            _frames.Content[to] = _frames.Content[from];
        }

        MoveHeld(vpn, from, to);
        RestoreHeld(vpn, to);
        _core.Counters.PagesMigratedToSystem++;
        _core.Counters.MigrateToRamFaults++;
        _physical.Unused(from);
        pagemap.Ops?.MigratedToRam(Handle!, new Vpn(vpn), new Pfn(from), new Pfn(to));
        return FaultOutcome.Done;
    }
}
