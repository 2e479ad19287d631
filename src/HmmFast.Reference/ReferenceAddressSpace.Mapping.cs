namespace HmmFast.Reference;

/// <summary>mmap, munmap, zapping, and CPU accesses.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private HmmStatus MapRange(ulong start, ulong end, Protection protection, MappingKind kind, PageFile? file, ulong pageOffset)
    {
        UnmapRange(start, end);
        if (kind == MappingKind.DriverMixed && _physical.System.FreeCount < end - start)
        {
            return HmmStatus.OutOfMemory;
        }

        bool isPrivate = kind is MappingKind.PrivateAnonymous or MappingKind.PrivateFile;
        bool account = isPrivate && (protection & Protection.Write) != 0;
        Vma made = new()
        {
            Start = start,
            End = end,
            Traits = new VmaTraits(protection, kind, HugePage: false, NoHugePage: false, account),
            SoftDirty = true,
            File = kind == MappingKind.SharedAnonymous ? _memory.CreateNamelessFile(end - start) : file,
            PageOffset = kind switch
            {
                MappingKind.PrivateAnonymous => start,
                MappingKind.SharedAnonymous => 0,
                _ => pageOffset,
            },
        };
        Vma vma = _vmas.Place(made);
        vma.SoftDirty = true;
        if (kind == MappingKind.DriverMixed)
        {
            InsertDriverPages(vma);
        }

        return HmmStatus.Ok;
    }

    /// <summary>vm_insert_page for each page: ordinary frames that belong to the driver, mapped read-only as a private mapping's are.</summary>
    private void InsertDriverPages(Vma vma)
    {
        for (ulong vpn = vma.Start; vpn < vma.End; vpn++)
        {
            _physical.TryAllocateSystem(out uint pfn);
            _physical.AddMapping(pfn);
            _physical[pfn].Index = vma.IndexOf(vpn);
            _tables.EnsureTable(vpn).Entries[PageTables.IndexInTable(vpn)] = new PageEntry(PageEntryKind.Present, pfn, EntryFlags.None);
        }
    }

    private void UnmapRange(ulong start, ulong end)
    {
        Vma? first = _vmas.FindAtOrAfter(start);
        if (first is null || first.Start >= end)
        {
            return;
        }

        if (first.Start < start)
        {
            _vmas.Split(first, start);
        }

        if (_vmas.Find(end) is { } last && last.Start < end)
        {
            _vmas.Split(last, end);
        }

        List<Vma> gone = [];
        for (Vma? vma = _vmas.FindAtOrAfter(start); vma is not null && vma.Start < end; vma = _vmas.After(vma))
        {
            gone.Add(vma);
        }

        Invalidate(start, end, InvalidationEvent.Unmap);
        foreach (Vma vma in gone)
        {
            Zap(vma, vma.Start, vma.End);
        }

        foreach (Vma vma in gone)
        {
            _vmas.Remove(vma);
        }

        FreeTables(gone, start, end);
        foreach (Vma vma in gone)
        {
            DropObject(vma);
        }
    }

    /// <summary>Frees page tables under unmapped VMAs, neighbours closer than 2 MiB taken together.</summary>
    private void FreeTables(List<Vma> gone, ulong start, ulong end)
    {
        (Vma? previous, Vma? next) = _vmas.Around(start, end);
        ulong floor = previous?.End ?? 0;
        for (int i = 0; i < gone.Count;)
        {
            ulong from = gone[i].Start;
            ulong to = gone[i].End;
            for (i++; i < gone.Count && gone[i].Start <= to + PageTables.PagesPerBlock; i++)
            {
                to = gone[i].End;
            }

            ulong ceiling = i < gone.Count ? gone[i].Start : next?.Start ?? ulong.MaxValue;
            _tables.Free(from, to, floor, ceiling);
        }
    }

    private void DropObject(Vma vma)
    {
        if (vma.File is not null)
        {
            _memory.DropIfUnmapped(vma.File);
        }
    }

    /// <summary>Empties the entries of a range and lets go of what they held; the tables stay. The caller has told the notifiers.</summary>
    private void Zap(Vma vma, ulong start, ulong end)
    {
        for (ulong vpn = start; vpn < end;)
        {
            ulong next = Math.Min(end, PageTables.BlockEnd(vpn));
            PmdTable? pmd = _tables.FindPmdTable(vpn);
            if (pmd is null)
            {
                vpn = Math.Min(end, PageTables.GibibyteEnd(vpn));
                continue;
            }

            ref PmdSlot slot = ref PageTables.SlotOf(pmd, vpn);
            if (slot.IsHuge)
            {
                if (next - vpn == PageTables.PagesPerBlock)
                {
                    ZapHuge(ref slot);
                    vpn = next;
                    continue;
                }

                SplitHugeMapping(vpn);
            }

            for (; slot.Table is not null && vpn < next; vpn++)
            {
                ZapEntry(ref slot.Table.Entries[PageTables.IndexInTable(vpn)]);
            }

            vpn = next;
        }
    }

    private void ZapEntry(ref PageEntry entry)
    {
        PageEntry old = entry;
        entry = default;
        switch (old.Kind)
        {
            case PageEntryKind.Present when !old.IsZeroPage && !old.IsSpecial:
                uint head = _physical.HeadOf(old.Number);
                if (old.IsDirty && !_physical[head].Has(FrameFlags.Anonymous))
                {
                    _physical.MarkDirty(old.Number);
                }

                _physical.RemoveMapping(old.Number);
                _physical.PutUnmapped(old.Number);
                break;
            case PageEntryKind.DevicePrivate:
                _physical.RemoveMapping(old.Number);
                _physical.Put(old.Number);
                break;
            case PageEntryKind.DeviceExclusive:
                _physical[old.Number].Set(FrameFlags.HeldExclusively, false);
                _physical.PutUnmapped(old.Number);
                break;
            case PageEntryKind.Swap:
                _physical.FreeSwapEntry(old.Number);
                break;
        }
    }

    /// <summary>One page touched by the CPU: faults until the access is possible, as the hardware would.</summary>
    private CpuAccessResult Touch(ulong vpn, bool write, ulong tag, out ulong content)
    {
        content = 0;
        while (true)
        {
            Vma? vma = _vmas.Find(vpn);
            if (vma is null)
            {
                return CpuAccessResult.SegvMapErr;
            }

            if (write ? !vma.CanWrite : vma.Protection == Protection.None)
            {
                return CpuAccessResult.SegvAccErr;
            }

            PageEntry entry = _tables.Read(vpn);
            if (entry.IsPresent && (!write || entry.IsWritable))
            {
                if (write)
                {
                    MarkDirtyByHardware(vpn);
                    _physical.SetContent(entry.Number, tag);
                }

                content = ContentOf(entry);
                return CpuAccessResult.Ok;
            }

            switch (HandleFault(vma, vpn, write, mayRetry: true))
            {
                case FaultOutcome.SigBus:
                    return CpuAccessResult.SigBus;
                case FaultOutcome.OutOfMemory:
                    return CpuAccessResult.OutOfMemory;
                case FaultOutcome.Wait:
                    throw new InvalidOperationException($"Page 0x{vpn:x} is in the middle of a migration; finish it before the CPU touches the page.");
            }
        }
    }

    /// <summary>The hardware's dirty bit; it knows nothing of soft-dirty.</summary>
    private void MarkDirtyByHardware(ulong vpn)
    {
        ref PmdSlot slot = ref PageTables.SlotOf(_tables.FindPmdTable(vpn)!, vpn);
        if (slot.IsHuge)
        {
            slot.Huge.Flags |= EntryFlags.Dirty;
        }
        else
        {
            slot.Table!.Entries[PageTables.IndexInTable(vpn)].Flags |= EntryFlags.Dirty;
        }
    }
}
