namespace HmmFast.Drivers.Moving;

/// <summary>Moves pages between system memory and a device by the migrate_vma calls, in chunks, copying contents where they are tracked.</summary>
public sealed class PageMover
{
    /// <summary>Pages moved in one migration.</summary>
    public const int ChunkPageCount = 1 << 13;

    private readonly IMemorySystem _memory;
    private readonly MigrateVma _migration;
    private readonly Pfn[] _pages = new Pfn[ChunkPageCount];

    /// <summary>Makes a mover with its own arrays.</summary>
    /// <param name="memory">The memory system.</param>
    public PageMover(IMemorySystem memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _memory = memory;
        _migration = new MigrateVma(new VpnRange(memory.Options.Window.Start, ChunkPageCount), MigrateVmaFlags.None, OwnerId.Null);
    }

    /// <summary>migrate_vma calls so far: setups that collected at least one page.</summary>
    public ulong Migrations { get; private set; }

    /// <summary>Moves system pages (empty ones too) of a range to a device's memory, as long as it has free pages.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="range">The pages; parts without VMA, or in VMAs that cannot be migrated, are left alone.</param>
    /// <param name="device">Where to.</param>
    /// <param name="moved">Pages that moved.</param>
    /// <returns>Ok; OutOfMemory when the device is full: what moved stays there, the rest stays where it was.</returns>
    public HmmStatus ToDevice(IAddressSpace space, VpnRange range, DeviceId device, out ulong moved) =>
        Move(space, range, MigrateVmaFlags.SelectSystem, device, _memory.OwnerOf(device), out moved);

    /// <summary>Moves a device's pages of a range to system memory.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="range">The pages; pages of other devices stay.</param>
    /// <param name="device">Whose pages.</param>
    /// <param name="moved">Pages that moved.</param>
    /// <returns>Ok; OutOfMemory when no system frame is left: what moved stays, the rest stays where it was.</returns>
    public HmmStatus ToSystem(IAddressSpace space, VpnRange range, DeviceId device, out ulong moved)
    {
        MigrateVmaFlags select = _memory.KindOf(device) == DeviceMemoryKind.Coherent
            ? MigrateVmaFlags.SelectDeviceCoherent
            : MigrateVmaFlags.SelectDevicePrivate;
        return Move(space, range, select, device, _memory.OwnerOf(device), out moved);
    }

    /// <summary>Evicts every page that any address space holds on a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="moved">Pages that moved.</param>
    /// <returns>Ok; OutOfMemory when system memory runs out: what moved stays, the rest stays on the device.</returns>
    public HmmStatus EvictAll(DeviceId device, out ulong moved)
    {
        ulong total = 0;
        HmmStatus status = HmmStatus.Ok;
        (Pfn first, ulong count) = _memory.DeviceFrames(device);
        foreach (IAddressSpace space in _memory.AddressSpaces.ToArray())
        {
            bool finished = DevicePages.ForEachRun(space, first, count, run =>
            {
                status = ToSystem(space, run, device, out ulong here);
                total += here;
                return status == HmmStatus.Ok;
            });
            if (!finished)
            {
                break;
            }
        }

        moved = total;
        return status;
    }

    private HmmStatus Move(IAddressSpace space, VpnRange range, MigrateVmaFlags flags, DeviceId device, OwnerId owner, out ulong moved)
    {
        ArgumentNullException.ThrowIfNull(space);
        moved = 0;
        foreach (VmaInfo vma in space.Vmas.ToArray())
        {
            VpnRange part = vma.Range.Intersect(range);
            for (ulong offset = 0; offset < part.PageCount; offset += ChunkPageCount)
            {
                VpnRange chunk = new(part.Start + offset, Math.Min(ChunkPageCount, part.PageCount - offset));
                bool canWrite = (vma.Protection & Protection.Write) != 0;
                HmmStatus status = MoveChunk(space, chunk, canWrite, flags, device, owner, ref moved);
                if (status != HmmStatus.Ok)
                {
                    return status;
                }
            }
        }

        return HmmStatus.Ok;
    }

    private HmmStatus MoveChunk(IAddressSpace space, VpnRange chunk, bool canWrite, MigrateVmaFlags flags, DeviceId device, OwnerId owner, ref ulong moved)
    {
        _migration.Reset(chunk, flags, owner);
        if (space.MigrateVmaSetup(_migration) != HmmStatus.Ok)
        {
            return HmmStatus.Ok;
        }

        Migrations += _migration.CollectedPageCount != 0 ? 1UL : 0;
        HmmStatus status = Allocate(flags == MigrateVmaFlags.SelectSystem ? device : null, device, canWrite);
        space.MigrateVmaPages(_migration);
        int count = (int)chunk.PageCount;
        ReadOnlySpan<MigratePfn> sources = _migration.Source.AsSpan(0, count);
        Span<MigratePfn> destinations = _migration.Destination.AsSpan(0, count);
        for (int i = 0; i < sources.Length; i++)
        {
            MigratePfn destination = destinations[i];
            if (!destination.IsValid)
            {
                continue;
            }

            if (sources[i].IsMigrating)
            {
                moved++;
            }
            else
            {
                _memory.ReleasePage(destination.Pfn);
                destinations[i] = MigratePfn.None;
            }
        }

        space.MigrateVmaFinalize(_migration);
        return status;
    }

    private HmmStatus Allocate(DeviceId? to, DeviceId device, bool canWrite)
    {
        // Empty pages go to a device too; to system memory only the device's own pages go.
        (Pfn first, ulong frameCount) = to is null ? _memory.DeviceFrames(device) : (new Pfn(0), ulong.MaxValue);
        ReadOnlySpan<MigratePfn> sources = _migration.Source.AsSpan(0, (int)_migration.Range.PageCount);
        int wanted = 0;
        foreach (MigratePfn source in sources)
        {
            wanted += Moves(source, first, frameCount) ? 1 : 0;
        }

        Span<Pfn> pages = _pages.AsSpan(0, wanted);
        int taken = to is { } target ? _memory.AllocateDevicePages(target, pages) : _memory.AllocateSystemPages(pages);
        bool copies = _memory.Options.TrackContent;
        int next = 0;
        for (int i = 0; i < sources.Length && next < taken; i++)
        {
            MigratePfn source = sources[i];
            if (!Moves(source, first, frameCount))
            {
                continue;
            }

            Pfn page = pages[next++];
            if (copies)
            {
                _memory.WriteContent(page, source.IsValid ? _memory.ReadContent(source.Pfn) : 0);
            }

            _migration.Destination[i] = MigratePfn.Of(page, migrating: true, writable: source.IsValid ? source.IsWritable : canWrite);
        }

        return taken == wanted ? HmmStatus.Ok : HmmStatus.OutOfMemory;
    }

    // An empty page has no frame: it counts as frame 2^64 - 1, which only "to a device" takes.
    private static bool Moves(MigratePfn source, Pfn first, ulong frameCount) => source.IsMigrating && source.Pfn.Value - first.Value <= frameCount - 1;
}
