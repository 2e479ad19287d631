using System.Runtime.InteropServices;
using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Physical;

namespace HmmFast.Migration;

/// <summary>migrate_vma over one address space: setup collects and holds pages, pages() moves identities, finalize() maps them again.</summary>
/// <remarks>Source: <c>migrate_vma_setup</c>, <c>migrate_vma_pages</c>, <c>migrate_vma_finalize</c>; matrix_small.jsonl.gz. The driver allocates and copies between setup and pages().</remarks>
internal static unsafe class Migrator
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    // Entries that go in one step: what several passes over their columns can share in the cache.
    private const int MostRun = 8192;
    private const int MostScattered = 512;

    // Runs that the check before a move notes for the move: as many as there are in 1 Mi pages in order.
    private const int NotedRuns = 128;

    // Shorter runs go with the pages in no order.
    internal const int LeastRun = 8;

    /// <summary>migrate_vma_setup.</summary>
    public static HmmStatus Setup(AddressSpace space, MigrateVma migration)
    {
        if (migration.Context is AddressSpace or MigrationMark)
        {
            throw new InvalidOperationException($"The migration of {migration.Range} is under way; finalize it before setting it up again.");
        }

        VpnRange range = migration.Range;
        Vma? vma = range.IsEmpty ? null : space.VmaList.Find(range.Start.Value);
        if (vma is null || vma.IsSpecial || range.End.Value > vma.End)
        {
            return HmmStatus.Invalid;
        }

        migration.CollectedPageCount = 0;
        if (MemoryMarshal.Cast<MigratePfn, ulong>(migration.Destination).ContainsAnyExcept(0UL))
        {
            // Mostly it is clear already, and looking costs less than clearing it again.
            Array.Clear(migration.Destination);
        }

        migration.Context = space;
        space.Invalidate(range, InvalidationEvent.Migrate, migration.PagemapOwner);
        bool areShared = Collect(space, vma, migration);
        migration.Source.AsSpan((int)range.PageCount).Clear();
        Isolate(space, migration, areShared);
        return HmmStatus.Ok;
    }

    /// <summary>migrate_vma_pages.</summary>
    public static void Pages(AddressSpace space, MigrateVma migration)
    {
        CheckContext(migration, space, "set up");
        MemoryCore core = space.Core;
        VpnRange range = migration.Range;
        Span<(int Start, int Length)> runs = stackalloc (int, int)[NotedRuns];

        // None any more where it was unmapped meanwhile: what is held elsewhere moves all the same, and empty pages were refused.
        Vma? vma = space.VmaList.Find(range.Start.Value);
        int first = MoveFirst(space, vma, migration, ref runs);
        migration.Context = space.Moved;
        bool notified = false;
        bool areAlone = true;
        for (ulong i = (ulong)first; i < range.PageCount; i++)
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

            while (!runs.IsEmpty && runs[0].Start < (int)i)
            {
                runs = runs[1..];
            }

            int run = !runs.IsEmpty && runs[0].Start == (int)i ? runs[0].Length : RunAt(core, migration, (int)i, source.IsValid);
            bool moved;
            if (!source.IsValid)
            {
                if (!notified)
                {
                    notified = true;
                    space.Invalidate(VpnRange.FromBounds(range.Start + i, range.End), InvalidationEvent.Migrate, migration.PagemapOwner);
                }

                run = space.InsertRun(vma!, range.Start.Value + i, (uint)destination.Pfn.Value, run);
                moved = run > 0 || space.TryInsert(vma!, range.Start.Value + i, (uint)destination.Pfn.Value);
            }
            else
            {
                run = run < LeastRun
                    ? space.MoveHeldScattered(vma, range.Start.Value + i, Sources(migration, i), Destinations(migration, i))
                    : space.MoveHeldRun(vma, range.Start.Value + i, (uint)source.Pfn.Value, (uint)destination.Pfn.Value, run);
                moved = run > 0 || TryMove(space, range.Start.Value + i, (uint)source.Pfn.Value, (uint)destination.Pfn.Value);
                areAlone &= run > 0 || core.Physical.Frames.MapCount[destination.Pfn.Value] <= 1;
            }

            if (!moved)
            {
                migration.Source[i] = source.WithoutMigrate();
                continue;
            }

            run = Math.Max(run, 1);
            CountMoved(core, source, destination, run);
            i += (ulong)run - 1;
        }

        space.Moved.Note(migration, areAlone, core.Physical);
    }

    /// <summary>migrate_vma_finalize.</summary>
    public static void Finish(AddressSpace space, MigrateVma migration)
    {
        CheckContext(migration, space.Moved, "brought to migrate_vma_pages");
        PhysicalMemory physical = space.Core.Physical;
        bool areAlone = space.Moved.TakeAlone(migration, physical);
        migration.Context = null;
        VpnRange range = migration.Range;
        for (ulong i = 0; i < range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            bool moved = source.IsMigrating && destination.IsValid;
            if (moved && source.IsValid)
            {
                int run = RunAt(space.Core, migration, (int)i, isValid: true);
                if (run < LeastRun)
                {
                    run = space.RestoreScattered(range.Start.Value + i, Sources(migration, i), Destinations(migration, i), areAlone);
                }
                else
                {
                    run = space.RestoreHeldRun(range.Start.Value + i, (uint)destination.Pfn.Value, run, areAlone);
                    physical.UnusedRun((uint)source.Pfn.Value, run);
                }

                if (run > 0)
                {
                    i += (ulong)run - 1;
                    continue;
                }
            }

            if (source.IsValid)
            {
                uint from = (uint)source.Pfn.Value;
                uint now = moved ? (uint)destination.Pfn.Value : from;
                space.RestoreHeld(range.Start.Value + i, now);
                if (physical.Frames.MapCount[now] == 0)
                {
                    // All its entries went while it was held.
                    physical.Unused(now);
                }

                if (moved)
                {
                    physical.Frames.Flags[from] &= ~(FrameFlags.PageCache | FrameFlags.Locked);
                    physical.Unused(from);
                }
            }

            if (destination.IsValid && !moved)
            {
                physical.Unused((uint)destination.Pfn.Value);
            }
        }
    }

    /// <summary>
    /// Entries from one on that migrate alike: sources that count up (or are all empty) to destinations that count up, neither of them over the end of a memory:
    /// pagemaps may follow each other without a gap.
    /// </summary>
    internal static int RunAt(MemoryCore core, MigrateVma migration, int index, bool isValid)
    {
        ulong most = Math.Min(migration.Range.PageCount - (ulong)index, MostRun);
        most = Math.Min(most, core.Physical.RoomFrom(migration.Destination[index].Pfn.Value));
        most = isValid ? Math.Min(most, core.Physical.RoomFrom(migration.Source[index].Pfn.Value)) : most;
        int run = core.Kernels.CountingRun(MemoryMarshal.Cast<MigratePfn, ulong>(migration.Destination.AsSpan(index, (int)most)), 1);
        return core.Kernels.CountingRun(MemoryMarshal.Cast<MigratePfn, ulong>(migration.Source.AsSpan(index, run)), isValid ? 1UL : 0);
    }

    /// <summary>Counts pages that moved alike.</summary>
    internal static void CountMoved(MemoryCore core, MigratePfn source, MigratePfn destination, int count)
    {
        if (core.Physical.PagemapOf(destination.Pfn.Value) is not null)
        {
            core.Counters.PagesMigratedToDevice += (ulong)count;
        }
        else if (source.IsValid && core.Physical.PagemapOf(source.Pfn.Value) is not null)
        {
            core.Counters.PagesMigratedToSystem += (ulong)count;
        }
    }

    internal static ReadOnlySpan<MigratePfn> Sources(MigrateVma migration, ulong index) =>
        migration.Source.AsSpan((int)index, (int)Math.Min(MostScattered, migration.Range.PageCount - index));

    internal static ReadOnlySpan<MigratePfn> Destinations(MigrateVma migration, ulong index) =>
        migration.Destination.AsSpan((int)index, (int)Math.Min(MostScattered, migration.Range.PageCount - index));

    /// <summary>
    /// Moves what can be checked as it is moved, then checks the rest before any of it moves. Answers the first entry of the rest, and its first runs.
    /// </summary>
    private static int MoveFirst(AddressSpace space, Vma? vma, MigrateVma migration, ref Span<(int Start, int Length)> runs)
    {
        MemoryCounters counted = space.Core.Counters;
        int first = FirstMoves.Move(space, vma, migration, out bool arePassedOver);
        try
        {
            runs = runs[..MigrationCheck.BeforeMove(space, migration, first, runs)];
        }
        catch
        {
            FirstMoves.Undo(space, migration, first);
            space.Core.Counters = counted;
            throw;
        }

        for (int i = 0; arePassedOver && i < first; i++)
        {
            if (!migration.Destination[i].IsValid)
            {
                migration.Source[i] = migration.Source[i].WithoutMigrate();
            }
        }

        return first;
    }

    private static void CheckContext(MigrateVma migration, object expected, string what)
    {
        if (!ReferenceEquals(migration.Context, expected))
        {
            throw new InvalidOperationException($"The migration of {migration.Range} was not {what} in this address space, or went on since.");
        }
    }

    /// <summary>Looks at every entry and holds those that may move. True when others may map some of them.</summary>
    private static bool Collect(AddressSpace space, Vma vma, MigrateVma migration)
    {
        PageColumns columns = space.Columns;
        ulong at = migration.Range.Start.Value;
        ulong end = migration.Range.End.Value;
        int next = 0;
        bool areShared = false;
        while (at < end)
        {
            ulong block = at / BlockPages;
            ulong to = Math.Min(end, (block + 1) * BlockPages);
            bool isSplit = space.TrySplitForMigration(block);
            if (!isSplit)
            {
                migration.Source.AsSpan(next, (int)(to - at)).Clear();
                next += (int)(to - at);
                at = to;
            }

            bool isHole = columns.Block[block].Kind == BlockKind.Hole;
            while (at < to)
            {
                int run = isHole ? (int)(to - at) : space.ClassRun(at, to);
                run = CollectRun(space, vma, migration, at, next, run, isHole, ref areShared);
                at += (ulong)run;
                next += run;
            }
        }

        return areShared;
    }

    /// <summary>Collects pages of one class; answers how many.</summary>
    private static int CollectRun(AddressSpace space, Vma vma, MigrateVma migration, ulong vpn, int index, int run, bool isHole, ref bool areShared)
    {
        PageClass entry = isHole ? default : space.Core.Classes[space.Columns.Class[vpn]];
        if (!entry.HoldsFrame)
        {
            // What the first becomes all become.
            MigratePfn empty = CollectPage(space, vma, migration, vpn, isHole);
            Array.Fill(migration.Source, empty, index, run);
            migration.CollectedPageCount += empty.IsMigrating ? (ulong)run : 0;
            return run;
        }

        if (entry.Kind == PageEntryKind.DevicePrivate && !IsSelected(space.Core.Physical, migration, entry))
        {
            // All of one device, and left where they are.
            migration.Source.AsSpan(index, run).Clear();
            return run;
        }

        uint frame = space.Columns.Pfn[vpn];
        bool isSelected = entry.Kind == PageEntryKind.DevicePrivate || (entry.Kind == PageEntryKind.Present && IsSelected(space.Core.Physical, migration, frame));
        int held = isSelected ? space.HoldRun(vpn, run) : 0;
        if (held == 0 && isSelected)
        {
            held = space.HoldScattered(vpn, migration.Source.AsSpan(index, run));
            if (held > 0)
            {
                migration.CollectedPageCount += (ulong)held;
                return held;
            }
        }

        if (held == 0)
        {
            areShared = true;
            migration.Source[index] = CollectPage(space, vma, migration, vpn, isHole);
            migration.CollectedPageCount += migration.Source[index].IsMigrating ? 1UL : 0;
            return 1;
        }

        Span<ulong> words = MemoryMarshal.Cast<MigratePfn, ulong>(migration.Source.AsSpan(index, held));
        space.Core.Kernels.FillWords(words, MigratePfn.Of(new Pfn(frame), migrating: true, entry.IsWritable).Raw, 1);
        migration.CollectedPageCount += (ulong)held;
        return held;
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
                if (!IsSelected(space.Core.Physical, migration, entry))
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
        space.LockCached(frame);
        return MigratePfn.Of(new Pfn(frame), migrating: true, entry.IsWritable);
    }

    private static bool IsSelected(PhysicalMemory physical, MigrateVma migration, PageClass devicePrivate) =>
        (migration.Flags & MigrateVmaFlags.SelectDevicePrivate) != 0 && physical.Pagemaps[devicePrivate.Device - 1].Owner == migration.PagemapOwner;

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
    private static void Isolate(AddressSpace space, MigrateVma migration, bool areShared)
    {
        PhysicalMemory physical = space.Core.Physical;
        MapCountView mapCounts = physical.Frames.MapCount;
        ulong start = migration.Range.Start.Value;
        ReadOnlySpan<MigratePfn> sources = migration.Source.AsSpan(0, (int)migration.Range.PageCount);
        for (int i = 0; areShared && i < sources.Length; i++)
        {
            // The collected entry itself still counts.
            if (sources[i].IsValid && mapCounts[(uint)sources[i].Pfn.Value] > 1)
            {
                uint frame = (uint)sources[i].Pfn.Value;
                space.HoldOthers(frame, mapCounts[frame] - 1u);
            }
        }

        if (!physical.HasPins)
        {
            return;
        }

        for (int i = 0; i < sources.Length; i++)
        {
            if (sources[i].IsValid && physical.IsPinned((uint)sources[i].Pfn.Value))
            {
                space.RestoreHeld(start + (ulong)i, (uint)sources[i].Pfn.Value);
                migration.Source[i] = MigratePfn.None;
                migration.CollectedPageCount--;
            }
        }
    }

    private static bool TryMove(AddressSpace space, ulong vpn, uint from, uint to)
    {
        PhysicalMemory physical = space.Core.Physical;
        FrameFlags flags = physical.Frames.Flags[from];
        if (physical.Frames.Flags[to] != FrameFlags.InUse)
        {
            throw new InvalidOperationException($"{new Pfn(to)} is the destination of two pages.");
        }

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
