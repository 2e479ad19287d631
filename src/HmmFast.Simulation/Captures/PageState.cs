namespace HmmFast.Simulation.Captures;

/// <summary>What a capture knows of one page. No flag: nothing is there (such pages are not listed).</summary>
[Flags]
public enum PageState : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>In memory and in the page table (pagemap bit 63).</summary>
    Present = 1,

    /// <summary>Swapped out, or held by another swap-like entry (pagemap bit 62).</summary>
    Swapped = 2,

    /// <summary>The frame belongs to a file or to shared anonymous memory (pagemap bit 61).</summary>
    FileOrShared = 4,

    /// <summary>No other page table has the frame (pagemap bit 56).</summary>
    Exclusive = 8,

    /// <summary>Mapped by a 2 MiB entry.</summary>
    Huge = 16,

    /// <summary>The zero page, small or huge.</summary>
    Zero = 32,

    /// <summary>Written since soft-dirty bits were cleared last (pagemap bit 55).</summary>
    SoftDirty = 64,
}
