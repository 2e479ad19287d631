namespace HmmFast.Reference;

/// <summary>migrate_vma: setup, pages, finalize; and the way back that a fault takes.</summary>
internal sealed partial class ReferenceAddressSpace
{
    /// <summary>How far a migration has come.</summary>
    private enum MigrationPhase
    {
        Collected,
        Moved,
        Finished,
    }

    public HmmStatus MigrateVmaSetup(MigrateVma migration)
    {
        ArgumentNullException.ThrowIfNull(migration);
        CheckRange(migration.Range);
        if (migration.Context is MigrationState { Phase: not MigrationPhase.Finished } state)
        {
            throw new InvalidOperationException($"The migration of {migration.Range} is in phase {state.Phase}; finalize it before setting it up again.");
        }

        ulong start = migration.Range.Start.Value;
        ulong end = migration.Range.End.Value;
        Vma? vma = _vmas.Find(start);
        if (start == end || vma is null || end > vma.End || vma.Traits.IsSpecial)
        {
            return HmmStatus.Invalid;
        }

        migration.Context = new MigrationState(this);
        Array.Clear(migration.Source);
        Array.Clear(migration.Destination);
        Invalidate(start, end, InvalidationEvent.Migrate, migration.PagemapOwner);
        Collect(migration, vma, start, end);
        IsolateAndUnmap(migration);
        return HmmStatus.Ok;
    }

    public void MigrateVmaPages(MigrateVma migration)
    {
        MigrationState state = StateOf(migration, MigrationPhase.Collected);
        Vma? vma = _vmas.Find(migration.Range.Start.Value);
        CheckEntries(migration, isWhole: vma is not null && migration.Range.End.Value <= vma.End);
        state.Phase = MigrationPhase.Moved;
        bool told = false;
        for (int i = 0; i < (int)migration.Range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            if (!destination.IsValid)
            {
                migration.Source[i] = source.WithoutMigrate();
                continue;
            }

            if (!source.IsMigrating)
            {
                continue;
            }

            uint into = (uint)destination.Pfn.Value;
            ulong vpn = migration.Range.Start.Value + (ulong)i;
            bool moved;
            if (source.IsValid)
            {
                moved = TryMoveIdentity((uint)source.Pfn.Value, into);
            }
            else
            {
                if (!told)
                {
                    told = true;
                    Invalidate(vpn, migration.Range.End.Value, InvalidationEvent.Migrate, migration.PagemapOwner);
                }

                moved = TryInsertPage(vma!, vpn, into);
            }

            if (!moved)
            {
                migration.Source[i] = source.WithoutMigrate();
                continue;
            }

            if (_physical.DeviceOf(into) is not null)
            {
                _memory.Count.PagesMigratedToDevice++;
            }
            else if (source.IsValid && _physical.DeviceOf((uint)source.Pfn.Value) is not null)
            {
                _memory.Count.PagesMigratedToSystem++;
            }
        }
    }

    public void MigrateVmaFinalize(MigrateVma migration)
    {
        MigrationState state = StateOf(migration, MigrationPhase.Moved);
        state.Phase = MigrationPhase.Finished;
        for (int i = 0; i < (int)migration.Range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            if (source.IsValid)
            {
                uint from = (uint)source.Pfn.Value;
                uint into = source.IsMigrating && destination.IsValid ? (uint)destination.Pfn.Value : from;
                RemoveMigrationEntries(from, into);
                _physical.PutUnmapped(from);
            }

            bool isInserted = source.IsMigrating && !source.IsValid;
            if (destination.IsValid && !isInserted)
            {
                // A destination that was used is kept by its mappings; one that was not is free again. One that was put where nothing was is the mapping's since then.
                _physical.Put((uint)destination.Pfn.Value);
            }
        }
    }

    /// <summary>
    /// A CPU touch or a foreign device's fault on a device-private page: its driver migrates that page back. The new frame is taken before the
    /// device's page is given up; without one everything stays as it is.
    /// </summary>
    private FaultOutcome MigrateToRam(Vma vma, ulong vpn, uint devicePage)
    {
        Device device = _physical.DeviceOf(devicePage)!;
        MigrateVma migration = new(new VpnRange(new Vpn(vpn), 1), MigrateVmaFlags.SelectDevicePrivate, device.Owner);
        MigrateVmaSetup(migration);
        bool collected = migration.Source[0].IsMigrating;
        uint systemPage = 0;
        bool taken = collected && _physical.TryAllocateSystem(out systemPage);
        if (taken)
        {
            _physical.SetContent(systemPage, _physical.ContentOf(devicePage));
            migration.Destination[0] = MigratePfn.Of(new Pfn(systemPage), migrating: true, migration.Source[0].IsWritable);
        }

        MigrateVmaPages(migration);
        bool moved = migration.Source[0].IsMigrating;
        MigrateVmaFinalize(migration);
        if (moved)
        {
            _memory.Count.MigrateToRamFaults++;
            device.Options.Ops?.MigratedToRam(this, new Vpn(vpn), new Pfn(devicePage), new Pfn(systemPage));
            return FaultOutcome.Done;
        }

        return collected && !taken ? FaultOutcome.OutOfMemory : FaultOutcome.SigBus;
    }

    private void Collect(MigrateVma migration, Vma vma, ulong start, ulong end)
    {
        for (ulong vpn = start; vpn < end;)
        {
            ulong next = Math.Min(end, PageTables.BlockEnd(vpn));
            PmdTable? pmd = _tables.FindPmdTable(vpn);
            if (pmd is not null && PageTables.SlotOf(pmd, vpn) is { IsHuge: true } huge && !PrepareHuge(huge.Huge.Number, vpn))
            {
                vpn = next;
                continue;
            }

            PageTable? table = _tables.FindTable(vpn);
            for (; vpn < next; vpn++)
            {
                MigratePfn source;
                if (table is null || table.Entries[PageTables.IndexInTable(vpn)].IsNone)
                {
                    source = vma.IsAnonymous ? MigratePfn.Empty : MigratePfn.None;
                }
                else
                {
                    source = CollectEntry(migration, ref table.Entries[PageTables.IndexInTable(vpn)]);
                }

                migration.Source[vpn - start] = source;
            }
        }
    }

    /// <summary>A 2 MiB entry is split before its pages are looked at, whether or not any of them will move.</summary>
    private bool PrepareHuge(uint head, ulong vpn)
    {
        if (_physical.IsHugeZero(head))
        {
            SplitHugeMapping(vpn);
            return true;
        }

        return TrySplitFolio(_memory, head);
    }

    /// <summary>One entry: what it offers, and if its page is selected a migration entry in its place and a reference on the page.</summary>
    private MigratePfn CollectEntry(MigrateVma migration, ref PageEntry entry)
    {
        bool system = (migration.Flags & MigrateVmaFlags.SelectSystem) != 0;
        if (entry.IsZeroPage)
        {
            return system ? MigratePfn.Empty : MigratePfn.None;
        }

        if (!entry.HoldsFrame)
        {
            return MigratePfn.None;
        }

        uint pfn = entry.Number;
        MigrateVmaFlags kind = _physical.DeviceOf(pfn)?.Options.Kind switch
        {
            DeviceMemoryKind.Private => MigrateVmaFlags.SelectDevicePrivate,
            DeviceMemoryKind.Coherent => MigrateVmaFlags.SelectDeviceCoherent,
            _ => MigrateVmaFlags.SelectSystem,
        };
        bool owned = kind == MigrateVmaFlags.SelectSystem || _physical.DeviceOf(pfn)!.Owner == migration.PagemapOwner;
        if ((migration.Flags & kind) == 0 || !owned || _physical[pfn].Has(FrameFlags.Large))
        {
            return MigratePfn.None;
        }

        _physical.Get(pfn);
        _physical[pfn].Set(FrameFlags.Locked, true);
        MigratePfn source = MigratePfn.Of(new Pfn(pfn), migrating: true, entry.IsWritable);
        ReplaceByMigrationEntry(ref entry);
        return source;
    }

    private void ReplaceByMigrationEntry(ref PageEntry entry)
    {
        uint pfn = entry.Number;
        ref Frame frame = ref _physical[pfn];
        EntryFlags flags = entry.Flags & (EntryFlags.Writable | EntryFlags.SoftDirty | EntryFlags.Dirty);
        if (frame.Has(FrameFlags.Anonymous) && frame.Has(FrameFlags.AnonExclusive))
        {
            flags |= EntryFlags.Exclusive;
            frame.Set(FrameFlags.AnonExclusive, false);
        }

        frame.Set(FrameFlags.Dirty, frame.Has(FrameFlags.Dirty) || entry.IsDirty);
        entry = new PageEntry(PageEntryKind.Migration, pfn, flags);
        _physical.RemoveMapping(pfn);
        _physical.Put(pfn);
    }

    /// <summary>Takes the collected pages away from everyone else too; pages that somebody holds beyond that are put back.</summary>
    private void IsolateAndUnmap(MigrateVma migration)
    {
        int count = (int)migration.Range.PageCount;
        for (int i = 0; i < count; i++)
        {
            MigratePfn source = migration.Source[i];
            if (!source.IsValid)
            {
                migration.CollectedPageCount += source.IsMigrating ? 1UL : 0;
                continue;
            }

            uint pfn = (uint)source.Pfn.Value;
            bool movable = _physical[pfn].Has(FrameFlags.Lru) || _physical.DeviceOf(pfn) is not null;
            if (movable && _physical.FolioMapCount(pfn) > 0)
            {
                UnmapEverywhere(pfn);
            }

            // Ours, and the one a page cache or the swap cache has.
            int known = 1 + (_physical[pfn].SlotPlusOne != 0 || _physical[pfn].FilePlusOne != 0 ? 1 : 0);
            if (movable && _physical[pfn].RefCount == known)
            {
                migration.CollectedPageCount++;
                continue;
            }

            migration.Source[i] = source.WithoutMigrate();
        }

        for (int i = 0; i < count; i++)
        {
            MigratePfn source = migration.Source[i];
            if (source.IsValid && !source.IsMigrating)
            {
                uint pfn = (uint)source.Pfn.Value;
                RemoveMigrationEntries(pfn, pfn);
                migration.Source[i] = MigratePfn.None;
                _physical.PutUnmapped(pfn);
            }
        }
    }

    /// <summary>try_to_migrate: every other mapping of the page becomes a migration entry too.</summary>
    private void UnmapEverywhere(uint pfn)
    {
        foreach (FolioPlace place in _memory.PlacesOf(pfn))
        {
            // Notifiers hear of every place that is looked at, mapped there or not, until the last mapping is gone.
            place.Space.Invalidate(place.Start, place.End, InvalidationEvent.Clear);
            PageEntry entry = place.Space._tables.Read(place.Start);
            if (entry.HoldsFrame && entry.Number == pfn)
            {
                place.Space.ReplaceByMigrationEntry(ref place.Space.EntryAt(place.Start));
            }

            if (_physical.FolioMapCount(pfn) == 0)
            {
                return;
            }
        }
    }

    /// <summary>remove_migration_ptes: wherever the old page left a migration entry the new one is mapped, with the rights the entry had.</summary>
    private void RemoveMigrationEntries(uint from, uint into)
    {
        _physical[from].Set(FrameFlags.Locked, false);
        _physical[into].Set(FrameFlags.Locked, false);
        foreach ((ReferenceAddressSpace space, Vma vma, ulong vpn, ulong _) in _memory.PlacesOf(from))
        {
            PageEntry old = space._tables.Read(vpn);
            if (old.Kind == PageEntryKind.Migration && old.Number == from)
            {
                space.EntryAt(vpn) = MapMigrated(vma, old, into);
            }
        }
    }

    private PageEntry MapMigrated(Vma vma, PageEntry old, uint pfn)
    {
        ref Frame frame = ref _physical[pfn];
        _physical.Get(pfn);
        _physical.AddMapping(pfn);
        if (frame.Has(FrameFlags.Anonymous) && (old.Flags & (EntryFlags.Writable | EntryFlags.Exclusive)) != 0)
        {
            frame.Set(FrameFlags.AnonExclusive, true);
        }

        EntryFlags flags = old.Flags & (EntryFlags.Writable | EntryFlags.SoftDirty);
        if (_physical.IsDevicePrivate(pfn))
        {
            return new PageEntry(PageEntryKind.DevicePrivate, pfn, flags);
        }

        flags |= vma.MapsWritableOnRead ? EntryFlags.Writable : EntryFlags.None;
        flags |= old.IsDirty && frame.Has(FrameFlags.Dirty) ? EntryFlags.Dirty : EntryFlags.None;
        return new PageEntry(PageEntryKind.Present, pfn, flags);
    }

    /// <summary>Makes the new page what the old one was; only anonymous pages out of the swap cache can become device pages.</summary>
    private bool TryMoveIdentity(uint from, uint into)
    {
        bool toDevice = _physical.DeviceOf(into) is not null;
        bool cached = _physical[from].FilePlusOne != 0 || _physical[from].SlotPlusOne != 0;
        if (toDevice && cached && (_physical[from].FilePlusOne != 0 || !_physical.TryFreeSwap(from)))
        {
            return false;
        }

        cached = _physical[from].FilePlusOne != 0 || _physical[from].SlotPlusOne != 0;
        if (_physical[from].RefCount != (cached ? 2 : 1))
        {
            return false;
        }

        ref Frame old = ref _physical[from];
        ref Frame made = ref _physical[into];
        made.Flags |= old.Flags & (FrameFlags.Anonymous | FrameFlags.SwapBacked | FrameFlags.Dirty);
        made.Set(FrameFlags.Lru, !toDevice);
        made.Set(FrameFlags.Locked, true);
        made.Index = old.Index;
        made.AnonNumber = old.AnonNumber;
        if (old.FilePlusOne != 0)
        {
            PageFile file = _memory.FileOfFrame(from);
            made.FilePlusOne = old.FilePlusOne;
            _physical.Get(into);
            file[old.Index] = new CachedPage(CachedPageKind.InMemory, into);
            _physical.Put(from);
        }
        else if (old.SlotPlusOne != 0)
        {
            uint slot = old.SlotPlusOne - 1;
            old.SlotPlusOne = 0;
            _physical.AddToSwapCache(into, slot);
            _physical.Put(from);
        }

        return true;
    }

    /// <summary>migrate_vma_insert_page: a page for an empty entry or the zero page, if it is still one of them.</summary>
    private bool TryInsertPage(Vma vma, ulong vpn, uint pfn)
    {
        if (!vma.IsAnonymous || _tables.IsHuge(vpn))
        {
            return false;
        }

        ref PageEntry entry = ref _tables.EnsureTable(vpn).Entries[PageTables.IndexInTable(vpn)];
        _vmas.PrepareAnon(vma);
        if (!entry.IsNone && !entry.IsZeroPage)
        {
            return false;
        }

        MapNewAnonymous(vma, vpn, ref entry, pfn);
        _physical[pfn].Set(FrameFlags.Lru, _physical.DeviceOf(pfn) is null);
        if (_physical.IsDevicePrivate(pfn))
        {
            entry = new PageEntry(PageEntryKind.DevicePrivate, pfn, vma.CanWrite ? EntryFlags.Writable : EntryFlags.None);
        }

        return true;
    }

    private MigrationState StateOf(MigrateVma migration, MigrationPhase expected)
    {
        ArgumentNullException.ThrowIfNull(migration);
        ThrowIfExited();
        if (migration.Context is not MigrationState state || state.Space != this || state.Phase != expected)
        {
            throw new InvalidOperationException($"The migration of {migration.Range} was not brought to phase {expected} in this address space.");
        }

        return state;
    }

    private void CheckEntries(MigrateVma migration, bool isWhole)
    {
        for (int i = 0; i < (int)migration.Range.PageCount; i++)
        {
            MigratePfn destination = migration.Destination[i];
            if (!destination.IsValid)
            {
                continue;
            }

            ulong pfn = destination.Pfn.Value;
            bool fresh = pfn <= uint.MaxValue && pfn != PhysicalMemory.ZeroFrame
                && _physical[(uint)pfn].Has(FrameFlags.InUse) && !_physical[(uint)pfn].Has(FrameFlags.Anonymous | FrameFlags.Poisoned)
                && _physical[(uint)pfn].RefCount == 1 && _physical.FolioMapCount((uint)pfn) == 0 && _physical[(uint)pfn].FilePlusOne == 0;
            if (!fresh)
            {
                throw new ArgumentException($"Destination {i} names {destination.Pfn}, which was not just taken for a migration.", nameof(migration));
            }

            MigratePfn source = migration.Source[i];
            if (source.IsMigrating && !source.IsValid && !isWhole)
            {
                throw new InvalidOperationException($"Source {i} is an empty page, but {migration.Range} is not in one VMA any more.");
            }

            PageEntry entry = _tables.Read(migration.Range.Start.Value + (ulong)i);
            if (source.IsMigrating && source.IsValid && (entry.Kind != PageEntryKind.Migration || entry.Number != source.Pfn.Value))
            {
                throw new InvalidOperationException(
                    $"Source {i} says {source.Pfn}, but page 0x{migration.Range.Start.Value + (ulong)i:x} does not wait for it any more: it was changed since the migration was set up.");
            }
        }
    }

    /// <summary>What the calls of one migration hand on to each other.</summary>
    private sealed class MigrationState(ReferenceAddressSpace space)
    {
        public ReferenceAddressSpace Space { get; } = space;

        public MigrationPhase Phase { get; set; } = MigrationPhase.Collected;
    }
}
