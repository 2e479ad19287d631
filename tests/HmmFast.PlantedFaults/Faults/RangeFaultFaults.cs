namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in the range fault: one per rule of its order of tests, and of the table of entries.</summary>
public static class RangeFaultFaults
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } = [];
}
