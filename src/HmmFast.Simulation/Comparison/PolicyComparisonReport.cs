namespace HmmFast.Simulation.Comparison;

/// <summary>A scenario under several policies.</summary>
public sealed record PolicyComparisonReport
{
    /// <summary>The scenario.</summary>
    public required PolicyScenario Scenario { get; init; }

    /// <summary>Whose memory it was.</summary>
    public required string MemoryName { get; init; }

    /// <summary>Its pages.</summary>
    public required ulong PageCount { get; init; }

    /// <summary>True when unused address spans were closed up.</summary>
    public bool IsCompacted { get; init; }

    /// <summary>One result a policy and habit, in order.</summary>
    public required IReadOnlyList<PolicyResult> Results { get; init; }

    /// <summary>What became of the page that was followed, one trace a policy; empty when none was.</summary>
    public required IReadOnlyList<PageTrace> Traces { get; init; }

    /// <summary>True when the reference ran beside the engine.</summary>
    public required bool IsVerified { get; init; }

    /// <summary>Where the reference differed; empty when nowhere.</summary>
    public required IReadOnlyList<string> Differences { get; init; }
}
