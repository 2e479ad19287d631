namespace HmmFast.Simulation.Comparison;

/// <summary>A step of a scenario.</summary>
public sealed record ScenarioStep
{
    /// <summary>What it does.</summary>
    public required ScenarioStepKind Kind { get; init; }

    /// <summary>The devices concerned: who faults (several fault with a common owner, or NULL), who is unplugged, whose chunk it is.</summary>
    public IReadOnlyList<int> Devices { get; init; } = [];

    /// <summary>For <see cref="ScenarioStepKind.Deny"/> and <see cref="ScenarioStepKind.Permit"/>: the client.</summary>
    public int Client { get; init; }

    /// <summary>The link concerned.</summary>
    public int Link { get; init; }

    /// <summary>The chunk concerned.</summary>
    public int Chunk { get; init; }

    /// <summary>Write access instead of read.</summary>
    public bool Writes { get; init; }

    /// <summary>Asks with a NULL owner, whatever the policy.</summary>
    public bool ForcesSystem { get; init; }

    /// <summary>Where the part that is faulted begins, as a share of all memory.</summary>
    public double From { get; init; }

    /// <summary>Where it ends.</summary>
    public double To { get; init; } = 1;

    /// <summary>Line in the file.</summary>
    public int Line { get; init; }
}
