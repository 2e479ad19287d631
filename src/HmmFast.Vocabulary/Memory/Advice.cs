namespace HmmFast;

/// <summary>madvise's advice.</summary>
public enum Advice : byte
{
    /// <summary>MADV_DONTNEED.</summary>
    DontNeed,

    /// <summary>MADV_FREE.</summary>
    Free,

    /// <summary>MADV_PAGEOUT.</summary>
    PageOut,

    /// <summary>MADV_HUGEPAGE.</summary>
    HugePage,

    /// <summary>MADV_NOHUGEPAGE.</summary>
    NoHugePage,

    /// <summary>MADV_COLLAPSE.</summary>
    Collapse,
}
