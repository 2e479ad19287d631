namespace HmmFast;

/// <summary>What a memory system has done since it was made. Every field counts events, in pages unless named otherwise.</summary>
public record struct MemoryCounters
{
    /// <summary>Page faults taken: one per page and fault (a 2 MiB fault is one).</summary>
    public ulong Faults { get; set; }

    /// <summary>Faults that mapped the zero page (the huge zero page is one).</summary>
    public ulong ZeroPageFaults { get; set; }

    /// <summary>Pages copied by copy-on-write, zero-page and file copies included.</summary>
    public ulong PagesCopied { get; set; }

    /// <summary>Pages brought back from swap.</summary>
    public ulong PagesSwappedIn { get; set; }

    /// <summary>Pages written to swap.</summary>
    public ulong PagesSwappedOut { get; set; }

    /// <summary>Pages moved to a device by migrate_vma (empty and zero pages included).</summary>
    public ulong PagesMigratedToDevice { get; set; }

    /// <summary>Pages moved from a device to system memory, by migrate_vma or migrate_to_ram.</summary>
    public ulong PagesMigratedToSystem { get; set; }

    /// <summary>Of those, pages a CPU touch or a foreign device's fault brought back (migrate_to_ram calls).</summary>
    public ulong MigrateToRamFaults { get; set; }

    /// <summary>Device-exclusive entries ended by an access.</summary>
    public ulong ExclusiveEnds { get; set; }

    /// <summary>2 MiB entries split into a table of pages.</summary>
    public ulong HugeSplits { get; set; }

    /// <summary>Invalidations sent, one per event and range, whether or not a notifier overlaps.</summary>
    public ulong Invalidations { get; set; }

    /// <summary>hmm_range_fault calls.</summary>
    public ulong RangeFaultCalls { get; set; }

    /// <summary>Of those, calls that ended with Busy.</summary>
    public ulong RangeFaultBusy { get; set; }
}
