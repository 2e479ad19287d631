namespace HmmFast.Simulation.Traces;

/// <summary>A sequence's header.</summary>
public sealed record TraceHeader
{
    /// <summary>The format version this reader knows.</summary>
    public const int KnownFormat = 1;

    /// <summary>The seed that names the sequence in its file.</summary>
    public required int Seed { get; init; }

    /// <summary>The kernel that answered.</summary>
    public required string Kernel { get; init; }

    /// <summary>core, small or thp.</summary>
    public required string Mode { get; init; }

    /// <summary>Pages of the region.</summary>
    public required int PageCount { get; init; }

    /// <summary>Operations planned; random sequences hold exactly as many steps.</summary>
    public required int OperationCount { get; init; }

    /// <summary>Page offset of the region's start inside its 2 MiB block.</summary>
    public required int PmdOffset { get; init; }

    /// <summary>Size of the memfd and of the disk file, in pages.</summary>
    public required int FilePageCount { get; init; }

    /// <summary>A disk file takes part.</summary>
    public required bool HasDiskFile { get; init; }

    /// <summary>The first device's minor: 0 for a private pair, 2 for a coherent pair.</summary>
    public required int FirstDevice { get; init; }

    /// <summary>The hand-made case's name; null for random sequences.</summary>
    public string? Script { get; init; }

    /// <summary>True when the sequence holds direct range faults.</summary>
    public bool HasRangeFaults { get; init; }

    /// <summary>Line of the header in its file.</summary>
    public required int LineNumber { get; init; }

    /// <summary>What the devices' memory is.</summary>
    public DeviceMemoryKind DeviceKind => FirstDevice == 0 ? DeviceMemoryKind.Private : DeviceMemoryKind.Coherent;
}
