using HmmFast.PlantedFaults.Faults;

namespace HmmFast.PlantedFaults;

/// <summary>Every planted fault, by the room it is planted in.</summary>
public static class FaultCatalog
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        .. RangeFaultFaults.All,
        .. ColumnFaults.All,
        .. MemoryFaults.All,
        .. TopologyFaults.All,
        .. PolicyFaults.All,
        .. KernelFaults.All,
        .. KernelBoundsFaults.All,
    ];
}
