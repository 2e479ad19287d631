namespace HmmFast;

/// <summary>Which pages a migration collects (<c>enum migrate_vma_direction</c>).</summary>
[Flags]
public enum MigrateVmaFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>MIGRATE_VMA_SELECT_SYSTEM: system pages, empty entries and zero pages.</summary>
    SelectSystem = 1,

    /// <summary>MIGRATE_VMA_SELECT_DEVICE_PRIVATE: private pages of <see cref="MigrateVma.PagemapOwner"/>.</summary>
    SelectDevicePrivate = 2,

    /// <summary>MIGRATE_VMA_SELECT_DEVICE_COHERENT: coherent pages of <see cref="MigrateVma.PagemapOwner"/>.</summary>
    SelectDeviceCoherent = 4,
}
