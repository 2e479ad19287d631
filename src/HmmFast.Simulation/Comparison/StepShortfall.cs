namespace HmmFast.Simulation.Comparison;

/// <summary>A step that could not be carried through under a policy, mostly because memory ran out.</summary>
public sealed class StepShortfall
{
    /// <summary>The step's line in the scenario.</summary>
    public required int Line { get; init; }

    /// <summary>What it does, in words.</summary>
    public required string Step { get; init; }

    /// <summary>What was answered.</summary>
    public required HmmStatus Status { get; init; }

    /// <summary>What there was too little of.</summary>
    public required string Lacking { get; init; }

    /// <summary>The first round in which it happened, from 1.</summary>
    public required int FirstRound { get; init; }

    /// <summary>Requests that failed; 0 for steps that are no requests.</summary>
    public ulong Requests { get; set; }

    /// <summary>Pages that were missing, summed over rounds.</summary>
    public ulong MissingPages { get; set; }

    /// <summary>In one sentence, with the place in the file.</summary>
    /// <param name="scenario">The scenario.</param>
    public string Describe(PolicyScenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        string requests = Requests == 0 ? "" : $" in {Requests} requests";
        string round = scenario.Rounds == 1 ? "" : $" (first in round {FirstRound})";
        string missing = MissingPages == 0 ? Lacking : $"{MissingPages} {Lacking} missing";
        return $"{scenario.At(Line)}: {Step}: {Status}{requests}{round}: {missing}";
    }
}
