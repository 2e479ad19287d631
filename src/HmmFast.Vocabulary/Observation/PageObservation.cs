namespace HmmFast;

/// <summary>One page as pagemap, kpagecount and kpageflags would show it.</summary>
public record struct PageObservation
{
    /// <summary>What the entry holds.</summary>
    public PageEntryKind Kind { get; set; }

    /// <summary>The entry's write permission (for device entries, their own).</summary>
    public bool IsWritable { get; set; }

    /// <summary>Mapped by a 2 MiB entry.</summary>
    public bool IsHugeMapped { get; set; }

    /// <summary>pagemap bit 61: the frame is file-backed or shared-anonymous (the huge zero page counts, as recorded).</summary>
    public bool IsFileOrShared { get; set; }

    /// <summary>pagemap bit 56: the frame is mapped exclusively by this page table.</summary>
    public bool IsExclusive { get; set; }

    /// <summary>pagemap bit 55: written since soft-dirty was cleared (or the VMA is newer than that).</summary>
    public bool IsSoftDirty { get; set; }

    /// <summary>The zero page, small or huge (kpageflags ZERO_PAGE).</summary>
    public bool IsZeroPage { get; set; }

    /// <summary>A present entry without struct page (kpageflags NOPAGE): see <see cref="IAddressSpace.InsertMixed"/>.</summary>
    public bool IsSpecial { get; set; }

    /// <summary>kpageflags ANON, of a present entry's frame.</summary>
    public bool IsAnonymous { get; set; }

    /// <summary>kpageflags SWAPBACKED.</summary>
    public bool IsSwapBacked { get; set; }

    /// <summary>kpageflags SWAPCACHE.</summary>
    public bool IsInSwapCache { get; set; }

    /// <summary>kpageflags THP: part of a 2 MiB folio.</summary>
    public bool IsHugePart { get; set; }

    /// <summary>How often the frame is mapped (kpagecount), for present entries; else 0. The zero page counts 0.</summary>
    public uint MapCount { get; set; }

    /// <summary>The frame (present, device-private, device-exclusive); <see cref="Pfn.None"/> otherwise: a migration in progress has two frames, and which of them
    /// holds the page is its driver's affair.</summary>
    public Pfn Frame { get; set; }

    /// <summary>The swap slot of a swap entry; else 0.</summary>
    public ulong SwapSlot { get; set; }
}
