namespace HmmFast.Drivers.Importing;

/// <summary>How an importer asks.</summary>
public sealed record ImporterOptions
{
    /// <summary>Asks for write access too.</summary>
    public bool Writes { get; init; }

    /// <summary>How far a fault goes.</summary>
    public FaultHabit FaultHabit { get; init; }

    /// <summary>Stale answers taken in one request before it gives up: stands for a time-out.</summary>
    public int RetryLimit { get; init; } = 1000;

    /// <summary>Most pages of one hmm_range_fault call; a longer request takes several calls under one notifier sequence.</summary>
    public int CallPageCount { get; init; } = int.MaxValue;
}
