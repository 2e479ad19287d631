namespace HmmFast.Reference;

/// <summary>Page faults: what handle_mm_fault does for one page.</summary>
internal sealed partial class ReferenceAddressSpace
{
    /// <summary>One page fault. After Done the access may still need another one: a write that brought a page back read-only, say.</summary>
    /// <param name="vma">The VMA.</param>
    /// <param name="vpn">The page.</param>
    /// <param name="write">For writing.</param>
    /// <param name="mayRetry">A CPU's fault: it starts again when a page had to be read from disk. Faults for devices and drivers do not.</param>
    public FaultOutcome HandleFault(Vma vma, ulong vpn, bool write, bool mayRetry = false)
    {
        _memory.Count.Faults++;
        ref PmdSlot slot = ref PageTables.SlotOf(_tables.EnsurePmdTable(vpn), vpn);
        if (slot.IsEmpty && vma.IsAnonymous && vma.Traits.HugePage && vma.HoldsBlock(vpn))
        {
            if (TryHugeAnonymousFault(vma, vpn, write, ref slot))
            {
                return FaultOutcome.Done;
            }
        }
        else if (slot.IsHuge)
        {
            if (!write || slot.Huge.IsWritable)
            {
                slot.Huge.Flags |= write ? EntryFlags.Dirty | EntryFlags.SoftDirty : EntryFlags.None;
                return FaultOutcome.Done;
            }

            if (TryReuseHuge(vma, ref slot))
            {
                return FaultOutcome.Done;
            }

            SplitHugeMapping(vpn);
        }

        PageEntry entry = slot.Table is null ? default : slot.Table.Entries[PageTables.IndexInTable(vpn)];
        switch (entry.Kind)
        {
            case PageEntryKind.None when vma.IsAnonymous:
                return AnonymousFault(vma, vpn, write);
            case PageEntryKind.None:
                return FileFault(vma, vpn, write, mayRetry);
            case PageEntryKind.Present:
                if (!write)
                {
                    return FaultOutcome.Done;
                }

                if (!entry.IsWritable)
                {
                    return WriteProtectFault(vma, vpn);
                }

                // A fault taken on a writable entry marks it dirty in software, and that counts as soft-dirty.
                EntryAt(vpn).Flags |= EntryFlags.Dirty | EntryFlags.SoftDirty;
                return FaultOutcome.Done;
            default:
                return NonPresentFault(vma, vpn, write);
        }
    }

    /// <summary>What do_swap_page does: swap, device-private, device-exclusive and migration entries.</summary>
    private FaultOutcome NonPresentFault(Vma vma, ulong vpn, bool write)
    {
        PageEntry entry = EntryAt(vpn);
        switch (entry.Kind)
        {
            case PageEntryKind.DevicePrivate:
                return MigrateToRam(vma, vpn, entry.Number);
            case PageEntryKind.DeviceExclusive:
                Invalidate(vpn, vpn + 1, InvalidationEvent.Exclusive);
                RestoreExclusive(vma, ref EntryAt(vpn));
                _memory.Count.ExclusiveEnds++;
                return FaultOutcome.Done;
            case PageEntryKind.Swap:
                return SwapIn(vma, vpn, write);
            case PageEntryKind.Marker:
                return FaultOutcome.SigBus;
            default:
                return FaultOutcome.Wait;
        }
    }

    /// <summary>The entry of a page that has a table.</summary>
    private ref PageEntry EntryAt(ulong vpn) => ref _tables.FindTable(vpn)!.Entries[PageTables.IndexInTable(vpn)];

    private FaultOutcome AnonymousFault(Vma vma, ulong vpn, bool write)
    {
        PageTable table = _tables.EnsureTable(vpn);
        ref PageEntry entry = ref table.Entries[PageTables.IndexInTable(vpn)];
        if (!write)
        {
            entry = new PageEntry(PageEntryKind.Present, PhysicalMemory.ZeroFrame, EntryFlags.None);
            _memory.Count.ZeroPageFaults++;
            return FaultOutcome.Done;
        }

        _vmas.PrepareAnon(vma);
        if (!_physical.TryAllocateSystem(out uint pfn))
        {
            return FaultOutcome.OutOfMemory;
        }

        MapNewAnonymous(vma, vpn, ref entry, pfn);
        return FaultOutcome.Done;
    }

    /// <summary>Maps a page nobody else has: writable, dirty, exclusive. The mapping takes over the allocation's reference.</summary>
    private void MapNewAnonymous(Vma vma, ulong vpn, ref PageEntry entry, uint pfn)
    {
        ref Frame frame = ref _physical[pfn];
        frame.Flags |= FrameFlags.Anonymous | FrameFlags.SwapBacked | FrameFlags.AnonExclusive | FrameFlags.Lru;
        frame.Index = vma.IndexOf(vpn);
        frame.AnonNumber = vma.Anon!.Number;
        _physical.AddMapping(pfn);
        EntryFlags flags = vma.CanWrite ? EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty : EntryFlags.None;
        entry = new PageEntry(PageEntryKind.Present, pfn, flags);
    }

    /// <summary>A write to a present entry without write permission (do_wp_page).</summary>
    private FaultOutcome WriteProtectFault(Vma vma, ulong vpn)
    {
        ref PageEntry entry = ref EntryAt(vpn);
        if (vma.IsShared)
        {
            entry.Flags |= EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty;
            _physical.MarkDirty(entry.Number);
            return FaultOutcome.Done;
        }

        if (!entry.IsZeroPage && !entry.IsSpecial && _physical[_physical.HeadOf(entry.Number)].Has(FrameFlags.Anonymous) && CanReuse(entry.Number))
        {
            if (!_physical[entry.Number].Has(FrameFlags.AnonExclusive))
            {
                _physical[entry.Number].Set(FrameFlags.AnonExclusive, true);
                _physical[entry.Number].AnonNumber = vma.Anon!.Number;
            }

            entry.Flags |= EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty;
            return FaultOutcome.Done;
        }

        return CopyOnWrite(vma, vpn);
    }

    /// <summary>The page is this entry's alone: known so, or found so by its references. Pages of a 2 MiB folio are not looked into.</summary>
    private bool CanReuse(uint pfn)
    {
        if (_physical[pfn].Has(FrameFlags.AnonExclusive))
        {
            return true;
        }

        if (_physical[pfn].Has(FrameFlags.Large))
        {
            return false;
        }

        int cacheReference = _physical[pfn].SlotPlusOne != 0 ? 1 : 0;
        if (_physical[pfn].RefCount > 1 + cacheReference)
        {
            return false;
        }

        _physical.TryFreeSwap(pfn);
        return _physical[pfn].RefCount == 1;
    }

    private FaultOutcome CopyOnWrite(Vma vma, ulong vpn)
    {
        _vmas.PrepareAnon(vma);
        if (!_physical.TryAllocateSystem(out uint copy))
        {
            return FaultOutcome.OutOfMemory;
        }

        ref PageEntry entry = ref EntryAt(vpn);
        PageEntry old = entry;
        _physical.SetContent(copy, ContentOf(old));
        Invalidate(vpn, vpn + 1, InvalidationEvent.Clear);
        MapNewAnonymous(vma, vpn, ref entry, copy);
        _memory.Count.PagesCopied++;
        if (!old.IsZeroPage && !old.IsSpecial)
        {
            _physical.RemoveMapping(old.Number);
            _physical.PutUnmapped(old.Number);
        }

        return FaultOutcome.Done;
    }

    /// <summary>What a present entry shows; what stands behind one without struct page is not kept.</summary>
    private ulong ContentOf(PageEntry entry) => entry.IsSpecial ? 0 : _physical.ContentOf(entry.Number);

    /// <summary>Brings a page back from swap; a write goes on to copy or reuse it.</summary>
    private FaultOutcome SwapIn(Vma vma, ulong vpn, bool write)
    {
        PageEntry old = EntryAt(vpn);
        uint slot = old.Number;
        uint? cached = _physical.Swap.CachedFrame(slot);
        bool isKnown = cached is not null;
        bool fresh = false;
        if (cached is { } copy && _physical[copy].Has(FrameFlags.Locked))
        {
            return FaultOutcome.Wait;
        }

        if (cached is null)
        {
            if (!_physical.TryAllocateSystem(out uint taken))
            {
                return FaultOutcome.OutOfMemory;
            }

            _physical.SetContent(taken, _physical.Swap.ContentOf(slot));
            _physical[taken].Flags |= FrameFlags.Anonymous | FrameFlags.SwapBacked | FrameFlags.Lru;
            _memory.Count.PagesSwappedIn++;

            // A slot only this entry refers to is read past the swap cache; one that others need too is kept as their copy.
            fresh = _physical.Swap.EntryCount(slot) == 1;
            if (!fresh)
            {
                _physical.AddToSwapCache(taken, slot);
            }

            cached = taken;
        }
        else
        {
            _physical.Get(cached.Value);
        }

        uint pfn = cached.Value;
        _physical.Swap.RemoveEntry(slot);
        if (write && _physical[pfn].SlotPlusOne != 0 && _physical[pfn].RefCount == 2)
        {
            _physical.TryFreeSwap(pfn);
        }

        ref PageEntry entry = ref EntryAt(vpn);
        EntryFlags flags = old.Flags & EntryFlags.SoftDirty;
        bool exclusive = fresh || (old.Flags & EntryFlags.Exclusive) != 0 || _physical[pfn].RefCount == 1;
        if (exclusive)
        {
            _physical[pfn].Set(FrameFlags.AnonExclusive, true);
            if (vma.CanWrite && (vma.SoftDirty || old.IsSoftDirty))
            {
                flags |= EntryFlags.Writable;
                if (write)
                {
                    flags |= EntryFlags.Dirty | EntryFlags.SoftDirty;
                    write = false;
                }
            }
        }

        if (!isKnown)
        {
            // A page that might be shared belongs to the oldest ancestor, from which everyone is found.
            _physical[pfn].Index = vma.IndexOf(vpn);
            _physical[pfn].AnonNumber = exclusive ? vma.Anon!.Number : RootOf(vma.Anon!).Number;
        }

        _physical.AddMapping(pfn);
        entry = new PageEntry(PageEntryKind.Present, pfn, flags);
        return write ? WriteProtectFault(vma, vpn) : FaultOutcome.Done;
    }

    private static AnonVma RootOf(AnonVma anon) => anon.Parent is null ? anon : RootOf(anon.Parent);

    /// <summary>Turns a device-exclusive entry back into a present one; the page was never moved.</summary>
    private void RestoreExclusive(Vma vma, ref PageEntry entry)
    {
        EntryFlags flags = entry.Flags & EntryFlags.SoftDirty;
        if (entry.IsWritable && vma.CanWrite)
        {
            flags |= EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty;
        }

        _physical[entry.Number].Set(FrameFlags.HeldExclusively, false);
        _physical.AddMapping(entry.Number);
        entry = new PageEntry(PageEntryKind.Present, entry.Number, flags);
    }
}
