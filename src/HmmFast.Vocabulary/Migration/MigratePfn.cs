namespace HmmFast;

/// <summary>One entry of a migration's source or destination array (<c>MIGRATE_PFN_*</c>).</summary>
/// <remarks>
/// The kernel's meanings at places of our own. A source without a frame that migrates is an empty or zero page; a destination without VALID leaves the page where it is.
/// Source: <c>migrate_vma_setup</c> and the test driver's use of it, core.jsonl.gz and matrix_small.jsonl.gz.
/// </remarks>
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
    /// <param name="pfn">The frame, below 2^61.</param>
    /// <param name="migrating">MIGRATE_PFN_MIGRATE.</param>
    /// <param name="writable">MIGRATE_PFN_WRITE.</param>
    public static MigratePfn Of(Pfn pfn, bool migrating, bool writable) =>
        new(ValidBit | (migrating ? MigrateBit : 0) | (writable ? WriteBit : 0) | pfn.Value);

    /// <summary>The same entry, taking no part in the migration any more.</summary>
    public MigratePfn WithoutMigrate() => new(Raw & ~MigrateBit);
}
