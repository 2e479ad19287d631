using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>2 MiB entries: split into a table, folios split into pages.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Splits the 2 MiB entry that a page border lies inside of, if there is one: VMA borders never do.</summary>
    private void SplitHugeAt(ulong vpn)
    {
        if (vpn % BlockPages != 0 && _core.Options.Window.Contains(new Vpn(vpn)) && _block[vpn / BlockPages].Kind == BlockKind.Huge)
        {
            SplitHugeEntry(vpn / BlockPages);
        }
    }

    /// <summary>
    /// Turns a 2 MiB entry into a table of 512 entries that say the same. The folio stays one; a huge zero page becomes 512 small ones.
    /// </summary>
    internal void SplitHugeEntry(ulong block)
    {
        Invalidate(new VpnRange(new Vpn(block * BlockPages), BlockPages), InvalidationEvent.Clear);
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
        if (_physical.IsFolioPinned(head) || HasExclusiveEntry(head))
        {
            return false;
        }

        List<Mapping> mappings = _core.MappingsBuffer;
        byte zero = _classes.Present(EntryBits.Zero);
        NotifyPlaces(head, (uint)BlockPages, InvalidationEvent.Clear);
        foreach (AddressSpace space in _family)
        {
            space.SplitEntriesOf(head);
        }

        FrameFlags dirty = _frames.Flags[head] & FrameFlags.Dirty;
        for (uint i = 0; i < BlockPages && dirty == 0; i++)
        {
            FindMappings(head + i, mappings);
            foreach (Mapping mapping in mappings)
            {
                dirty |= mapping.Space.ClassAt(mapping.Vpn, out _).IsDirty ? FrameFlags.Dirty : FrameFlags.None;
            }
        }

        for (uint i = 0; i < BlockPages; i++)
        {
            uint frame = head + i;
            bool isZero = _physical.TracksContent && _frames.Content[frame] == 0;
            if (isZero && _frames.MapCount[frame] > 0)
            {
                FindMappings(frame, mappings);
                foreach (Mapping mapping in mappings)
                {
                    mapping.Space.SetEntry(mapping.Vpn, zero, 0);
                    _frames.MapCount[frame]--;
                }
            }

            _frames.Flags[frame] = (_frames.Flags[frame] & ~(FrameFlags.HugePart | FrameFlags.Dirty)) | dirty;
            if (_frames.MapCount[frame] == 0)
            {
                _physical.Unused(frame);
            }
        }

        _frames.FolioMaps[head / BlockPages] = 0;
        _frames.FolioEntries[head / BlockPages] = 0;
        return true;
    }

    private bool HasExclusiveEntry(uint head)
    {
        List<Mapping> mappings = _core.MappingsBuffer;
        for (uint i = 0; i < BlockPages; i++)
        {
            FindMappings(head + i, mappings);
            foreach (Mapping mapping in mappings)
            {
                if (mapping.Space.ClassAt(mapping.Vpn, out _).Kind == PageEntryKind.DeviceExclusive)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Tells every VMA that a walk of the reverse map comes by: those that could hold some of a folio's pages, whether they do or not.
    /// </summary>
    private void NotifyPlaces(uint head, uint pageCount, InvalidationEvent why, OwnerId owner = default)
    {
        bool isAnonymous = (_frames.Flags[head] & FrameFlags.Anonymous) != 0;
        foreach (AddressSpace space in isAnonymous ? _family : _core.Spaces)
        {
            for (int i = 0; i < space._vmas.Count; i++)
            {
                Vma vma = space._vmas[i];
                bool isCandidate = isAnonymous ? !vma.IsShared && vma.AnonVma != 0 : vma.File is not null && vma.File.Object == _frames.Object[head];
                uint firstIndex = isAnonymous ? IndexOf(vma, vma.Start) : (uint)vma.PageOffset;
                if (isCandidate && PlaceOf(vma, _frames.Index[head] - firstIndex, pageCount, out VpnRange range))
                {
                    space.Invalidate(range, why, owner);
                }
            }
        }
    }

    /// <summary>The part of a VMA whose indices are those of a folio's pages. Indices may wrap, so the first page's distance from the VMA's start is given.</summary>
    private static bool PlaceOf(Vma vma, uint offset, uint pageCount, out VpnRange range)
    {
        range = default;
        ulong first;
        ulong last;
        if (offset < vma.PageCount)
        {
            first = offset;
            last = Math.Min(vma.PageCount, (ulong)offset + pageCount);
        }
        else if (uint.MaxValue - offset < pageCount - 1)
        {
            // The folio begins in front of the VMA.
            first = 0;
            last = Math.Min(vma.PageCount, pageCount - (ulong)(0 - offset));
        }
        else
        {
            return false;
        }

        range = new VpnRange(new Vpn(vma.Start + first), last - first);
        return true;
    }

    /// <summary>Splits this address space's 2 MiB entries of a folio; the caller has notified.</summary>
    private void SplitEntriesOf(uint head)
    {
        for (int i = 0; i < _vmas.Count; i++)
        {
            Vma vma = _vmas[i];
            uint offset = _frames.Index[head] - IndexOf(vma, vma.Start);
            if (vma.IsShared || offset >= vma.PageCount || offset + BlockPages > vma.PageCount)
            {
                continue;
            }

            ulong vpn = vma.Start + offset;
            if (vpn % BlockPages == 0 && _block[vpn / BlockPages].Kind == BlockKind.Huge && _block[vpn / BlockPages].Frame == head)
            {
                SplitHugeEntryQuietly(vpn / BlockPages, dirtyIsSoftDirty: false);
            }
        }
    }
}
