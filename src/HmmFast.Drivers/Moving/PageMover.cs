namespace HmmFast.Drivers.Moving;

/// <summary>Moves pages between system memory and a device by the migrate_vma calls, in chunks, copying contents where they are tracked.</summary>
/// <remarks>
/// Ranges are in 4 KiB pages; a device that is not there throws <see cref="ArgumentOutOfRangeException"/> before anything moves. The three calls of a chunk are one
/// VMA's, and a chunk has at most <see cref="ChunkPageCount"/> pages. A page that cannot move (pinned, swapped, of another owner) stays and is no error. A page that was empty gets write
/// permission as its VMA has it. Source: <c>migrate_vma_setup</c>, <c>migrate_vma_pages</c>, <c>migrate_vma_finalize</c> and the test driver's use of them. Cost: nanoseconds a page in runs of
/// frames, tens of them where frames lie scattered; 24 bytes for each page of a chunk, allocated once.
/// </remarks>
public sealed class PageMover
{
    /// <summary>Pages moved in one migration.</summary>
    public const int ChunkPageCount = 1 << 13;

    private const int ValidAboveMigrate = 1;

    private static readonly ulong Migrate = MigratePfn.Empty.Raw;
    private static readonly ulong Valid = MigratePfn.Of(new Pfn(0), migrating: false, writable: false).Raw;
    private static readonly ulong Write = MigratePfn.Of(new Pfn(0), migrating: false, writable: true).Raw ^ Valid;

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
    /// <param name="device">Where to: private or coherent memory.</param>
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

    /// <summary>Evicts every page that any address space holds on a device. Pages that nobody maps are not found.</summary>
    /// <remarks>Cost: a snapshot of every address space (8 bytes a page of its VMAs, in parts of 32 Ki pages), then the moves.</remarks>
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
        HmmStatus status = Allocate(flags == MigrateVmaFlags.SelectSystem ? device : null, device, canWrite, out int taken);
        space.MigrateVmaPages(_migration);
        moved += (ulong)(taken - Release((int)chunk.PageCount));
        space.MigrateVmaFinalize(_migration);
        return status;
    }

    /// <summary>Gives back the pages whose migration did not come about; answers how many.</summary>
    private int Release(int count)
    {
        ReadOnlySpan<MigratePfn> sources = _migration.Source.AsSpan(0, count);
        Span<MigratePfn> destinations = _migration.Destination.AsSpan(0, count);
        int released = 0;
        for (int i = 0; i < sources.Length; i++)
        {
            if ((destinations[i].Raw & Valid & ~(sources[i].Raw << ValidAboveMigrate)) != 0)
            {
                _memory.ReleasePage(destinations[i].Pfn);
                destinations[i] = MigratePfn.None;
                released++;
            }
        }

        return released;
    }

    /// <summary>Takes a page for each one that moves, as long as there are any: to a device what was collected, to system memory what lies on the device.</summary>
    private HmmStatus Allocate(DeviceId? to, DeviceId device, bool canWrite, out int taken)
    {
        ReadOnlySpan<MigratePfn> sources = _migration.Source.AsSpan(0, (int)_migration.Range.PageCount);
        WordBand moving = new(Migrate, Migrate, 1);
        if (to is null)
        {
            (Pfn first, ulong frameCount) = _memory.DeviceFrames(device);
            moving = new WordBand(~Write, Valid | Migrate | first.Value, frameCount);
        }

        int wanted = 0;
        for (int i = moving.StartOfRun(sources, 0); i < sources.Length;)
        {
            int end = moving.EndOfRun(sources, i);
            wanted += end - i;
            i = moving.StartOfRun(sources, end);
        }

        Span<Pfn> pages = _pages.AsSpan(0, wanted);
        taken = to is { } target ? _memory.AllocateDevicePages(target, pages) : _memory.AllocateSystemPages(pages);
        pages = pages[..taken];
        for (int i = moving.StartOfRun(sources, 0); !pages.IsEmpty; i = moving.StartOfRun(sources, i))
        {
            // A run of pages that may be written alike; what was empty may be written as far as the VMA says.
            ulong state = sources[i].Raw & (Valid | Migrate | Write);
            int end = Math.Min(new WordBand(Valid | Migrate | Write, state, 1).EndOfRun(sources, i), moving.EndOfRun(sources, i));
            int run = Math.Min(end - i, pages.Length);
            MigratePfn word = MigratePfn.Of(new Pfn(0), migrating: true, writable: (state & Valid) != 0 ? (state & Write) != 0 : canWrite);
            Give(sources.Slice(i, run), pages[..run], _migration.Destination.AsSpan(i, run), word);
            pages = pages[run..];
            i += run;
        }

        return taken == wanted ? HmmStatus.Ok : HmmStatus.OutOfMemory;
    }

    private void Give(ReadOnlySpan<MigratePfn> sources, ReadOnlySpan<Pfn> pages, Span<MigratePfn> destinations, MigratePfn word)
    {
        for (int i = 0; i < pages.Length; i++)
        {
            destinations[i] = new MigratePfn(word.Raw | pages[i].Value);
        }

        if (_memory.Options.TrackContent)
        {
            for (int i = 0; i < pages.Length; i++)
            {
                _memory.WriteContent(pages[i], sources[i].IsValid ? _memory.ReadContent(sources[i].Pfn) : 0);
            }
        }
    }
}
