namespace HmmFast;

/// <summary>One entry of a migration's source or destination array (<c>MIGRATE_PFN_*</c>).</summary>
/// <param name="Raw">Bit 63 VALID, bit 62 MIGRATE, bit 61 WRITE, the frame number below.</param>
public readonly record struct MigratePfn(ulong Raw)
{
    private const ulong ValidBit = 1UL << 63;
    private const ulong MigrateBit = 1UL << 62;
    private const ulong WriteBit = 1UL << 61;

    /// <summary>An entry that names no page and does not migrate.</summary>
    public static readonly MigratePfn None;

    /// <summary>An empty or zero page that migrates: MIGRATE without a frame.</summary>
    public static readonly MigratePfn Empty = new(MigrateBit);

    /// <summary>True when the entry names a frame.</summary>
    public bool IsValid => (Raw & ValidBit) != 0;

    /// <summary>MIGRATE_PFN_MIGRATE: the page takes part.</summary>
    public bool IsMigrating => (Raw & MigrateBit) != 0;

    /// <summary>MIGRATE_PFN_WRITE: in a source, the entry was writable; in a destination, the new entry shall be.</summary>
    public bool IsWritable => (Raw & WriteBit) != 0;

    /// <summary>The frame; <see cref="Pfn.None"/> when the entry names none.</summary>
    public Pfn Pfn => IsValid ? new Pfn(Raw & (WriteBit - 1)) : Pfn.None;

    /// <summary>An entry that names a frame.</summary>
    public static MigratePfn Of(Pfn pfn, bool migrating, bool writable) =>
        new(ValidBit | (migrating ? MigrateBit : 0) | (writable ? WriteBit : 0) | pfn.Value);

    /// <summary>The same entry, taking no part in the migration any more.</summary>
    public MigratePfn WithoutMigrate() => new(Raw & ~MigrateBit);
}
