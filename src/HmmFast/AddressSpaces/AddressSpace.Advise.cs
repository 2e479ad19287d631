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
                    SplitHugeAt(from);
                    SplitHugeAt(to);
                    bool softDirty = vma.SoftDirty;
                    _vmas.Modify(vma, from, to, vma.Protection, wanted, vma.IsAccounted).SoftDirty = softDirty;
                }

                return HmmStatus.Ok;
            case Advice.DontNeed:
                if (vma.Kind == MappingKind.DriverPfn)
                {
                    return HmmStatus.Invalid;
                }

                Invalidate(VpnRange.FromBounds(new Vpn(from), new Vpn(to)), InvalidationEvent.Clear);
                ZapKeepingTables(from, to);
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
                if (vma.Kind == MappingKind.DriverPfn)
                {
                    return HmmStatus.Invalid;
                }

                PageOut(vma, from, to);
                return HmmStatus.Ok;
            default:
                return Collapse(vma, from, to);
        }
    }

    /// <summary>DONTNEED of whole 2 MiB entries leaves nothing behind either; tables stay.</summary>
    private void ZapKeepingTables(ulong from, ulong to) => Zap(from, to);

    /// <summary>MADV_FREE: pages may be dropped instead of swapped until they are written again; swap slots are given up at once.</summary>
    private void FreeLazily(ulong from, ulong to)
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
                PageClass huge = _classes[descriptor.Class];
                if (huge.IsZero || _frames.FolioMaps[descriptor.Frame / BlockPages] != BlockPages)
                {
                    at = end - 1;
                    continue;
                }

                if (end - at == BlockPages)
                {
                    for (uint i = 0; i < BlockPages; i++)
                    {
                        _frames.Flags[descriptor.Frame + i] &= ~FrameFlags.SwapBacked;
                    }

                    _block[block] = BlockDescriptor.Huge(_classes.Change(descriptor.Class, EntryBits.Clean, EntryBits.None), descriptor.Frame);
                    at = end - 1;
                    continue;
                }

                if (!TrySplitFolio(descriptor.Frame))
                {
                    at = end - 1;
                    continue;
                }
            }

            FreePageLazily(at);
        }
    }

    private void FreePageLazily(ulong vpn)
    {
        byte id = _class[vpn];
        PageClass pageClass = _classes[id];
        if (pageClass.Kind == PageEntryKind.Swap)
        {
            _class[vpn] = 0;
            _physical.DropSwap(_pfn[vpn]);
            return;
        }

        if (!pageClass.IsPresent || !pageClass.HoldsFrame)
        {
            return;
        }

        uint frame = _pfn[vpn];
        FrameFlags flags = _frames.Flags[frame];
        if ((flags & FrameFlags.HugePart) != 0)
        {
            uint head = frame & ~(uint)(BlockPages - 1);
            if (_frames.MapCount[frame] != 1 || !TrySplitFolio(head))
            {
                return;
            }

            id = _class[vpn];
            pageClass = _classes[id];
            frame = _pfn[vpn];
            if (!pageClass.HoldsFrame)
            {
                return;
            }

            flags = _frames.Flags[frame];
        }

        if (_frames.MapCount[frame] != 1 || ((flags & FrameFlags.SwapCache) != 0 && !TryLeaveSwapCache(frame)))
        {
            return;
        }

        _frames.Flags[frame] &= ~FrameFlags.SwapBacked;
        _class[vpn] = _classes.Change(id, EntryBits.Clean, EntryBits.None);
    }
}
