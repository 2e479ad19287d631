namespace HmmFast.Physical;

/// <summary>What is known of one frame beside its mappings. Fits the 16-bit flags column.</summary>
[Flags]
internal enum FrameFlags : ushort
{
    None = 0,

    /// <summary>Allocated.</summary>
    InUse = 1,

    /// <summary>Anonymous memory: the reverse map names a family of address spaces and an anonymous index.</summary>
    Anonymous = 2,

    /// <summary>Reclaim writes it to swap. Cleared by MADV_FREE (it may be dropped instead).</summary>
    SwapBacked = 4,

    /// <summary>Sits in the swap cache: a slot still names it.</summary>
    SwapCache = 8,

    /// <summary>Part of a 2 MiB folio; its head is the frame number rounded down to 512.</summary>
    HugePart = 16,

    /// <summary>In a file's page cache, which keeps it when its last mapping goes.</summary>
    PageCache = 32,

    /// <summary>A page that a driver inserted: mapped, but on no list that reclaim or migration looks at.</summary>
    Driver = 64,

    /// <summary>Held by references beyond its mappings.</summary>
    Pinned = 128,

    /// <summary>Nothing maps it any more; it is given back when the last pin goes.</summary>
    Orphan = 256,

    /// <summary>Written since it was last in step with its file or swap slot. Of a 2 MiB folio only the first page's counts.</summary>
    Dirty = 512,

    /// <summary>A device-exclusive entry holds it: in use, but not mapped.</summary>
    Held = 1024,

    /// <summary>
    /// A disk page that starts the next read-ahead when a fault meets it, and that is not mapped along with neighbours; reclaim marks dirty pages it could not
    /// drop in the same way (PG_readahead and PG_reclaim are one bit).
    /// </summary>
    ReadAheadMark = 2048,

    /// <summary>
    /// A page of a page cache or the swap cache that is being migrated: whoever else needs it has to wait, and it is not given back before the migration ends
    /// (PG_locked). Other pages need no lock, since nobody finds them but through the entries that are held.
    /// </summary>
    Locked = 4096,

    /// <summary>Its memory failed: in use for good, by nobody.</summary>
    Poisoned = 8192,

    /// <summary>What a private anonymous page has.</summary>
    AnonymousPage = InUse | Anonymous | SwapBacked,
}
