using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <summary>
/// What a migration's notes hold between migrate_vma_pages and migrate_vma_finalize: that it went so far, and in which address space. Of the last one also whether
/// every page that moved is mapped by its one entry alone.
/// </summary>
internal sealed class MigrationMark
{
    private MigrateVma? _alone;
    private ulong _mappingsAdded;

    /// <summary>The pages of a migration have moved.</summary>
    public void Note(MigrateVma migration, bool areAlone, PhysicalMemory physical)
    {
        _alone = areAlone ? migration : null;
        _mappingsAdded = physical.MappingsAdded;
    }

    /// <summary>Whether the pages that a migration moved are still mapped by one entry each: they were, and no page has been mapped once more since. Forgets it.</summary>
    public bool TakeAlone(MigrateVma migration, PhysicalMemory physical)
    {
        bool areAlone = ReferenceEquals(_alone, migration) && _mappingsAdded == physical.MappingsAdded;
        _alone = null;
        return areAlone;
    }
}
