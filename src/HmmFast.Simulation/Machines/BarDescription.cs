namespace HmmFast.Simulation.Machines;

/// <summary>One base address register (region) of a function.</summary>
public sealed record BarDescription
{
    /// <summary>The number of the region, 0 to 5; a 64-bit region uses two and is listed once.</summary>
    public required int Index { get; init; }

    /// <summary>The address that the processor uses; <see langword="null"/> = unassigned or unknown.</summary>
    public ulong? Start { get; init; }

    /// <summary>The size; <see langword="null"/> = unknown.</summary>
    public ulong? SizeBytes { get; init; }

    /// <summary>I/O ports instead of memory.</summary>
    public bool IsIo { get; init; }

    /// <summary>Addresses of 64 bits.</summary>
    public bool Is64Bit { get; init; }

    /// <summary>Reads have no side effect.</summary>
    public bool IsPrefetchable { get; init; }
}
