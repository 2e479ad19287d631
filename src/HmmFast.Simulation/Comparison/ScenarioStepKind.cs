namespace HmmFast.Simulation.Comparison;

/// <summary>What a step of a scenario does.</summary>
public enum ScenarioStepKind : byte
{
    /// <summary>A device faults memory.</summary>
    Fault,

    /// <summary>Every page that has left the device it was placed on moves back.</summary>
    Restore,

    /// <summary>A private link goes down.</summary>
    LinkDown,

    /// <summary>A private link comes up.</summary>
    LinkUp,

    /// <summary>A device is unplugged.</summary>
    Unplug,

    /// <summary>A device is plugged in.</summary>
    Plug,

    /// <summary>A device's memory is evicted to system memory.</summary>
    Evict,

    /// <summary>An exporter no longer lets a client in.</summary>
    Deny,

    /// <summary>An exporter lets a client in.</summary>
    Permit,

    /// <summary>A chunk of a device's memory leaves its window.</summary>
    UnmapChunk,

    /// <summary>A chunk of a device's memory enters its window.</summary>
    MapChunk,

    /// <summary>The CPU reads all memory.</summary>
    CpuRead,

    /// <summary>A client DMA maps memory of a device that has no struct page: a provider's, not a process's.</summary>
    MapProvider,
}
