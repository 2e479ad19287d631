namespace HmmFast.Reference;

/// <summary>Faults on empty entries of file mappings.</summary>
internal sealed partial class ReferenceAddressSpace
{
    /// <summary>Pages around a faulting file page that are mapped along when they are in the page cache (64 KiB).</summary>
    private const ulong FaultAroundPages = 16;

    private FaultOutcome FileFault(Vma vma, ulong vpn, bool write, bool mayRetry)
    {
        if (vma.File is null)
        {
            // Driver mappings are filled when they are made; nothing can be faulted in later.
            return FaultOutcome.SigBus;
        }

        FaultOutcome outcome = FileFault(vma, vpn, write, mayRetry ? FaultAttempt.First : FaultAttempt.Only);
        return outcome == FaultOutcome.Retry ? FileFault(vma, vpn, write, FaultAttempt.Second) : outcome;
    }

    private FaultOutcome FileFault(Vma vma, ulong vpn, bool write, FaultAttempt attempt)
    {
        if (!write)
        {
            return ReadFileFault(vma, vpn, attempt);
        }

        return vma.IsShared ? WriteSharedFault(vma, vpn, attempt) : CopyFileFault(vma, vpn, attempt);
    }

    private FaultOutcome ReadFileFault(Vma vma, ulong vpn, FaultAttempt attempt)
    {
        if (MapAround(vma, vpn))
        {
            return FaultOutcome.Done;
        }

        FaultOutcome outcome = _memory.FindFilePage(vma.File!, vma.IndexOf(vpn), attempt, out uint pfn);
        if (outcome == FaultOutcome.Done)
        {
            MapFilePage(vma, ref _tables.EnsureTable(vpn).Entries[PageTables.IndexInTable(vpn)], pfn);
        }

        return outcome;
    }

    private FaultOutcome WriteSharedFault(Vma vma, ulong vpn, FaultAttempt attempt)
    {
        FaultOutcome outcome = _memory.FindFilePage(vma.File!, vma.IndexOf(vpn), attempt, out uint pfn);
        if (outcome == FaultOutcome.Done)
        {
            ref PageEntry entry = ref _tables.EnsureTable(vpn).Entries[PageTables.IndexInTable(vpn)];
            MapFilePage(vma, ref entry, pfn);
            entry.Flags |= EntryFlags.Writable | EntryFlags.Dirty | EntryFlags.SoftDirty;
            _physical.MarkDirty(pfn);
        }

        return outcome;
    }

    /// <summary>First write to a private file page: the copy's frame is taken before the file's page is looked for.</summary>
    private FaultOutcome CopyFileFault(Vma vma, ulong vpn, FaultAttempt attempt)
    {
        _vmas.PrepareAnon(vma);
        if (!_physical.TryAllocateSystem(out uint copy))
        {
            return FaultOutcome.OutOfMemory;
        }

        FaultOutcome outcome = _memory.FindFilePage(vma.File!, vma.IndexOf(vpn), attempt, out uint pfn);
        if (outcome != FaultOutcome.Done)
        {
            _physical.Put(copy);
            return outcome;
        }

        _physical.SetContent(copy, _physical.ContentOf(pfn));
        MapNewAnonymous(vma, vpn, ref _tables.EnsureTable(vpn).Entries[PageTables.IndexInTable(vpn)], copy);
        _memory.Count.PagesCopied++;
        return FaultOutcome.Done;
    }

    private void MapFilePage(Vma vma, ref PageEntry entry, uint pfn)
    {
        _physical.Get(pfn);
        _physical.AddMapping(pfn);
        entry = new PageEntry(PageEntryKind.Present, pfn, vma.MapsWritableOnRead ? EntryFlags.Writable : EntryFlags.None);
    }

    /// <summary>
    /// Fault-around: maps every empty page of the window whose file page is in the page cache. The window is 16 pages from the 64 KiB border, or
    /// from the VMA's start where that is later, inside VMA and 2 MiB block. True when the faulting page was among them.
    /// </summary>
    private bool MapAround(Vma vma, ulong vpn)
    {
        ulong from = Math.Max(vpn & ~(FaultAroundPages - 1), vma.Start);
        ulong to = Math.Min(Math.Min(from + FaultAroundPages, PageTables.BlockEnd(vpn)), vma.End);
        bool found = false;
        for (ulong page = from; page < to; page++)
        {
            CachedPage cached = vma.File![vma.IndexOf(page)];
            if (cached.Kind != CachedPageKind.InMemory || _physical[cached.Number].Has(FrameFlags.ReadAheadMark | FrameFlags.Locked))
            {
                continue;
            }

            ref PageEntry entry = ref _tables.EnsureTable(page).Entries[PageTables.IndexInTable(page)];
            if (entry.IsNone)
            {
                MapFilePage(vma, ref entry, cached.Number);
                found |= page == vpn;
            }
        }

        return found;
    }
}
