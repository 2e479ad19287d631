using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>MADV_COLLAPSE: pages of whole blocks become 2 MiB folios.</content>
internal sealed unsafe partial class AddressSpace
{
    private HmmStatus Collapse(Vma vma, ulong from, ulong to)
    {
        ulong first = (from + BlockPages - 1) / BlockPages;
        ulong last = to / BlockPages;
        ulong firstWhole = (vma.Start + BlockPages - 1) / BlockPages;
        if (!vma.IsAnonymous || vma.HugeAdvice == HugeAdvice.NoHuge || (firstWhole + 1) * BlockPages > vma.End || first > last)
        {
            return HmmStatus.Invalid;
        }

        HmmStatus status = HmmStatus.Ok;
        for (ulong block = first; block < last; block++)
        {
            HmmStatus one = CollapseBlock(vma, block);
            if (one == HmmStatus.OutOfMemory)
            {
                return one;
            }

            status = one == HmmStatus.Ok ? status : one;
        }

        return status;
    }

    private HmmStatus CollapseBlock(Vma vma, ulong block)
    {
        switch (_block[block].Kind)
        {
            case BlockKind.Hole:
                return HmmStatus.Invalid;
            case BlockKind.Huge:
                return HmmStatus.Ok;
        }

        ulong start = block * BlockPages;
        HmmStatus status = CheckCollapse(start, out bool hasAway);
        if (status != HmmStatus.Ok)
        {
            return status;
        }

        if (!_physical.TryTakeFolio(Family, IndexOf(vma, start), out uint folio))
        {
            return HmmStatus.OutOfMemory;
        }

        if (hasAway && !BringBack(vma, start))
        {
            _physical.DropMappings(folio, BlockPages);
            return HmmStatus.Invalid;
        }

        Invalidate(new VpnRange(new Vpn(start), BlockPages), InvalidationEvent.Clear);
        for (ulong i = 0; i < BlockPages; i++)
        {
            PageClass pageClass = _classes[_class[start + i]];
            if (pageClass.HoldsFrame)
            {
                uint frame = _pfn[start + i];
                if (_physical.TracksContent)
                {
                    _frames.Content[folio + (uint)i] = _frames.Content[frame];
                }

                _physical.DropMapping(frame);
            }
        }

        new Span<byte>(_class + start, (int)BlockPages).Clear();
        EntryBits bits = EntryBits.Huge | EntryBits.SoftDirty | EntryBits.Exclusive | (vma.CanWrite ? EntryBits.Writable : EntryBits.None);
        _block[block] = BlockDescriptor.Huge(_classes.Present(bits), folio);
        return HmmStatus.Ok;
    }

    /// <summary>What the collapse scan refuses: no page writable, pages that are not anonymous, pages someone else holds.</summary>
    private HmmStatus CheckCollapse(ulong start, out bool hasAway)
    {
        hasAway = false;
        bool hasWritable = false;
        for (ulong vpn = start; vpn < start + BlockPages; vpn++)
        {
            PageClass pageClass = _classes[_class[vpn]];
            if (pageClass.Kind == PageEntryKind.None || (pageClass.IsPresent && pageClass.IsZero))
            {
                continue;
            }

            if (!pageClass.IsPresent)
            {
                hasAway = true;
                continue;
            }

            FrameFlags flags = _frames.Flags[_pfn[vpn]];
            if ((flags & FrameFlags.Anonymous) == 0)
            {
                return HmmStatus.Invalid;
            }

            if ((flags & FrameFlags.Pinned) != 0)
            {
                return HmmStatus.TryAgain;
            }

            hasWritable |= pageClass.IsWritable;
        }

        return hasWritable ? HmmStatus.Ok : HmmStatus.Invalid;
    }

    /// <summary>Swapped, device-private and device-exclusive pages are faulted back first.</summary>
    private bool BringBack(Vma vma, ulong start)
    {
        for (ulong vpn = start; vpn < start + BlockPages; vpn++)
        {
            while (_classes[_class[vpn]] is { IsPresent: false, Kind: not PageEntryKind.None })
            {
                if (HandleFault(vma, vpn, write: false) != FaultOutcome.Done)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
