using HmmFast.AddressSpaces;
using HmmFast.Physical;

namespace HmmFast.Migration;

/// <summary>
/// Whether a driver kept its side before migrate_vma_pages changes anything: each destination is a page that was just taken, each source still stands as setup
/// left it. Runs cost their flag and entry columns once more, pages in no order one step.
/// </summary>
internal static class MigrationCheck
{
    /// <summary>Throws at the first entry that is not in order.</summary>
    public static void BeforeMove(AddressSpace space, MigrateVma migration)
    {
        VpnRange range = migration.Range;
        for (ulong i = 0; i < range.PageCount;)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            if (!destination.IsValid)
            {
                i++;
                continue;
            }

            int run = source.IsMigrating ? Migrator.RunAt(space.Core, migration, (int)i, source.IsValid) : 0;
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
    }

    private static int CheckRun(AddressSpace space, ulong vpn, MigratePfn source, MigratePfn destination, int run)
    {
        run = space.Core.Physical.FreshRun((uint)destination.Pfn.Value, run);
        return source.IsValid && run > 0 ? space.HeldRun(vpn, (uint)source.Pfn.Value, run) : run;
    }

    private static void CheckOne(AddressSpace space, MigrateVma migration, int index)
    {
        MigratePfn source = migration.Source[index];
        Pfn to = migration.Destination[index].Pfn;
        PhysicalMemory physical = space.Core.Physical;
        if (physical.RoomFrom(to.Value) == 0 || physical.FreshRun((uint)to.Value, 1) == 0)
        {
            throw new ArgumentException($"Destination {index} names {to}, which was not just taken for a migration.", nameof(migration));
        }

        ulong vpn = migration.Range.Start.Value + (ulong)index;
        if (source is { IsMigrating: true, IsValid: true } && (physical.RoomFrom(source.Pfn.Value) == 0 || space.HeldRun(vpn, (uint)source.Pfn.Value, 1) == 0))
        {
            throw new InvalidOperationException($"Source {index} says {source.Pfn}, but page 0x{vpn:x} does not wait for it any more: it was changed since the migration was set up.");
        }
    }
}
