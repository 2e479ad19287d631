namespace HmmFast.Simulation.Captures;

/// <summary>How a live process's pages are read.</summary>
public enum PageScanMethod : byte
{
    /// <summary>The PAGEMAP_SCAN ioctl where the kernel has it, plain reads where not.</summary>
    Auto,

    /// <summary>PAGEMAP_SCAN finds what is populated and which pages are zero or huge; pagemap entries are read there only.</summary>
    PagemapScan,

    /// <summary>Every pagemap entry of every VMA is read.</summary>
    PlainReads,
}
