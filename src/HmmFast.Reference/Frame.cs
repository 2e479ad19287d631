namespace HmmFast.Reference;

/// <summary>What a frame is.</summary>
[Flags]
internal enum FrameFlags : ushort
{
    None = 0,

    /// <summary>Allocated.</summary>
    InUse = 1,

    /// <summary>Anonymous memory: found through <see cref="Frame.Index"/> in private VMAs.</summary>
    Anonymous = 2,

    /// <summary>Swap-backed: anonymous and shmem pages; MADV_FREE takes it away.</summary>
    SwapBacked = 4,

    /// <summary>Its content is not on disk or in its swap slot.</summary>
    Dirty = 8,

    /// <summary>Anonymous and certainly in one page table only (PageAnonExclusive); of a 2 MiB mapping the first page speaks.</summary>
    AnonExclusive = 16,

    /// <summary>Part of a 2 MiB folio.</summary>
    Large = 32,

    /// <summary>On the LRU lists, hence open to reclaim, migration and collapse. Driver and device pages are not.</summary>
    Lru = 64,

    /// <summary>A device-exclusive entry holds it: a reference without a mapping.</summary>
    HeldExclusively = 128,

    /// <summary>
    /// A disk page that starts the next read-ahead when a fault meets it, and that fault-around leaves out; reclaim marks the dirty pages it could not
    /// drop in the same way (PG_readahead and PG_reclaim are one bit).
    /// </summary>
    ReadAheadMark = 256,

    /// <summary>Being migrated: a fault that finds it in a page cache or the swap cache waits (PG_locked).</summary>
    Locked = 512,

    /// <summary>Its memory failed; memory_failure keeps the last reference for good.</summary>
    Poisoned = 1024,
}

/// <summary>One frame's state (struct page and folio). References are counted on a folio's first frame.</summary>
internal struct Frame
{
    public FrameFlags Flags;

    /// <summary>References taken by callers; part of <see cref="RefCount"/>.</summary>
    public int PinCount;

    /// <summary>References: one a mapping, one for a page cache or the swap cache, pins, and whoever works on it now.</summary>
    public int RefCount;

    /// <summary>Page table entries that map this page, 2 MiB entries not among them.</summary>
    public int MapCount;

    /// <summary>The swap slot whose cached copy it is, plus one; 0 for none.</summary>
    public uint SlotPlusOne;

    /// <summary>The file whose page it is, plus one; 0 for none.</summary>
    public int FilePlusOne;

    /// <summary>The anon_vma of an anonymous page; of a 2 MiB folio only the first page's counts.</summary>
    public int AnonNumber;

    /// <summary>The page's place in its object (page->index); of a 2 MiB folio only the first page's counts.</summary>
    public ulong Index;

    public readonly bool Has(FrameFlags flag) => (Flags & flag) != 0;

    public void Set(FrameFlags flag, bool on) => Flags = on ? Flags | flag : Flags & ~flag;
}

/// <summary>What a 2 MiB folio counts as a whole.</summary>
internal struct LargeFolio
{
    /// <summary>2 MiB entries that map it.</summary>
    public int EntireMapCount;

    /// <summary>All entries that map it or a page of it (folio_mapcount).</summary>
    public int TotalMapCount;
}
