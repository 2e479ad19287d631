namespace HmmFast.Reference;

/// <summary>Bits a page table entry carries beside what it points at.</summary>
[Flags]
internal enum EntryFlags : byte
{
    None = 0,

    /// <summary>The entry's write permission; device entries have their own.</summary>
    Writable = 1,

    /// <summary>The hardware dirty bit.</summary>
    Dirty = 2,

    /// <summary>Written since soft-dirty was cleared.</summary>
    SoftDirty = 4,

    /// <summary>Swap and migration entries: the anonymous page belonged to this page table alone when it was unmapped.</summary>
    Exclusive = 8,

    /// <summary>A present entry without struct page: its number is no frame of ours.</summary>
    Special = 16,
}

/// <summary>One page table entry: eight bytes, so that sixteen million of them fit.</summary>
internal struct PageEntry
{
    /// <summary>What it holds.</summary>
    public PageEntryKind Kind;

    /// <summary>Its bits.</summary>
    public EntryFlags Flags;

    /// <summary>The frame, or for swap entries the slot.</summary>
    public uint Number;

    public PageEntry(PageEntryKind kind, uint number, EntryFlags flags)
    {
        Kind = kind;
        Number = number;
        Flags = flags;
    }

    public readonly bool IsNone => Kind == PageEntryKind.None;

    public readonly bool IsPresent => Kind == PageEntryKind.Present;

    public readonly bool IsWritable => (Flags & EntryFlags.Writable) != 0;

    public readonly bool IsDirty => (Flags & EntryFlags.Dirty) != 0;

    public readonly bool IsSoftDirty => (Flags & EntryFlags.SoftDirty) != 0;

    /// <summary>The small zero page. A huge zero entry has its own frame number.</summary>
    public readonly bool IsZeroPage => Kind == PageEntryKind.Present && Number == PhysicalMemory.ZeroFrame;

    /// <summary>Present, but without struct page.</summary>
    public readonly bool IsSpecial => (Flags & EntryFlags.Special) != 0;

    /// <summary>Holds the frame in some way, so that the frame counts a mapping for it.</summary>
    public readonly bool HoldsFrame => (Kind is PageEntryKind.Present or PageEntryKind.DevicePrivate) && !IsSpecial;

    /// <summary>Adds or removes one bit.</summary>
    public void Set(EntryFlags flag, bool on) => Flags = on ? Flags | flag : Flags & ~flag;
}
