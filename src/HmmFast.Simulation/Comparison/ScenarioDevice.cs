using HmmFast.Dma;
using HmmFast.Drivers.Devices;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <summary>A device of a scenario.</summary>
public sealed record ScenarioDevice
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its place in the machine's tree.</summary>
    public required PciAddress Address { get; init; }

    /// <summary>Whether it has memory of its own.</summary>
    public bool HasMemory { get; init; }

    /// <summary>Bytes of it; null for as much as the scenario places there.</summary>
    public ulong? MemoryBytes { get; init; }

    /// <summary>Private or coherent.</summary>
    public DeviceMemoryKind Kind { get; init; }

    /// <summary>Bytes of the BAR window; null for <see cref="WindowShare"/>.</summary>
    public ulong? WindowBytes { get; init; }

    /// <summary>The window as a share of the memory, 0 to 1; null for all of it, as far as the BAR goes.</summary>
    public double? WindowShare { get; init; }

    /// <summary>The largest memory BAR that the machine gives the function; null where it says none.</summary>
    public ulong? BarBytes { get; init; }

    /// <summary>Where that BAR starts; null where the machine does not say.</summary>
    public ulong? BarStart { get; init; }

    /// <summary>Bus address minus physical address of the window.</summary>
    public long BusOffsetBytes { get; init; }

    /// <summary>Chunks that are not mapped in the window at first.</summary>
    public IReadOnlyList<int> UnmappedChunks { get; init; } = [];

    /// <summary>How a device with memory handles its faults; its range is the scenario's.</summary>
    public SvmGpuOptions Gpu { get; init; } = new();

    /// <summary>Bytes of a chunk of the window.</summary>
    public ulong ChunkBytes { get; init; } = 2 << 20;

    /// <summary>Its driver's name: devices of one driver share an owner, where owners are as configured.</summary>
    public string? Owner { get; init; }

    /// <summary>What the DMA API knows of it.</summary>
    public DmaDeviceOptions Dma { get; init; } = new();

    /// <summary>False when it is plugged in by a step.</summary>
    public bool IsPluggedAtStart { get; init; } = true;

    /// <summary>Line in the file.</summary>
    public int Line { get; init; }
}
