namespace HmmFast.Drivers.Mirror;

public sealed partial class MirrorDevice
{
    private readonly MigrateVma _migration;
    private readonly Pfn[] _exclusive = new Pfn[ChunkPageCount];

    private MigrateVmaFlags SelectOwn =>
        Kind == DeviceMemoryKind.Private ? MigrateVmaFlags.SelectDevicePrivate : MigrateVmaFlags.SelectDeviceCoherent;

    /// <summary>Moves pages to the device's memory, then reads the range through the mirror.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="pageCount">Pages.</param>
    /// <param name="tags">Receives each page's content.</param>
    /// <returns>
    /// Ok means that the mirror holds every page, not that every page moved. Invalid: no readable VMA, or one that cannot be migrated; what lies before
    /// has moved, PageCount is 0. NoEntry: a page is not in the mirror; pages on both sides of it have moved, PageCount leads up to it.
    /// Fault: <paramref name="tags"/> is too short; everything has been done.
    /// </returns>
    public MirrorResult MigrateToDevice(ulong addressBytes, ulong pageCount, Span<ulong> tags)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        ulong offset = 0;
        while (offset < range.PageCount)
        {
            if (!TrySetUp(range, offset, MigrateVmaFlags.SelectSystem, out VmaInfo vma))
            {
                return new MirrorResult(HmmStatus.Invalid, 0, 0);
            }

            CopyToDevice(vma);
            Space.MigrateVmaPages(_migration);
            EnterMigrated();
            Space.MigrateVmaFinalize(_migration);
            offset += _migration.Range.PageCount;
        }

        return ReadBack(range, tags);
    }

    /// <summary>Moves this device's own pages back to system memory; leaves all others.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="pageCount">Pages.</param>
    /// <returns>PageCount: pages moved. Invalid: no readable VMA, or one that cannot be migrated; what lies before has moved.</returns>
    public MirrorResult MigrateToSystem(ulong addressBytes, ulong pageCount)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        ulong moved = 0;
        ulong offset = 0;
        while (offset < range.PageCount)
        {
            if (!TrySetUp(range, offset, SelectOwn, out _))
            {
                return new MirrorResult(HmmStatus.Invalid, moved, 0);
            }

            CopyToSystem();
            Space.MigrateVmaPages(_migration);
            int count = (int)_migration.Range.PageCount;
            foreach (MigratePfn source in _migration.Source.AsSpan(0, count))
            {
                if (source.IsValid && source.IsMigrating)
                {
                    moved++;
                }
            }

            Space.MigrateVmaFinalize(_migration);
            offset += (ulong)count;
        }

        return new MirrorResult(HmmStatus.Ok, moved, 0);
    }

    /// <summary>Holds pages exclusively for the device's atomics, then reads the range through the mirror.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="pageCount">Pages.</param>
    /// <param name="tags">Receives each page's content.</param>
    /// <returns>
    /// Busy: not every page of a chunk became exclusive; those that did stay so, and the mirror holds them if every page could at least be faulted in. Fault: <paramref name="tags"/> is too short.
    /// </returns>
    public MirrorResult MakeExclusive(ulong addressBytes, ulong pageCount, Span<ulong> tags)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        for (ulong offset = 0; offset < range.PageCount; offset += ChunkPageCount)
        {
            VpnRange chunk = ChunkOf(range, offset);
            Span<Pfn> frames = _exclusive.AsSpan(0, (int)chunk.PageCount);
            HmmStatus status = Space.MakeDeviceExclusive(chunk, Owner, frames, out ulong faultedCount);
            if (status != HmmStatus.Ok || faultedCount != chunk.PageCount)
            {
                // The entries made exclusive stay so until their next touch, but the device does not use them.
                return new MirrorResult(HmmStatus.Busy, 0, 0);
            }

            bool all = true;
            for (int i = 0; i < frames.Length; i++)
            {
                if (frames[i].IsFrame)
                {
                    _mirror[chunk.Start.Value + (ulong)i] = new MirrorEntry(frames[i], MirrorAccess.Atomic);
                }

                all &= frames[i].IsFrame;
            }

            if (!all)
            {
                // Partly exclusive is of no use to an atomic that spans pages, though the table knows the pages that are.
                return new MirrorResult(HmmStatus.Busy, 0, 0);
            }
        }

        return ReadBack(range, tags);
    }

    /// <summary>Tells whether the device holds any page of a range exclusively, by its own table.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="pageCount">Pages.</param>
    /// <returns>NotPermitted when it holds one, else Ok.</returns>
    public MirrorResult CheckExclusive(ulong addressBytes, ulong pageCount)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        for (ulong vpn = range.Start.Value; vpn < range.End.Value; vpn++)
        {
            if (_mirror.TryGetValue(vpn, out MirrorEntry entry) && entry.Access == MirrorAccess.Atomic)
            {
                return new MirrorResult(HmmStatus.NotPermitted, 0, 0);
            }
        }

        return new MirrorResult(HmmStatus.Ok, 0, 0);
    }

    /// <summary>Begins the migration of the next chunk: within one VMA, at most 64 pages.</summary>
    private bool TrySetUp(VpnRange range, ulong offset, MigrateVmaFlags flags, out VmaInfo vma)
    {
        Vpn start = range.Start + offset;
        if (!TryFindVma(start, out vma) || (vma.Protection & Protection.Read) == 0)
        {
            return false;
        }

        VpnRange chunk = ChunkOf(range, offset).Intersect(vma.Range);
        _migration.Reset(chunk, flags, Owner);
        return Space.MigrateVmaSetup(_migration) == HmmStatus.Ok;
    }

    /// <summary>Gives every collected page a device page with its content; an empty or zero page becomes a zeroed one.</summary>
    private void CopyToDevice(VmaInfo vma)
    {
        bool vmaWritable = (vma.Protection & Protection.Write) != 0;
        for (int i = 0; i < (int)_migration.Range.PageCount; i++)
        {
            MigratePfn source = _migration.Source[i];
            if (!source.IsMigrating || _memory.TryAllocateDevicePage(Id, out Pfn page) != HmmStatus.Ok)
            {
                continue;
            }

            _memory.WriteContent(page, source.IsValid ? _memory.ReadContent(source.Pfn) : 0);
            bool writable = source.IsValid ? source.IsWritable : vmaWritable;
            _migration.Destination[i] = MigratePfn.Of(page, migrating: true, writable);
        }
    }

    /// <summary>Enters the pages that moved, while nothing can touch them yet.</summary>
    private void EnterMigrated()
    {
        for (int i = 0; i < (int)_migration.Range.PageCount; i++)
        {
            MigratePfn destination = _migration.Destination[i];
            if (_migration.Source[i].IsMigrating && destination.IsValid)
            {
                MirrorAccess access = destination.IsWritable ? MirrorAccess.Write : MirrorAccess.Read;
                _mirror[_migration.Range.Start.Value + (ulong)i] = new MirrorEntry(destination.Pfn, access);
            }
        }
    }

    /// <summary>Gives each of the device's own pages a system page with its content, and drops its mirror entry.</summary>
    private void CopyToSystem()
    {
        for (int i = 0; i < (int)_migration.Range.PageCount; i++)
        {
            MigratePfn source = _migration.Source[i];
            if (!source.IsMigrating || !source.IsValid || _memory.TryAllocateSystemPage(out Pfn page) != HmmStatus.Ok)
            {
                continue;
            }

            _mirror.Remove(_migration.Range.Start.Value + (ulong)i);
            _memory.WriteContent(page, _memory.ReadContent(source.Pfn));
            _migration.Destination[i] = MigratePfn.Of(page, migrating: true, source.IsWritable);
        }
    }

    private MirrorResult ReadBack(VpnRange range, Span<ulong> tags)
    {
        ulong[] bounce = new ulong[range.PageCount];
        ulong copied = CopyOut(range, 0, bounce);
        return new MirrorResult(copied < range.PageCount ? HmmStatus.NoEntry : GiveBack(bounce, tags), copied, 0);
    }

    private bool TryFindVma(Vpn vpn, out VmaInfo vma)
    {
        IReadOnlyList<VmaInfo> vmas = Space.Vmas;
        int low = 0;
        int high = vmas.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            vma = vmas[middle];
            if (vma.Range.Contains(vpn))
            {
                return true;
            }

            if (vpn < vma.Range.Start)
            {
                high = middle - 1;
            }
            else
            {
                low = middle + 1;
            }
        }

        vma = default;
        return false;
    }
}
