namespace HmmFast.Policies;

/// <summary>What an importer does when a page it was handed cannot be DMA mapped.</summary>
public enum MapFailureAnswer : byte
{
    /// <summary>The fault fails with EFAULT.</summary>
    Fatal,

    /// <summary>That page is asked for again without ALLOW_P2P; pages that mapped keep their per-page flag.</summary>
    PerPage,

    /// <summary>The whole range is asked for again without ALLOW_P2P.</summary>
    WholeRange,
}
