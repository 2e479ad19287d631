namespace HmmFast.Simulation.Costs;

/// <summary>How often a policy's checks are charged.</summary>
public enum CheckCharge : byte
{
    /// <summary>Once a run of pages of one pagemap that get one answer: what the engine does, and what a kernel that keeps the last pagemap's answer would do.</summary>
    PerRun,

    /// <summary>Once every 4 KiB page: what a callback in the walk pays.</summary>
    PerPage,
}
