using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>MADV_COLLAPSE: pages of whole blocks become 2 MiB folios.</content>
internal sealed unsafe partial class AddressSpace
{
    private HmmStatus Collapse(Vma vma, ulong from, ulong to)
    {
        ulong lastBlock = vma.End / BlockPages;
        bool hasBlock = lastBlock > 0 && (lastBlock - 1) * BlockPages >= vma.Start;
        if (!vma.IsAnonymous || vma.Anon is null || vma.HugeAdvice == HugeAdvice.NoHuge || !hasBlock)
        {
            return HmmStatus.Invalid;
        }

        HmmStatus status = HmmStatus.Ok;
        for (ulong block = (from + BlockPages - 1) / BlockPages; block < to / BlockPages; block++)
        {
            HmmStatus one = CollapseBlock(vma, block, out bool ends);
            status = one == HmmStatus.Ok ? status : one;
            if (ends)
            {
                break;
            }
        }

        return status;
    }

    /// <summary>One block: looked over first, then a folio is taken, what is away is brought back, and everything is copied.</summary>
    /// <param name="vma">The VMA.</param>
    /// <param name="block">The block.</param>
    /// <param name="ends">True when no further block is tried.</param>
    private HmmStatus CollapseBlock(Vma vma, ulong block, out bool ends)
    {
        ends = false;
        switch (_block[block].Kind)
        {
            case BlockKind.Hole:
                return HmmStatus.Invalid;
            case BlockKind.Huge:
                return HmmStatus.Ok;
        }

        ulong start = block * BlockPages;
        HmmStatus status = LookOver(start, isScan: true);
        if (status != HmmStatus.Ok)
        {
            return status;
        }

        if (!_physical.TryTakeFolio(vma.Anon!.Number, IndexOf(vma, start), out uint folio))
        {
            ends = true;
            return HmmStatus.OutOfMemory;
        }

        if (!TryBringBack(vma, start))
        {
            ends = true;
            _physical.DropFolioMapping(folio);
            return HmmStatus.Invalid;
        }

        Invalidate(new VpnRange(new Vpn(start), BlockPages), InvalidationEvent.Clear);
        status = LookOver(start, isScan: false);
        if (status != HmmStatus.Ok)
        {
            _physical.DropFolioMapping(folio);
            return status;
        }

        CopyIntoFolio(start, folio);
        EntryBits bits = Written | EntryBits.Huge;
        _block[block] = BlockDescriptor.Huge(_classes.Present(vma.CanWrite ? bits : bits & ~EntryBits.Writable), folio);
        return HmmStatus.Ok;
    }

    /// <summary>Every present page must be an ordinary anonymous one that nobody else holds, and one of them writable.</summary>
    private HmmStatus LookOver(ulong start, bool isScan)
    {
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
                if (isScan)
                {
                    continue;
                }

                return HmmStatus.Invalid;
            }

            uint frame = _pfn[vpn];
            if (_physical.PagemapOf(frame) is not null)
            {
                return HmmStatus.Invalid;
            }

            FrameFlags flags = _frames.Flags[frame];
            bool isHeld = (flags & FrameFlags.HugePart) == 0
                ? (flags & FrameFlags.Pinned) != 0
                : _physical.IsFolioHeld(_physical.HeadOf(frame));
            if (isHeld)
            {
                return HmmStatus.TryAgain;
            }

            hasWritable |= pageClass.IsWritable;
        }

        return hasWritable ? HmmStatus.Ok : HmmStatus.Invalid;
    }

    /// <summary>Swapped, device-private and device-exclusive pages are brought back as a read fault would, once each.</summary>
    private bool TryBringBack(Vma vma, ulong start)
    {
        for (ulong vpn = start; vpn < start + BlockPages; vpn++)
        {
            PageClass pageClass = _classes[_class[vpn]];
            if (pageClass.Kind is not (PageEntryKind.None or PageEntryKind.Present) && FaultAway(vma, vpn, write: false, pageClass) != FaultOutcome.Done)
            {
                return false;
            }
        }

        return true;
    }

    private void CopyIntoFolio(ulong start, uint folio)
    {
        for (uint i = 0; i < BlockPages; i++)
        {
            ulong vpn = start + i;
            if (_classes[_class[vpn]].HoldsFrame)
            {
                if (_physical.TracksContent)
                {
                    _frames.Content[folio + i] = _frames.Content[_pfn[vpn]];
                }

                _physical.DropMapping(_pfn[vpn]);
            }
        }

        new Span<byte>(_class + start, (int)BlockPages).Clear();
    }
}
