using System.Globalization;

namespace HmmFast.Simulation.Jobs;

/// <summary>What the main job does.</summary>
public sealed record MainJobOptions
{
    /// <summary>Share of the anonymous pages that gpu0 gets, 0 to 1.</summary>
    public double Share { get; init; } = 0.5;

    /// <summary>Pages that are placed together: a run begins at a multiple of this.</summary>
    public ulong RunPages { get; init; } = PageOrder.PagesPerBlock;

    /// <summary>Most pages that nic0 asks for in one faulting call.</summary>
    public ulong ChunkPages { get; init; } = 8 * PageOrder.PagesPerBlock;

    /// <summary>Pages of gpu0's memory; null gives it room for its whole share.</summary>
    public ulong? DevicePages { get; init; }

    /// <summary>System frames; null gives room for everything.</summary>
    public ulong? SystemFrames { get; init; }

    /// <summary>True: nic0 asks for write access where the VMA allows it.</summary>
    public bool Write { get; init; }

    /// <summary>How far a fault goes.</summary>
    public FaultHabit FaultHabit { get; init; }

    /// <summary>True runs the reference beside the engine and compares every answer.</summary>
    public bool Verify { get; init; }

    /// <summary>Largest run or chunk: 1 GiB in pages, as one call's array.</summary>
    public const ulong MaxCallPages = PageOrder.PagesPerGibibyte;

    /// <summary>Says which value is outside its bounds; null when none is.</summary>
    public string? Problem()
    {
        const ulong maxPages = 1UL << 31;
        return !(Share >= 0 && Share <= 1) ? Invariant($"The share is {Share}; it lies between 0 and 1.")
            : RunPages is 0 or > MaxCallPages ? Invariant($"A run has {RunPages} pages; it has between 1 and {MaxCallPages}.")
            : ChunkPages is 0 or > MaxCallPages ? Invariant($"A chunk has {ChunkPages} pages; it has between 1 and {MaxCallPages}.")
            : DevicePages is 0 or > maxPages ? Invariant($"gpu0 has {DevicePages} pages; it has between 1 and {maxPages}.")
            : SystemFrames is 0 or > maxPages ? Invariant($"There are {SystemFrames} system frames; there are between 1 and {maxPages}.")
            : null;
    }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentException">One is outside its bounds; the message names it, its value and the bounds.</exception>
    public void Validate()
    {
        if (Problem() is { } problem)
        {
            throw new ArgumentException(problem);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
