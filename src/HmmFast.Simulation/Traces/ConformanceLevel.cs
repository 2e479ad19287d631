namespace HmmFast.Simulation.Traces;

/// <summary>How much of a recording is compared.</summary>
public enum ConformanceLevel : byte
{
    /// <summary>What a driver sees: results, counts, content, snapshots, every word of a direct range fault.</summary>
    Hmm,

    /// <summary>Also the page tables: entry kinds, file and exclusive flags, mapcount, frame identity, VMAs, the child's table.</summary>
    State,

    /// <summary>Also soft-dirty and the frames' letters (B not on pages that were MADV_FREEd: the kernel clears it in batches).</summary>
    All,
}
