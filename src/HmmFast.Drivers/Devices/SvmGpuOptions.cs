namespace HmmFast.Drivers.Devices;

/// <summary>How a GPU with shared virtual memory handles its faults.</summary>
public sealed record SvmGpuOptions
{
    /// <summary>Pages of a range: what it faults and migrates at once.</summary>
    public int RangePageCount { get; init; } = 512;

    /// <summary>Moves a range to its own memory before it maps it.</summary>
    public bool MigratesOnFault { get; init; }

    /// <summary>Tries at migrating before it maps the range where it is.</summary>
    public int MigrationTryLimit { get; init; } = 3;

    /// <summary>Ranges it may evict to system memory for one fault, when its own memory is full.</summary>
    public int EvictLimit { get; init; } = 2;
}
