using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>MADV_PAGEOUT: reclaim of one range's pages.</content>
internal sealed unsafe partial class AddressSpace
{
    private void PageOut(Vma vma, ulong from, ulong to)
    {
        for (ulong at = from; at < to; at++)
        {
            ulong block = at / BlockPages;
            BlockDescriptor descriptor = _block[block];
            if (descriptor.Kind == BlockKind.Hole)
            {
                at = _columns.HoleEnd(at, to) - 1;
                continue;
            }

            if (descriptor.Kind == BlockKind.Huge)
            {
                ulong end = Math.Min(to, (block + 1) * BlockPages);
                if (_classes[descriptor.Class].IsZero || _frames.FolioMaps[descriptor.Frame / BlockPages] != BlockPages)
                {
                    at = end - 1;
                    continue;
                }

                if (end - at == BlockPages)
                {
                    PageOutFolio(block, descriptor.Frame);
                    at = end - 1;
                    continue;
                }

                if (!TrySplitFolio(descriptor.Frame))
                {
                    at = end - 1;
                    continue;
                }
            }

            PageClass pageClass = _classes[_class[at]];
            if (!pageClass.IsPresent || !pageClass.HoldsFrame)
            {
                continue;
            }

            uint frame = _pfn[at];
            if ((_frames.Flags[frame] & FrameFlags.HugePart) != 0)
            {
                if (_frames.MapCount[frame] != 1 || !TrySplitFolio(frame & ~(uint)(BlockPages - 1)))
                {
                    continue;
                }

                pageClass = _classes[_class[at]];
                frame = _pfn[at];
            }

            if (pageClass.HoldsFrame)
            {
                PageOutPage(at, frame, pageClass);
            }
        }
    }

    /// <summary>A whole 2 MiB folio goes to swap as it is; when slots run out it is split and goes page by page.</summary>
    private void PageOutFolio(ulong block, uint head)
    {
        if (_physical.IsFolioPinned(head))
        {
            return;
        }

        if (_physical.Swap.FreeCount < BlockPages || (_frames.Flags[head] & FrameFlags.SwapBacked) == 0)
        {
            if (_physical.Swap.FreeCount > 0 && TrySplitFolio(head))
            {
                for (ulong vpn = block * BlockPages; vpn < (block + 1) * BlockPages; vpn++)
                {
                    PageClass pageClass = _classes[_class[vpn]];
                    if (pageClass.HoldsFrame)
                    {
                        PageOutPage(vpn, _pfn[vpn], pageClass);
                    }
                }
            }

            return;
        }

        Invalidate(new VpnRange(new Vpn(block * BlockPages), BlockPages), InvalidationEvent.Clear);
        SplitHugeEntryQuietly(block);
        for (ulong vpn = block * BlockPages; vpn < (block + 1) * BlockPages; vpn++)
        {
            SwapOut(vpn, _pfn[vpn], _classes[_class[vpn]]);
        }
    }

    /// <summary>Reclaims one page that only this entry maps.</summary>
    private void PageOutPage(ulong vpn, uint frame, PageClass pageClass)
    {
        FrameFlags flags = _frames.Flags[frame];
        if (_frames.MapCount[frame] != 1 || (flags & (FrameFlags.Driver | FrameFlags.Pinned)) != 0 || _physical.PagemapOf(frame) is not null)
        {
            return;
        }

        if ((flags & FrameFlags.PageCache) != 0)
        {
            PageOutFilePage(vpn, frame, pageClass);
            return;
        }

        if ((flags & FrameFlags.SwapBacked) == 0)
        {
            InvalidatePage(vpn, InvalidationEvent.Clear);
            if (pageClass.IsClean)
            {
                // Given to MADV_FREE and not written since: dropped.
                _class[vpn] = 0;
                _physical.DropMapping(frame);
            }
            else
            {
                // Written since: an ordinary page again, and it stays this time.
                _frames.Flags[frame] |= FrameFlags.SwapBacked;
            }

            return;
        }

        if ((flags & FrameFlags.SwapCache) == 0 && _physical.Swap.FreeCount == 0)
        {
            return;
        }

        InvalidatePage(vpn, InvalidationEvent.Clear);
        SwapOut(vpn, frame, pageClass);
    }

    private void SwapOut(ulong vpn, uint frame, PageClass pageClass)
    {
        SwapArea swap = _physical.Swap;
        uint slot;
        if ((_frames.Flags[frame] & FrameFlags.SwapCache) != 0)
        {
            slot = swap.SlotOf(frame);
            swap.AddUse(slot);
            swap.SetContent(slot, _physical.ContentOf(frame));
            swap.Uncache(frame);
            _frames.Flags[frame] &= ~FrameFlags.SwapCache;
        }
        else if (!swap.TryTake(_physical.ContentOf(frame), out slot))
        {
            return;
        }

        EntryBits bits = pageClass.Bits & (EntryBits.SoftDirty | EntryBits.Exclusive);
        SetEntry(vpn, _classes.Intern(new PageClass(PageEntryKind.Swap, bits)), slot);
        _physical.DropMapping(frame);
        _core.Counters.PagesSwappedOut++;
    }

    /// <summary>A page cache page: unmapped, written to swap (tmpfs) or to its file, freed.</summary>
    private void PageOutFilePage(ulong vpn, uint frame, PageClass pageClass)
    {
        FileObject file = _core.FileOf(_frames.Object[frame]);
        ulong page = _frames.Index[frame];
        if (!pageClass.IsClean)
        {
            _frames.Flags[frame] |= FrameFlags.Dirty;
        }

        if (file.Kind == FileKind.Memfd)
        {
            if (!_physical.Swap.TryTake(_physical.ContentOf(frame), out uint slot))
            {
                return;
            }

            file.SetSlot(page, slot);
            _core.Counters.PagesSwappedOut++;
        }
        else if ((_frames.Flags[frame] & FrameFlags.Dirty) != 0)
        {
            file.Store(page, _physical.ContentOf(frame));
        }

        InvalidatePage(vpn, InvalidationEvent.Clear);
        _class[vpn] = 0;
        file.Cache[page] = 0;
        _frames.Flags[frame] &= ~FrameFlags.PageCache;
        _physical.DropMapping(frame);
    }
}
