using HmmFast.PlantedFaults.Faults;

namespace HmmFast.PlantedFaults;

/// <summary>Every planted fault, by the room it is planted in.</summary>
public static class FaultCatalog
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } = Distinct(
    [
        .. RangeFaultFaults.All,
        .. ColumnFaults.All,
        .. MemoryFaults.All,
        .. TopologyFaults.All,
        .. PolicyFaults.All,
        .. KernelFaults.All,
        .. KernelBoundsFaults.All,
    ]);

    /// <summary>Names tell faults apart, and one mistake under two names would count twice.</summary>
    private static PlantedFault[] Distinct(PlantedFault[] faults)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var mistakes = new Dictionary<(string File, string Original, string Replacement), string>();
        foreach (PlantedFault fault in faults)
        {
            if (!names.Add(fault.Name))
            {
                throw new InvalidOperationException($"Two planted faults are named \"{fault.Name}\".");
            }

            if (!mistakes.TryAdd((fault.File, fault.Original, fault.Replacement), fault.Name))
            {
                throw new InvalidOperationException($"\"{fault.Name}\" plants what \"{mistakes[(fault.File, fault.Original, fault.Replacement)]}\" plants.");
            }
        }

        return faults;
    }
}
