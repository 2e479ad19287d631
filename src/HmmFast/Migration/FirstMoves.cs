using HmmFast.AddressSpaces;

namespace HmmFast.Migration;

/// <summary>
/// migrate_vma_pages, as far as single entries need no thought: private pages mapped once that go to frames just taken. Each is checked as it is moved, in one pass over
/// its columns, and could be moved back: should an entry further on turn out wrong, none has moved.
/// </summary>
internal static class FirstMoves
{
    /// <summary>Moves entries up to the first that is something else. Entries without a destination are passed over.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="vma">The VMA that the range lies in.</param>
    /// <param name="migration">The migration.</param>
    /// <param name="arePassedOver">Whether there were any.</param>
    /// <returns>Entries moved or passed over.</returns>
    public static int Move(AddressSpace space, Vma? vma, MigrateVma migration, out bool arePassedOver)
    {
        arePassedOver = false;

        // Had the driver unmapped some of it, the check of all entries would say so.
        int count = vma is not null && vma.End >= migration.Range.End.Value ? (int)migration.Range.PageCount : 0;
        int i = 0;
        while (i < count)
        {
            MigratePfn source = migration.Source[i];
            MigratePfn destination = migration.Destination[i];
            if (!destination.IsValid)
            {
                arePassedOver = true;
                i++;
                continue;
            }

            if (source is not { IsMigrating: true, IsValid: true })
            {
                break;
            }

            ulong vpn = migration.Range.Start.Value + (ulong)i;
            int run = Migrator.RunAt(space.Core, migration, i, isValid: true);
            run = run < Migrator.LeastRun
                ? space.MoveHeldScattered(vma!, vpn, Migrator.Sources(migration, (ulong)i), Migrator.Destinations(migration, (ulong)i))
                : space.MoveHeldRun(vma!, vpn, (uint)source.Pfn.Value, (uint)destination.Pfn.Value, run);
            if (run == 0)
            {
                break;
            }

            Migrator.CountMoved(space.Core, source, destination, run);
            i += run;
        }

        return i;
    }

    /// <summary>Moves the first entries back.</summary>
    public static void Undo(AddressSpace space, MigrateVma migration, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (migration.Destination[i].IsValid)
            {
                space.MoveBack(migration.Range.Start.Value + (ulong)i, (uint)migration.Source[i].Pfn.Value, (uint)migration.Destination[i].Pfn.Value);
            }
        }
    }
}
