using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>madvise.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>madvise: walks the VMAs of the range; holes are reported at the end, a VMA that cannot take the advice ends it at once.</summary>
    public HmmStatus Advise(VpnRange range, Advice advice)
    {
        if (range.IsEmpty)
        {
            return HmmStatus.Ok;
        }

        bool hadHole = false;
        ulong at = range.Start.Value;
        ulong end = range.End.Value;
        while (at < end)
        {
            int index = _vmas.IndexFrom(at);
            if (index == _vmas.Count || _vmas[index].Start >= end)
            {
                hadHole = true;
                break;
            }

            Vma vma = _vmas[index];
            if (vma.Start > at)
            {
                hadHole = true;
                at = vma.Start;
            }

            ulong to = Math.Min(end, vma.End);
            HmmStatus status = Advise(vma, at, to, advice);
            if (status != HmmStatus.Ok)
            {
                return status;
            }

            at = to;
        }

        return hadHole ? HmmStatus.OutOfMemory : HmmStatus.Ok;
    }

    private HmmStatus Advise(Vma vma, ulong from, ulong to, Advice advice)
    {
        switch (advice)
        {
            case Advice.HugePage:
            case Advice.NoHugePage:
                HugeAdvice wanted = advice == Advice.HugePage ? HugeAdvice.Huge : HugeAdvice.NoHuge;
                if (vma.HugeAdvice != wanted)
                {
                    bool softDirty = vma.SoftDirty;
                    _vmas.Modify(vma, from, to, vma.Protection, wanted, vma.IsAccounted).SoftDirty = softDirty;
                }

                return HmmStatus.Ok;
            case Advice.DontNeed:
                if (vma.IsUnfaultable)
                {
                    return HmmStatus.Invalid;
                }

                Invalidate(VpnRange.FromBounds(new Vpn(from), new Vpn(to)), InvalidationEvent.Clear);
                Zap(from, to);
                return HmmStatus.Ok;
            case Advice.Free:
                if (!vma.IsAnonymous)
                {
                    return HmmStatus.Invalid;
                }

                Invalidate(VpnRange.FromBounds(new Vpn(from), new Vpn(to)), InvalidationEvent.Clear);
                FreeLazily(from, to);
                return HmmStatus.Ok;
            case Advice.PageOut:
                if (vma.IsUnfaultable)
                {
                    return HmmStatus.Invalid;
                }

                PageOut(vma, from, to);
                return HmmStatus.Ok;
            default:
                return Collapse(vma, from, to);
        }
    }

    /// <summary>MADV_FREE: pages may be dropped instead of swapped until they are written again; swap slots are given up at once.</summary>
    private void FreeLazily(ulong from, ulong to)
    {
        while (from < to)
        {
            ulong block = from / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            switch (_block[block].Kind)
            {
                case BlockKind.Hole:
                    end = _columns.HoleEnd(from, to);
                    break;
                case BlockKind.Huge when !FreeHugeLazily(block, isWhole: end - from == BlockPages):
                    break;
                default:
                    FreeTableLazily(from, end);
                    break;
            }

            from = end;
        }
    }

    /// <summary>A 2 MiB entry under MADV_FREE: marked as a whole, or its folio split when only a part is meant. True: go on with single pages.</summary>
    private bool FreeHugeLazily(ulong block, bool isWhole)
    {
        BlockDescriptor descriptor = _block[block];
        if (_classes[descriptor.Class].IsZero || _physical.LooksShared(descriptor.Frame))
        {
            return false;
        }

        if (!isWhole)
        {
            return TrySplitFolio(descriptor.Frame);
        }

        MarkFolio(descriptor.Frame, FrameFlags.None, FrameFlags.Dirty | FrameFlags.SwapBacked);
        _block[block] = BlockDescriptor.Huge(_classes.Change(descriptor.Class, EntryBits.None, EntryBits.Dirty), descriptor.Frame);
        return false;
    }

    private void FreeTableLazily(ulong from, ulong to)
    {
        for (ulong vpn = from; vpn < to; vpn++)
        {
            PageClass pageClass = _classes[_class[vpn]];
            if (pageClass.Kind == PageEntryKind.Swap)
            {
                _class[vpn] = 0;
                _physical.DropSwap(_pfn[vpn]);
            }
            else if (pageClass.Kind == PageEntryKind.Marker)
            {
                _class[vpn] = 0;
            }

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

            if (TryMarkLazy(_physical.HeadOf(frame)))
            {
                for (ulong page = vpn; page < vpn + run; page++)
                {
                    _class[page] = _classes.Change(_class[page], EntryBits.None, EntryBits.Dirty);
                }
            }

            vpn += run - 1;
        }
    }

    /// <summary>False when others need the folio as it is: it is dirty or in the swap cache, and mapped elsewhere or its slot still named.</summary>
    private bool TryMarkLazy(uint head)
    {
        FrameFlags flags = _frames.Flags[head];
        if ((flags & (FrameFlags.SwapCache | FrameFlags.Dirty)) != 0)
        {
            uint pages = (flags & FrameFlags.HugePart) != 0 ? (uint)BlockPages : 1;
            if (_physical.FolioMapCount(head) != pages || ((flags & FrameFlags.SwapCache) != 0 && !TryLeaveSwapCache(head)))
            {
                return false;
            }

            _frames.Flags[head] &= ~FrameFlags.Dirty;
        }

        if ((flags & FrameFlags.Anonymous) != 0)
        {
            MarkFolio(head, FrameFlags.None, FrameFlags.SwapBacked);
        }

        return true;
    }

    /// <summary>Sets and clears flags on every page of a folio, or on a single page.</summary>
    private void MarkFolio(uint head, FrameFlags set, FrameFlags clear)
    {
        uint pages = (_frames.Flags[head] & FrameFlags.HugePart) != 0 ? (uint)BlockPages : 1;
        for (uint i = 0; i < pages; i++)
        {
            _frames.Flags[head + i] = (_frames.Flags[head + i] & ~clear) | set;
        }
    }

    /// <summary>How many entries from here on map the folio's next pages in a row; their bits do not matter.</summary>
    private ulong RunOfFolio(ulong from, ulong to)
    {
        uint frame = _pfn[from];
        ulong limit = Math.Min(to - from, BlockPages - (frame % BlockPages));
        ulong count = 1;
        while (count < limit && _classes[_class[from + count]].IsPresent && _pfn[from + count] == frame + (uint)count)
        {
            count++;
        }

        return count;
    }
}
