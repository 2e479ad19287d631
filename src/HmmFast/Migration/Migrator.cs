using HmmFast.AddressSpaces;
using HmmFast.Physical;

namespace HmmFast.Migration;

/// <summary>migrate_vma over one address space: setup collects and holds pages, pages() moves identities, finalize() maps them again.</summary>
/// <remarks>Source: SEMANTICS section 4. The driver allocates and copies between setup and pages().</remarks>
internal static unsafe class Migrator
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    /// <summary>migrate_vma_setup.</summary>
    public static HmmStatus Setup(AddressSpace space, MigrateVma migration)
    {
        VpnRange range = migration.Range;
        Vma? vma = range.IsEmpty ? null : space.VmaList.Find(range.Start.Value);
        if (vma is null || vma.IsSpecial || range.End.Value > vma.End)
        {
            return HmmStatus.Invalid;
        }

        migration.CollectedPageCount = 0;
        Array.Clear(migration.Source);
        Array.Clear(migration.Destination);
        migration.Context = space;
        space.Invalidate(range, InvalidationEvent.Migrate, migration.PagemapOwner);
        Collect(space, vma, migration);
        Isolate(space, migration);
        return HmmStatus.Ok;
    }

    /// <summary>migrate_vma_pages.</summary>
    public static void Pages(AddressSpace space, MigrateVma migration)
    {
        CheckContext(space, migration);
        MemoryCore core = space.Core;
        VpnRange range = migration.Range;
        Vma vma = space.VmaList.Find(range.Start.Value)!;
        bool notified = false;
        for (ulong i = 0; i < range.PageCount; i++)
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

            bool moved;
            if (!source.IsValid)
            {
                if (!notified)
                {
                    notified = true;
                    space.Invalidate(VpnRange.FromBounds(range.Start + i, range.End), InvalidationEvent.Migrate, migration.PagemapOwner);
                }

                moved = space.TryInsert(vma, range.Start.Value + i, (uint)destination.Pfn.Value);
            }
            else
            {
                moved = TryMove(space, range.Start.Value + i, (uint)source.Pfn.Value, (uint)destination.Pfn.Value);
            }

            if (!moved)
            {
                migration.Source[i] = source.WithoutMigrate();
                continue;
            }

            if (core.Physical.PagemapOf(destination.Pfn.Value) is not null)
            {
                core.Counters.PagesMigratedToDevice++;
            }
            else if (source.IsValid && core.Physical.PagemapOf(source.Pfn.Value) is not null)
            {
                core.Counters.PagesMigratedToSystem++;
            }
        }
    }

    /// <summary>migrate_vma_finalize.</summary>
    public static void Finish(AddressSpace space, MigrateVma migration)
    {
        CheckContext(space, migration);
        PhysicalMemory physical = space.Core.Physical;
        migration.Context = null;
        VpnRange range = migration.Range;
        for (ulong i = 0; i < range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            bool moved = source.IsMigrating && destination.IsValid;
            if (source.IsValid)
            {
                uint from = (uint)source.Pfn.Value;
                space.RestoreHeld(range.Start.Value + i, moved ? (uint)destination.Pfn.Value : from);
                if (moved)
                {
                    physical.Frames.Flags[from] &= ~FrameFlags.PageCache;
                    physical.Unused(from);
                }
            }

            if (destination.IsValid && !moved)
            {
                physical.Unused((uint)destination.Pfn.Value);
            }
        }
    }

    private static void CheckContext(AddressSpace space, MigrateVma migration)
    {
        if (!ReferenceEquals(migration.Context, space))
        {
            throw new InvalidOperationException($"The migration of {migration.Range} has not been set up by this address space, or was finalized already.");
        }
    }

    /// <summary>Looks at every entry and holds those that may move.</summary>
    private static void Collect(AddressSpace space, Vma vma, MigrateVma migration)
    {
        PageColumns columns = space.Columns;
        ulong at = migration.Range.Start.Value;
        ulong end = migration.Range.End.Value;
        int next = 0;
        while (at < end)
        {
            ulong block = at / BlockPages;
            ulong to = Math.Min(end, (block + 1) * BlockPages);
            bool isSplit = space.TrySplitForMigration(block);
            for (; at < to; at++, next++)
            {
                if (isSplit)
                {
                    migration.Source[next] = CollectPage(space, vma, migration, at, columns.Block[block].Kind == BlockKind.Hole);
                    migration.CollectedPageCount += migration.Source[next].IsMigrating ? 1UL : 0;
                }
            }
        }
    }

    private static MigratePfn CollectPage(AddressSpace space, Vma vma, MigrateVma migration, ulong vpn, bool isHole)
    {
        PageClass entry = isHole ? default : space.Core.Classes[space.Columns.Class[vpn]];
        uint frame = space.Columns.Pfn[vpn];
        switch (entry.Kind)
        {
            case PageEntryKind.None:
                // Empty pages are collected whatever is selected; the driver need not give them anything.
                return vma.IsAnonymous ? MigratePfn.Empty : MigratePfn.None;
            case PageEntryKind.DevicePrivate:
                if ((migration.Flags & MigrateVmaFlags.SelectDevicePrivate) == 0
                    || space.Core.Physical.Pagemaps[entry.Device - 1].Owner != migration.PagemapOwner)
                {
                    return MigratePfn.None;
                }

                break;
            case PageEntryKind.Present when entry.IsZero:
                return (migration.Flags & MigrateVmaFlags.SelectSystem) != 0 ? MigratePfn.Empty : MigratePfn.None;
            case PageEntryKind.Present when IsSelected(space.Core.Physical, migration, frame):
                break;
            default:
                return MigratePfn.None;
        }

        space.HoldEntry(vpn);
        return MigratePfn.Of(new Pfn(frame), migrating: true, entry.IsWritable);
    }

    private static bool IsSelected(PhysicalMemory physical, MigrateVma migration, uint frame)
    {
        if ((physical.Frames.Flags[frame] & (FrameFlags.HugePart | FrameFlags.Driver)) != 0)
        {
            return false;
        }

        return physical.PagemapOf(frame) is { } pagemap
            ? (migration.Flags & MigrateVmaFlags.SelectDeviceCoherent) != 0 && pagemap.Owner == migration.PagemapOwner
            : (migration.Flags & MigrateVmaFlags.SelectSystem) != 0;
    }

    /// <summary>Takes collected pages away from everyone else; pinned ones are put back.</summary>
    private static void Isolate(AddressSpace space, MigrateVma migration)
    {
        PhysicalMemory physical = space.Core.Physical;
        ulong start = migration.Range.Start.Value;
        for (ulong i = 0; i < migration.Range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            if (source.IsValid)
            {
                uint frame = (uint)source.Pfn.Value;
                space.HoldOthers(frame, physical.Frames.MapCount[frame] - 1u);
            }
        }

        for (ulong i = 0; i < migration.Range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            if (source.IsValid && physical.IsPinned((uint)source.Pfn.Value))
            {
                space.RestoreHeld(start + i, (uint)source.Pfn.Value);
                migration.Source[i] = MigratePfn.None;
                migration.CollectedPageCount--;
            }
        }
    }

    private static bool TryMove(AddressSpace space, ulong vpn, uint from, uint to)
    {
        PhysicalMemory physical = space.Core.Physical;
        FrameFlags flags = physical.Frames.Flags[from];
        if (physical.PagemapOf(to) is not null)
        {
            // Only anonymous memory goes to a device, and not while swap still has a copy that others need.
            if ((flags & FrameFlags.PageCache) != 0 || ((flags & FrameFlags.SwapCache) != 0 && !space.TryLeaveSwapCache(from)))
            {
                return false;
            }
        }

        space.MoveHeld(vpn, from, to);
        return true;
    }
}
