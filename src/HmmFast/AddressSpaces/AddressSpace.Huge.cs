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
        SplitHugeEntryQuietly(block);
    }

    private void SplitHugeEntryQuietly(ulong block)
    {
        BlockDescriptor descriptor = _block[block];
        PageClass old = _classes[descriptor.Class];
        ulong first = block * BlockPages;
        byte id = old.IsZero ? _classes.Present(EntryBits.Zero) : _classes.Change(descriptor.Class, EntryBits.None, EntryBits.Huge);
        _core.Counters.HugeSplits++;
        new Span<byte>(_class + first, (int)BlockPages).Fill(id);
        if (old.IsZero)
        {
            new Span<uint>(_pfn + first, (int)BlockPages).Clear();
        }
        else
        {
            _core.Kernels.CountUp(new Span<uint>(_pfn + first, (int)BlockPages), descriptor.Frame);
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
        NotifyFolio(head, InvalidationEvent.Clear);
        foreach (AddressSpace space in _family)
        {
            space.SplitEntriesOf(head);
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
                    if (mapping.Space._classes[mapping.Space._class[mapping.Vpn]].IsPresent)
                    {
                        mapping.Space.SetEntry(mapping.Vpn, zero, 0);
                        _frames.MapCount[frame]--;
                    }
                }
            }

            _frames.Flags[frame] &= ~FrameFlags.HugePart;
            if (_frames.MapCount[frame] == 0)
            {
                _physical.Unused(frame);
            }
        }

        _frames.FolioMaps[head / BlockPages] = 0;
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

    /// <summary>Tells every address space of the family that maps part of a folio, once a VMA.</summary>
    private void NotifyFolio(uint head, InvalidationEvent why, OwnerId owner = default)
    {
        foreach (AddressSpace space in _family)
        {
            for (int i = 0; i < space._vmas.Count; i++)
            {
                if (space.FolioRange(space._vmas[i], head, out VpnRange range))
                {
                    space.Invalidate(range, why, owner);
                }
            }
        }
    }

    /// <summary>The part of a folio that a VMA of this address space maps, from the first mapped page to the last.</summary>
    private bool FolioRange(Vma vma, uint head, out VpnRange range)
    {
        range = default;
        if (vma.IsShared)
        {
            return false;
        }

        // Indices are 32 bits and may wrap for private file mappings: offsets are compared, not indices.
        uint offset = _frames.Index[head] - IndexOf(vma, vma.Start);
        ulong first = ulong.MaxValue;
        ulong last = 0;
        for (uint i = 0; i < BlockPages; i++)
        {
            ulong vpn = vma.Start + (offset + i);
            if (offset + i >= vma.PageCount)
            {
                continue;
            }

            PageClass pageClass = ClassAt(vpn, out uint number);
            if (pageClass.HoldsFrame && number == head + i)
            {
                first = Math.Min(first, vpn);
                last = vpn;
            }
        }

        if (first == ulong.MaxValue)
        {
            return false;
        }

        range = new VpnRange(new Vpn(first), last - first + 1);
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
                SplitHugeEntryQuietly(vpn / BlockPages);
            }
        }
    }
}
