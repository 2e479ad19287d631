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

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is outside its bounds; the message names it, its value and the bounds.</exception>
    public void Validate()
    {
        if (!(Share >= 0 && Share <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(Share), Share, $"The share is {Share}; it lies between 0 and 1.");
        }

        CheckPages(nameof(RunPages), RunPages);
        CheckPages(nameof(ChunkPages), ChunkPages);
        if (DevicePages is 0 or > (1UL << 31))
        {
            throw new ArgumentOutOfRangeException(nameof(DevicePages), DevicePages, $"gpu0 has {DevicePages} pages; it has between 1 and {1UL << 31}.");
        }

        if (SystemFrames is 0 or > (1UL << 31))
        {
            throw new ArgumentOutOfRangeException(nameof(SystemFrames), SystemFrames, $"There are {SystemFrames} system frames; there are between 1 and {1UL << 31}.");
        }
    }

    private static void CheckPages(string name, ulong pages)
    {
        if (pages is 0 or > MaxCallPages)
        {
            throw new ArgumentOutOfRangeException(name, pages, $"{name} is {pages}; it lies between 1 and {MaxCallPages} pages.");
        }
    }
}
