using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>MADV_PAGEOUT: which pages are taken, and what reclaim does with each.</content>
internal sealed unsafe partial class AddressSpace
{
    private void PageOut(Vma vma, ulong from, ulong to)
    {
        while (from < to)
        {
            ulong block = from / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            if (_block[block].Kind == BlockKind.Hole)
            {
                end = _columns.HoleEnd(from, to);
            }
            else
            {
                PageOutBlock(vma, from, end);
            }

            from = end;
        }
    }

    /// <summary>Collects the block's pages that nobody else maps, then reclaims them in page order.</summary>
    private void PageOutBlock(Vma vma, ulong from, ulong to)
    {
        ulong block = from / BlockPages;
        BlockDescriptor descriptor = _block[block];
        if (descriptor.Kind == BlockKind.Huge)
        {
            if (_classes[descriptor.Class].IsZero || _physical.LooksShared(descriptor.Frame))
            {
                return;
            }

            if (to - from == BlockPages)
            {
                Reclaim(vma, descriptor.Frame, from);
                return;
            }

            if (!TrySplitFolio(descriptor.Frame))
            {
                return;
            }
        }

        List<ulong> taken = _core.PagesBuffer;
        taken.Clear();
        for (ulong vpn = from; vpn < to; vpn++)
        {
            PageClass pageClass = _classes[_class[vpn]];
            uint frame = _pfn[vpn];
            if (!pageClass.IsPresent || !pageClass.HoldsFrame || _physical.PagemapOf(frame) is not null)
            {
                continue;
            }

            ulong run = 1;
            if ((_frames.Flags[frame] & FrameFlags.HugePart) != 0)
            {
                run = RunOfFolio(vpn, to);
                if (run < BlockPages)
                {
                    if (!_physical.LooksShared(frame) && TrySplitFolio(_physical.HeadOf(frame)))
                    {
                        // Look at the page again, now on its own.
                        vpn--;
                    }

                    continue;
                }
            }

            if ((_frames.Flags[frame] & FrameFlags.Driver) == 0 && _physical.FolioMapCount(frame) == run)
            {
                taken.Add(vpn);
            }

            vpn += run - 1;
        }

        if (taken.Count == 0)
        {
            return;
        }

        // Reclaim may come back here for a folio it splits, so the list is given up first.
        ulong[] pages = [.. taken];
        foreach (ulong vpn in pages)
        {
            Reclaim(vma, _physical.HeadOf(_pfn[vpn]), vpn);
        }
    }

    /// <summary>Reclaims one folio that only this address space maps.</summary>
    private void Reclaim(Vma vma, uint head, ulong vpn)
    {
        FrameFlags flags = _frames.Flags[head];
        if ((flags & FrameFlags.Anonymous) == 0)
        {
            ReclaimFilePage(vma, head, vpn);
        }
        else if ((flags & FrameFlags.SwapBacked) == 0)
        {
            ReclaimLazy(head, vpn);
        }
        else if ((flags & FrameFlags.HugePart) != 0)
        {
            SwapOutFolio(vma, head, vpn);
        }
        else
        {
            SwapOut(head, vpn);
        }
    }

    /// <summary>An anonymous page goes to the lowest free slot, or back to the slot it came from when it is still cached there.</summary>
    private void SwapOut(uint frame, ulong vpn)
    {
        SwapArea swap = _physical.Swap;
        uint slot;
        if ((_frames.Flags[frame] & FrameFlags.SwapCache) != 0)
        {
            slot = swap.SlotOf(frame);
            swap.AddUse(slot);
        }
        else if (swap.TryTake(0, out slot))
        {
            swap.Cache(slot, frame);
            _frames.Flags[frame] |= FrameFlags.SwapCache | FrameFlags.Dirty;
        }
        else
        {
            return;
        }

        TellBeforeUnmapping(frame, vpn);
        PageClass old = _classes[_class[vpn]];
        SetEntry(vpn, _classes.Intern(new PageClass(PageEntryKind.Swap, old.Bits & (EntryBits.SoftDirty | EntryBits.Exclusive))), slot);
        if (old.IsDirty || (_frames.Flags[frame] & FrameFlags.Dirty) != 0)
        {
            swap.SetContent(slot, _physical.ContentOf(frame));
            _frames.Flags[frame] &= ~FrameFlags.Dirty;
            _core.Counters.PagesSwappedOut++;
        }

        _frames.MapCount[frame]--;
        if (!_physical.IsPinned(frame))
        {
            // Nobody holds it: the copy in swap is all there is from now on. A pinned page stays in the swap cache.
            swap.Uncache(frame);
            _physical.Give(frame);
        }
    }

    /// <summary>A whole 2 MiB folio goes to 512 slots in a row; where there is no such run it is split and its pages go one by one.</summary>
    private void SwapOutFolio(Vma vma, uint head, ulong start)
    {
        SwapArea swap = _physical.Swap;
        if (HasPin(head) || !swap.TryTakeBlock(out uint first))
        {
            if (TrySplitFolio(head))
            {
                PageOutBlock(vma, start, start + BlockPages);
            }

            return;
        }

        TellBeforeUnmapping(head, start);
        if (_block[start / BlockPages].Kind == BlockKind.Huge)
        {
            SplitHugeEntryQuietly(start / BlockPages, dirtyIsSoftDirty: true);
        }

        for (uint i = 0; i < BlockPages; i++)
        {
            PageClass old = _classes[_class[start + i]];
            swap.SetContent(first + i, _physical.ContentOf(head + i));
            SetEntry(start + i, _classes.Intern(new PageClass(PageEntryKind.Swap, old.Bits & (EntryBits.SoftDirty | EntryBits.Exclusive))), first + i);
            _physical.DropMapping(head + i);
            _core.Counters.PagesSwappedOut++;
        }
    }

    /// <summary>A folio given to MADV_FREE is dropped if it was not written since; else it becomes an ordinary one again and stays this time.</summary>
    private void ReclaimLazy(uint head, ulong vpn)
    {
        ulong count = (_frames.Flags[head] & FrameFlags.HugePart) != 0 ? BlockPages : 1;
        ulong block = vpn / BlockPages;
        TellBeforeUnmapping(head, vpn);
        bool isHeld = count == 1 ? _physical.IsPinned(head) : _physical.IsFolioHeld(head);
        if (_block[block].Kind == BlockKind.Huge)
        {
            if (!isHeld && !_classes[_block[block].Class].IsDirty && (_frames.Flags[head] & FrameFlags.Dirty) == 0)
            {
                _block[block] = default;
                _physical.DropFolioMapping(head);
                return;
            }

            SplitHugeEntryQuietly(block, dirtyIsSoftDirty: true);
        }

        for (ulong i = 0; i < count; i++)
        {
            if (_classes[_class[vpn + i]].IsDirty)
            {
                _frames.Flags[head] |= FrameFlags.Dirty;
            }

            if (isHeld || (_frames.Flags[head] & FrameFlags.Dirty) != 0)
            {
                MarkFolio(head, FrameFlags.SwapBacked, FrameFlags.None);
                return;
            }

            _class[vpn + i] = 0;
            _physical.DropMapping(_pfn[vpn + i]);
        }
    }

    /// <summary>A file's page: unmapped always; dropped from the cache if clean, a dirty shmem page swapped out, a dirty disk page kept.</summary>
    private void ReclaimFilePage(Vma vma, uint frame, ulong vpn)
    {
        FileObject file = vma.File!;
        ulong page = vma.IndexOf(vpn);
        TellBeforeUnmapping(frame, vpn);
        if (_classes[_class[vpn]].IsDirty)
        {
            _physical.MarkFileDirty(frame);
        }

        _class[vpn] = 0;
        _physical.DropMapping(frame);
        if (_frames.MapCount[frame] > 0 || _physical.IsPinned(frame))
        {
            return;
        }

        if ((_frames.Flags[frame] & FrameFlags.Dirty) != 0)
        {
            if (file.Kind == FileKind.Disk)
            {
                _frames.Flags[frame] |= FrameFlags.ReadAheadMark;
                return;
            }

            if (!_physical.Swap.TryTake(_physical.ContentOf(frame), out uint slot))
            {
                return;
            }

            file.SetSlot(page, slot);
            _core.Counters.PagesSwappedOut++;
        }

        file.Cache[page] = 0;
        _physical.Give(frame);
    }

    private bool HasPin(uint head)
    {
        for (uint i = 0; i < BlockPages; i++)
        {
            if (_physical.IsPinned(head + i))
            {
                return true;
            }
        }

        return false;
    }
}
