using HmmFast.Dma;

namespace HmmFast.Drivers.Fabric;

/// <summary>One device of a machine as the fabric plans it: with memory (it exports), without (it only imports).</summary>
public sealed record FabricMember
{
    /// <summary>For people; unique in the fabric.</summary>
    public required string Name { get; init; }

    /// <summary>Pages of device memory; 0 for a device without.</summary>
    public ulong MemoryPageCount { get; init; }

    /// <summary>Private or coherent.</summary>
    public DeviceMemoryKind Kind { get; init; }

    /// <summary>Owner of its pagemap and of its own requests, where owners are as configured; NULL only without private memory.</summary>
    public OwnerId Owner { get; init; }

    /// <summary>Pages of the BAR window over its memory; 0 for none.</summary>
    public ulong WindowPageCount { get; init; }

    /// <summary>Pages of a chunk of the window.</summary>
    public ulong ChunkPageCount { get; init; } = 512;

    /// <summary>Bus address minus physical address of the window.</summary>
    public long BusOffsetBytes { get; init; }

    /// <summary>What the DMA API knows of it as an importer.</summary>
    public DmaDeviceOptions Dma { get; init; } = new();

    /// <summary>False for a device that is plugged in later.</summary>
    public bool IsPluggedAtStart { get; init; } = true;
}
