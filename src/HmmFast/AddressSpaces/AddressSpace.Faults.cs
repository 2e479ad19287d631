using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>
/// One page fault: what the kernel's <c>handle_mm_fault</c> does to one page. The scalar path; runs of empty pages go through <c>FaultRun</c>. The caller
/// has checked that the VMA allows the access.
/// </content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>What a page just written for the first time has.</summary>
    private const EntryBits Written = EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Dirty | EntryBits.Exclusive;

    /// <summary>Handles one fault.</summary>
    /// <param name="vma">The VMA.</param>
    /// <param name="vpn">The page.</param>
    /// <param name="write">The access.</param>
    /// <param name="mayRetry">A CPU's fault: it starts again when a page had to be read from disk. Faults for devices and drivers do not.</param>
    internal FaultOutcome HandleFault(Vma vma, ulong vpn, bool write, bool mayRetry = false)
    {
        _core.Counters.Faults++;
        ulong block = vpn / BlockPages;
        switch (_block[block].Kind)
        {
            case BlockKind.Hole:
                _columns.EnsureUpper(block);
                if (vma.AllowsHuge(block) && TryFaultHuge(vma, block, write))
                {
                    return FaultOutcome.Done;
                }

                return vma.IsAnonymous ? FaultEmpty(vma, vpn, write) : FaultFile(vma, vpn, write, mayRetry);
            case BlockKind.Huge:
                if (!write || _classes[_block[block].Class].IsWritable)
                {
                    MarkHugeWritten(block, write);
                    return FaultOutcome.Done;
                }

                if (TryReuseHuge(vma, block))
                {
                    return FaultOutcome.Done;
                }

                SplitHugeEntry(block);
                break;
        }

        byte id = _class[vpn];
        PageClass pageClass = _classes[id];
        switch (pageClass.Kind)
        {
            case PageEntryKind.None:
                return vma.IsAnonymous ? FaultEmpty(vma, vpn, write) : FaultFile(vma, vpn, write, mayRetry);
            case PageEntryKind.Present:
                if (write)
                {
                    if (!pageClass.IsWritable)
                    {
                        return FaultWriteProtected(vma, vpn, pageClass);
                    }

                    // A fault taken on a writable entry marks it dirty in software, and that counts as soft-dirty.
                    _class[vpn] = _classes.Change(id, EntryBits.SoftDirty | EntryBits.Dirty, EntryBits.None);
                }

                return FaultOutcome.Done;
            default:
                return FaultAway(vma, vpn, write, pageClass);
        }
    }

    /// <summary>An entry that is neither empty nor present: swap, a device's, a migration's.</summary>
    private FaultOutcome FaultAway(Vma vma, ulong vpn, bool write, PageClass pageClass)
    {
        switch (pageClass.Kind)
        {
            case PageEntryKind.Swap:
                return FaultSwap(vma, vpn, write, pageClass);
            case PageEntryKind.DevicePrivate:
                return MigrateToRam(vpn);
            case PageEntryKind.DeviceExclusive:
                EndExclusive(vpn, pageClass);
                return FaultOutcome.Done;
            case PageEntryKind.Migration:
                return FaultOutcome.Busy;
            default:
                return FaultOutcome.SigBus;
        }
    }

    /// <summary>A write fault on a writable 2 MiB entry has nothing to do but mark it.</summary>
    private void MarkHugeWritten(ulong block, bool write)
    {
        if (write)
        {
            BlockDescriptor descriptor = _block[block];
            _block[block] = BlockDescriptor.Huge(_classes.Change(descriptor.Class, EntryBits.SoftDirty | EntryBits.Dirty, EntryBits.None), descriptor.Frame);
        }
    }

    /// <summary>An empty page of private anonymous memory: the zero page for a read, a new frame for a write.</summary>
    private FaultOutcome FaultEmpty(Vma vma, ulong vpn, bool write)
    {
        _columns.EnsureTable(vpn / BlockPages);
        if (!write)
        {
            SetEntry(vpn, _classes.Present(EntryBits.Zero), 0);
            _core.Counters.ZeroPageFaults++;
            return FaultOutcome.Done;
        }

        _vmas.PrepareAnon(vma);
        byte id = _classes.Present(Written);
        if (!TryTakeAnonymous(vma, vpn, out uint frame))
        {
            return FaultOutcome.OutOfMemory;
        }

        SetEntry(vpn, id, frame);
        return FaultOutcome.Done;
    }

    /// <summary>Takes the lowest free frame, mapped once at a page.</summary>
    private bool TryTakeAnonymous(Vma vma, ulong vpn, out uint frame)
    {
        if (!_physical.TryTakeSystem(FrameFlags.AnonymousPage, out frame))
        {
            return false;
        }

        _frames.MapCount[frame] = 1;
        _frames.ReverseMap[frame] = new RmapEntry(vma.Anon!.Number, IndexOf(vma, vpn));
        return true;
    }

    private bool TryFaultHuge(Vma vma, ulong block, bool write)
    {
        _vmas.PrepareAnon(vma);
        if (!write)
        {
            _columns.SetHuge(block, _classes.Present(EntryBits.Zero | EntryBits.Huge), _physical.HugeZero);
            _core.Counters.ZeroPageFaults++;
            return true;
        }

        byte id = _classes.Present(Written | EntryBits.Huge);
        if (!_physical.TryTakeFolio(vma.Anon!.Number, IndexOf(vma, block * BlockPages), out uint frame))
        {
            return false;
        }

        _columns.SetHuge(block, id, frame);
        return true;
    }

    /// <summary>A write to a read-only 2 MiB entry whose folio nobody else has: made writable in place.</summary>
    private bool TryReuseHuge(Vma vma, ulong block)
    {
        BlockDescriptor descriptor = _block[block];
        PageClass old = _classes[descriptor.Class];
        if (old.IsZero)
        {
            return false;
        }

        if (!old.IsExclusive && (_frames.FolioMaps[descriptor.Frame / BlockPages] != BlockPages || _physical.IsFolioHeld(descriptor.Frame)))
        {
            return false;
        }

        byte id = _classes.Change(descriptor.Class, Written, EntryBits.None);
        _block[block] = BlockDescriptor.Huge(id, descriptor.Frame);
        _frames.ReverseMap[descriptor.Frame].Object = vma.Anon!.Number;
        return true;
    }

    /// <summary>A write to a page that is there but not writable: reuse, or copy (<c>do_wp_page</c>).</summary>
    private FaultOutcome FaultWriteProtected(Vma vma, ulong vpn, PageClass old)
    {
        uint frame = _pfn[vpn];
        if (vma.IsShared)
        {
            SetEntry(vpn, _classes.Intern(Changed(old, EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Dirty, EntryBits.None)), frame);
            _frames.Flags[frame] |= FrameFlags.Dirty;
            return FaultOutcome.Done;
        }

        if (old.HoldsFrame && (old.IsExclusive || TryReuse(frame)))
        {
            if (!old.IsExclusive)
            {
                _frames.ReverseMap[frame].Object = vma.Anon!.Number;
            }

            SetEntry(vpn, _classes.Intern(Changed(old, Written, EntryBits.None)), frame);
            return FaultOutcome.Done;
        }

        return CopyPage(vma, vpn, old, frame);
    }

    /// <summary>Whether an anonymous frame that is not marked exclusive has only one user after all. Pages of a 2 MiB folio are never reused.</summary>
    private bool TryReuse(uint frame)
    {
        FrameFlags flags = _frames.Flags[frame];
        if ((flags & FrameFlags.Anonymous) == 0 || (flags & (FrameFlags.HugePart | FrameFlags.Pinned)) != 0 || _frames.MapCount[frame] != 1)
        {
            return false;
        }

        return (flags & FrameFlags.SwapCache) == 0 || TryLeaveSwapCache(frame);
    }

    internal bool TryLeaveSwapCache(uint frame)
    {
        if (_physical.Swap.UsesOf(_physical.Swap.SlotOf(frame)) > 0)
        {
            return false;
        }

        _physical.Swap.Uncache(frame);
        _frames.Flags[frame] = (_frames.Flags[frame] & ~FrameFlags.SwapCache) | FrameFlags.Dirty;
        return true;
    }

    /// <summary>Copy on write: the new frame is taken before the old one is given up.</summary>
    private FaultOutcome CopyPage(Vma vma, ulong vpn, PageClass old, uint frame)
    {
        _vmas.PrepareAnon(vma);
        byte id = _classes.Present(Written);
        if (!TryTakeAnonymous(vma, vpn, out uint copy))
        {
            return FaultOutcome.OutOfMemory;
        }

        if (_physical.TracksContent)
        {
            _frames.Content[copy] = old.HoldsFrame ? _frames.Content[frame] : 0;
        }

        InvalidatePage(vpn, InvalidationEvent.Clear);
        SetEntry(vpn, id, copy);
        if (old.HoldsFrame)
        {
            _physical.DropMapping(frame);
        }

        _core.Counters.PagesCopied++;
        return FaultOutcome.Done;
    }

    /// <summary>Brings a page back from swap, or from the swap cache when someone else did before.</summary>
    private FaultOutcome FaultSwap(Vma vma, ulong vpn, bool write, PageClass old)
    {
        SwapArea swap = _physical.Swap;
        uint slot = _pfn[vpn];
        bool wasCached = swap.TryGetCached(slot, out uint frame);
        if (wasCached && (_frames.Flags[frame] & FrameFlags.Locked) != 0)
        {
            return FaultOutcome.Busy;
        }

        bool isOnlyUse = swap.UsesOf(slot) == 1;
        if (!wasCached)
        {
            if (!_physical.TryTakeSystem(FrameFlags.AnonymousPage, out frame))
            {
                return FaultOutcome.OutOfMemory;
            }

            if (_physical.TracksContent)
            {
                _frames.Content[frame] = swap.ContentOf(slot);
            }

            if (!isOnlyUse)
            {
                swap.Cache(slot, frame);
                _frames.Flags[frame] |= FrameFlags.SwapCache;
            }

            _core.Counters.PagesSwappedIn++;
        }

        _physical.AddMapping(frame);
        swap.DropUse(slot);
        bool isExclusive = (!wasCached && isOnlyUse) || old.IsExclusive;
        if (!isExclusive && write && _frames.MapCount[frame] == 1 && !_physical.IsPinned(frame))
        {
            isExclusive = (_frames.Flags[frame] & FrameFlags.SwapCache) == 0 || TryLeaveSwapCache(frame);
        }

        if (!wasCached)
        {
            // A page that might be shared belongs to the oldest ancestor, from which everyone is found.
            _frames.ReverseMap[frame] = new RmapEntry((isExclusive ? vma.Anon! : vma.Anon!.Root).Number, IndexOf(vma, vpn));
        }

        EntryBits bits = old.Bits & EntryBits.SoftDirty;
        if (isExclusive)
        {
            bits |= EntryBits.Exclusive;
            if (vma.CanWrite && (vma.SoftDirty || old.IsSoftDirty))
            {
                bits |= EntryBits.Writable | (write ? EntryBits.SoftDirty | EntryBits.Dirty : EntryBits.None);
            }
        }

        SetEntry(vpn, _classes.Present(bits), frame);
        if (write && (bits & EntryBits.Writable) == 0)
        {
            // The same fault goes on to reuse or copy.
            return FaultWriteProtected(vma, vpn, _classes[_class[vpn]]);
        }

        return FaultOutcome.Done;
    }

    /// <summary>A device's exclusive access ends: the page is mapped again as it was, and counts as written.</summary>
    private void EndExclusive(ulong vpn, PageClass old)
    {
        InvalidatePage(vpn, InvalidationEvent.Exclusive);
        EntryBits bits = old.Bits & (EntryBits.SoftDirty | EntryBits.Exclusive);
        if (old.IsWritable)
        {
            bits |= EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Dirty;
        }

        _physical.EndHold(_pfn[vpn]);
        _class[vpn] = _classes.Present(bits);
        _core.Counters.ExclusiveEnds++;
    }
}
