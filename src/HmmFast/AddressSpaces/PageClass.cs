namespace HmmFast.AddressSpaces;

/// <summary>Bits of a page table entry beside its kind.</summary>
[Flags]
internal enum EntryBits : ushort
{
    None = 0,

    /// <summary>The entry allows writing.</summary>
    Writable = 1,

    /// <summary>Written since soft-dirty bits were cleared.</summary>
    SoftDirty = 2,

    /// <summary>The shared zero page, small or (with <see cref="Huge"/>) huge.</summary>
    Zero = 4,

    /// <summary>An entry without struct page.</summary>
    Special = 8,

    /// <summary>A 2 MiB entry.</summary>
    Huge = 16,

    /// <summary>Written through this entry since it was mapped or cleaned.</summary>
    Dirty = 32,

    /// <summary>The frame belongs to this entry alone, so a write needs no copy (the kernel's PageAnonExclusive, which only the one mapper of a page can see).</summary>
    Exclusive = 64,
}

/// <summary>All that a page table entry says beside its number: what a class byte stands for.</summary>
/// <param name="Kind">What the entry holds.</param>
/// <param name="Bits">Its bits.</param>
/// <param name="Device">For device-private entries, the pagemap plus 1; else 0.</param>
internal readonly record struct PageClass(PageEntryKind Kind, EntryBits Bits, ushort Device = 0)
{
    public bool IsWritable => (Bits & EntryBits.Writable) != 0;

    public bool IsZero => (Bits & EntryBits.Zero) != 0;

    public bool IsExclusive => (Bits & EntryBits.Exclusive) != 0;

    public bool IsDirty => (Bits & EntryBits.Dirty) != 0;

    public bool IsSoftDirty => (Bits & EntryBits.SoftDirty) != 0;

    public bool IsPresent => Kind == PageEntryKind.Present;

    /// <summary>True when the number beside the class is a frame that counts this entry as a mapping.</summary>
    public bool HoldsFrame =>
        (Kind is PageEntryKind.DevicePrivate or PageEntryKind.Migration)
        || (Kind == PageEntryKind.Present && (Bits & (EntryBits.Zero | EntryBits.Special)) == 0);
}
