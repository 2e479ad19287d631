using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>2 MiB entries: split into a table, folios split into pages.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>A new border inside a 2 MiB block that lay in the VMA as a whole: notifiers hear of the block, and a 2 MiB entry is split.</summary>
    internal void SplitHugeAcross(Vma vma, ulong border)
    {
        ulong block = border / BlockPages;
        if (border % BlockPages == 0 || block * BlockPages < vma.Start || (block + 1) * BlockPages > vma.End)
        {
            return;
        }

        if (_block[block].Kind == BlockKind.Huge)
        {
            SplitHugeEntry(block);
        }
        else if (_columns.Gibibyte[border / PageOrder.PagesPerGibibyte] != 0)
        {
            InvalidateBlock(block);
        }
    }

    /// <summary>Splitting a 2 MiB entry is told before it is looked whether there is one.</summary>
    private void InvalidateBlock(ulong block) => Invalidate(new VpnRange(new Vpn(block * BlockPages), BlockPages), InvalidationEvent.Clear);

    /// <summary>
    /// Turns a 2 MiB entry into a table of 512 entries that say the same. The folio stays one; a huge zero page becomes 512 small ones.
    /// </summary>
    internal void SplitHugeEntry(ulong block)
    {
        InvalidateBlock(block);
        SplitHugeEntryQuietly(block, dirtyIsSoftDirty: true);
    }

    /// <summary>The split itself. Marking single entries dirty marks them soft-dirty too, unless the folio is being split.</summary>
    private void SplitHugeEntryQuietly(ulong block, bool dirtyIsSoftDirty)
    {
        BlockDescriptor descriptor = _block[block];
        PageClass old = _classes[descriptor.Class];
        ulong first = block * BlockPages;
        byte id = old.IsZero ? _classes.Present(EntryBits.Zero) : _classes.Change(descriptor.Class, dirtyIsSoftDirty && old.IsDirty ? EntryBits.SoftDirty : EntryBits.None, EntryBits.Huge);
        _core.Counters.HugeSplits++;
        new Span<byte>(_class + first, (int)BlockPages).Fill(id);
        if (old.IsZero)
        {
            new Span<uint>(_pfn + first, (int)BlockPages).Clear();
        }
        else
        {
            _core.Kernels.CountUp(new Span<uint>(_pfn + first, (int)BlockPages), descriptor.Frame);
            _frames.FolioEntries[descriptor.Frame / BlockPages]--;
        }

        _block[block] = BlockDescriptor.Table;
    }

    /// <summary>
    /// Splits a 2 MiB folio into pages for everyone who maps it. Pages that hold only zeroes are dropped and the zero page is mapped in their stead.
    /// </summary>
    /// <returns>False when a pin or a device's exclusive entry holds the folio together.</returns>
    internal bool TrySplitFolio(uint head)
    {
        if (_physical.IsFolioHeld(head))
        {
            return false;
        }

        List<Mapping> mappings = _core.MappingsBuffer;
        List<Place> places = PlacesOf(head);
        uint mapped = _physical.FolioMapCount(head);
        for (int i = 0; i < places.Count && mapped > 0; i++)
        {
            Place place = places[i];
            place.Space.InvalidateBlock(place.Start / BlockPages);
            place.Space.Invalidate(VpnRange.FromBounds(new Vpn(place.Start), new Vpn(place.End)), InvalidationEvent.Clear);
            mapped -= place.Space.FreezeForSplit(place, head);
        }

        FrameFlags dirty = _frames.Flags[head] & FrameFlags.Dirty;
        uint anon = _frames.ReverseMap[head].Object;
        for (uint i = 0; i < BlockPages; i++)
        {
            uint frame = head + i;
            bool isZero = _physical.TracksContent && _frames.Content[frame] == 0;
            if (isZero && _frames.MapCount[frame] > 0)
            {
                FindMappings(frame, mappings);
                foreach (Mapping mapping in mappings)
                {
                    EntryBits kept = mapping.Space.ClassAt(mapping.Vpn, out _).Bits & EntryBits.SoftDirty;
                    mapping.Space.SetEntry(mapping.Vpn, _classes.Present(EntryBits.Zero | kept), 0);
                    _frames.MapCount[frame]--;
                }
            }

            _frames.Flags[frame] = (_frames.Flags[frame] & ~(FrameFlags.HugePart | FrameFlags.Dirty)) | dirty;
            _frames.ReverseMap[frame].Object = anon;
            if (_frames.MapCount[frame] == 0)
            {
                _physical.Unused(frame);
            }
        }

        _frames.FolioMaps[head / BlockPages] = 0;
        _frames.FolioEntries[head / BlockPages] = 0;
        return true;
    }

    /// <summary>Makes sure that a folio is mapped by single entries at a place, and notes if any is dirty. Answers how many entries mapped it.</summary>
    private uint FreezeForSplit(Place place, uint head)
    {
        ulong block = place.Start / BlockPages;
        bool isHuge = _block[block].Kind == BlockKind.Huge && _block[block].Frame == head;
        if (isHuge)
        {
            SplitHugeEntryQuietly(block, dirtyIsSoftDirty: false);
        }

        uint mapped = 0;
        for (ulong vpn = place.Start; vpn < place.End; vpn++)
        {
            PageClass pageClass = ClassAt(vpn, out uint number);
            if (pageClass.IsPresent && number == head + place.Offset + (uint)(vpn - place.Start))
            {
                mapped++;
                _frames.Flags[head] |= pageClass.IsDirty ? FrameFlags.Dirty : FrameFlags.None;
            }
        }

        return isHuge ? 1 : mapped;
    }
}
