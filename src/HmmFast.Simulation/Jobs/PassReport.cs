namespace HmmFast.Simulation.Jobs;

/// <summary>One walk of a device over the whole process.</summary>
public sealed record PassReport
{
    /// <summary>Whose walk, and what it asked.</summary>
    public required string Name { get; init; }

    /// <summary>What it was told.</summary>
    public PageOutcomes Outcomes { get; set; }

    /// <summary>hmm_range_fault calls, repeated ones included.</summary>
    public ulong Calls { get; set; }

    /// <summary>Calls that ended with EBUSY and were repeated.</summary>
    public ulong BusyRetries { get; set; }

    /// <summary>Faulting calls that failed; their pages were then only looked at.</summary>
    public ulong FailedCalls { get; set; }

    /// <summary>Time inside the calls, in seconds.</summary>
    public double Seconds { get; set; }

    /// <summary>Pages answered a second of that time.</summary>
    public double PagesPerSecond => Seconds > 0 ? Outcomes.Total / Seconds : 0;
}
