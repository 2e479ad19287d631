namespace HmmFast.Simulation.Captures;

/// <summary>What else a captured VMA has beside range, protection and kind.</summary>
[Flags]
public enum VmaTraits : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>MADV_HUGEPAGE was given (VmFlags <c>hg</c>).</summary>
    HugePageAdvised = 1,

    /// <summary>MADV_NOHUGEPAGE was given (VmFlags <c>nh</c>).</summary>
    NoHugePageAdvised = 2,

    /// <summary>hugetlb memory (VmFlags <c>ht</c>); replayed as ordinary memory with transparent huge pages.</summary>
    HugeTlb = 4,

    /// <summary>Executable. Kept for people; nothing here depends on it.</summary>
    Executable = 8,
}
