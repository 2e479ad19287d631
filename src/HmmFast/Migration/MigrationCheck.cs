using HmmFast.AddressSpaces;
using HmmFast.Physical;

namespace HmmFast.Migration;

/// <summary>
/// Whether a driver kept its side before migrate_vma_pages changes anything: each destination is a page that was just taken, each source still stands as setup
/// left it. Runs cost their flag and entry columns once more, pages in no order one step.
/// </summary>
internal static class MigrationCheck
{
    /// <summary>Throws at the first entry that is not in order; notes the first runs of entries that migrate alike, so that they need not be looked for again.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="migration">The migration.</param>
    /// <param name="first">The first entry to look at; those before it have moved.</param>
    /// <param name="runs">Receives first index and length of runs, in order.</param>
    /// <returns>Runs noted.</returns>
    public static int BeforeMove(AddressSpace space, MigrateVma migration, int first, Span<(int Start, int Length)> runs)
    {
        int noted = 0;
        VpnRange range = migration.Range;
        bool isWhole = space.VmaList.Find(range.Start.Value) is { } vma && range.End.Value <= vma.End;
        for (ulong i = (ulong)first; i < range.PageCount;)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            if (!destination.IsValid)
            {
                i++;
                continue;
            }

            if (!isWhole && source is { IsMigrating: true, IsValid: false })
            {
                throw new InvalidOperationException($"Destination {i} is for an empty page, but {range} is not in one VMA any more: it was changed since the migration was set up.");
            }

            int run = source.IsMigrating ? Migrator.RunAt(space.Core, migration, (int)i, source.IsValid) : 0;
            if (run >= Migrator.LeastRun && noted < runs.Length)
            {
                runs[noted++] = ((int)i, run);
            }

            ulong vpn = range.Start.Value + i;
            run = run < Migrator.LeastRun
                ? source is { IsMigrating: true, IsValid: true } ? space.CheckScattered(vpn, Migrator.Sources(migration, i), Migrator.Destinations(migration, i)) : 0
                : CheckRun(space, vpn, source, destination, run);
            if (run == 0)
            {
                CheckOne(space, migration, (int)i);
                run = 1;
            }

            i += (ulong)run;
        }

        return noted;
    }

    private static int CheckRun(AddressSpace space, ulong vpn, MigratePfn source, MigratePfn destination, int run)
    {
        run = space.Core.Physical.FreshRun((uint)destination.Pfn.Value, run);
        if (!source.IsValid)
        {
            return run;
        }

        // Entries of one table at a time.
        int held = 0;
        int step = run > 0 ? 1 : 0;
        while (held < run && step > 0)
        {
            step = space.HeldRun(vpn + (ulong)held, (uint)source.Pfn.Value + (uint)held, run - held);
            held += step;
        }

        return held;
    }

    private static void CheckOne(AddressSpace space, MigrateVma migration, int index)
    {
        MigratePfn source = migration.Source[index];
        Pfn to = migration.Destination[index].Pfn;
        PhysicalMemory physical = space.Core.Physical;
        if (physical.RoomFrom(to.Value) == 0 || physical.FreshRun((uint)to.Value, 1) == 0)
        {
            if (IsNamedBefore(migration, index))
            {
                throw new InvalidOperationException($"{to} is the destination of two pages.");
            }

            throw new ArgumentException($"Destination {index} names {to}, which was not just taken for a migration.", nameof(migration));
        }

        ulong vpn = migration.Range.Start.Value + (ulong)index;
        if (source is { IsMigrating: true, IsValid: true } && (physical.RoomFrom(source.Pfn.Value) == 0 || space.HeldRun(vpn, (uint)source.Pfn.Value, 1) == 0))
        {
            throw new InvalidOperationException($"Source {index} says {source.Pfn}, but page 0x{vpn:x} does not wait for it any more: it was changed since the migration was set up.");
        }
    }

    private static bool IsNamedBefore(MigrateVma migration, int index)
    {
        MigratePfn destination = migration.Destination[index];
        foreach (MigratePfn other in migration.Destination.AsSpan(0, index))
        {
            if (other.IsValid && other.Pfn == destination.Pfn)
            {
                return true;
            }
        }

        return false;
    }
}
