using System.Globalization;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>
/// Lays two descriptions of a machine side by side: functions by address, host bridges by root bus, devices by name or address, links by
/// their ends. Facts that one side does not know are listed as such and are no contradiction. Cost: linear in both.
/// </summary>
public static class MachineComparison
{
    private static readonly (string Name, Func<PciFunctionDescription, string?> Value)[] FunctionFacts =
    [
        ("kind", static f => f.Kind is PciFunctionKind.Unknown or PciFunctionKind.Bridge || (f.ClassCode is null && f.PcieType is null) ? null : f.Kind.ToString()),
        ("is a bridge", static f => f.Kind == PciFunctionKind.Unknown ? null : f.IsBridge ? "yes" : "no"),
        ("parent", static f => f.HiddenBridgesAbove != 0 ? null : f.Parent?.ToString() ?? (f.RootBus is null ? null : "on the root bus")),
        ("root bus", static f => f.RootBus?.ToString()),
        ("vendor", static f => Hex(f.VendorId)),
        ("device", static f => Hex(f.DeviceId)),
        ("class", static f => Hex(f.ClassCode)),
        ("PCIe type", static f => f.IsPcie == false ? "no PCIe" : f.PcieType?.ToString(CultureInfo.InvariantCulture)),
        ("secondary bus", static f => f.SecondaryBus?.ToString("x2", CultureInfo.InvariantCulture)),
        ("subordinate bus", static f => f.SubordinateBus?.ToString("x2", CultureInfo.InvariantCulture)),
        ("physical function", static f => f.PhysicalFunction?.ToString()),
        ("ACS capability", static f => f.Acs.IsPresent switch { false => "none", true => Hex(f.Acs.Capability), null => null }),
        ("ACS control", static f => f.Acs.IsPresent == false ? "none" : Hex(f.Acs.Control)),
        ("link speed (GT/s)", static f => f.Link?.SpeedGigatransfers?.ToString(CultureInfo.InvariantCulture)),
        ("link width", static f => f.Link?.Width?.ToString(CultureInfo.InvariantCulture)),
        ("NUMA node", static f => f.NumaNode?.ToString(CultureInfo.InvariantCulture)),
        ("IOMMU group", static f => f.IommuGroup?.ToString(CultureInfo.InvariantCulture)),
        ("driver", static f => f.Driver),
    ];

    /// <summary>The differences, in order: processor, host bridges, functions by address, devices, links.</summary>
    /// <param name="left">One description.</param>
    /// <param name="right">The other.</param>
    /// <returns>Empty when they say the same.</returns>
    public static IReadOnlyList<MachineDifference> Compare(MachineDescription left, MachineDescription right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        var differences = new List<MachineDifference>();
        CompareFact(differences, "cpu", "vendor", left.Cpu?.Vendor, right.Cpu?.Vendor);
        CompareFact(differences, "cpu", "family", Show(left.Cpu?.Family), Show(right.Cpu?.Family));
        CompareFact(differences, "cpu", "model", Show(left.Cpu?.Model), Show(right.Cpu?.Model));
        Pair(differences, left.HostBridges, right.HostBridges, static b => b.RootBus.ToString(), static _ => "host bridge",
            static (list, name, l, r) => CompareFact(list, name, "first device", l.FirstDevice?.ToString(), r.FirstDevice?.ToString()));
        Pair(differences, left.Functions, right.Functions, static f => f.Address.ToString(), static f => f.Name ?? f.Kind.ToString(), CompareFunctions);
        Pair(differences, left.Devices, right.Devices, DeviceKey, static d => d.Kind.ToString(),
            static (list, name, l, r) => CompareFact(list, name, "NUMA node", Show(l.NumaNode), Show(r.NumaNode)));
        Pair(differences, left.Links, right.Links, LinkKey, static l => l.Kind.ToString(), CompareLinks);
        return differences;
    }

    private static void CompareFunctions(List<MachineDifference> list, string name, PciFunctionDescription left, PciFunctionDescription right)
    {
        foreach ((string fact, Func<PciFunctionDescription, string?> value) in FunctionFacts)
        {
            CompareFact(list, name, fact, value(left), value(right));
        }
    }

    private static void CompareLinks(List<MachineDifference> list, string name, PrivateLinkDescription left, PrivateLinkDescription right)
    {
        CompareFact(list, name, "link count", Show(left.LinkCount), Show(right.LinkCount));
        CompareFact(list, name, "MB/s", left.BandwidthMegabytesPerSecond?.ToString(CultureInfo.InvariantCulture),
            right.BandwidthMegabytesPerSecond?.ToString(CultureInfo.InvariantCulture));
        CompareFact(list, name, "live", left.IsLive?.ToString(), right.IsLive?.ToString());
    }

    private static void CompareFact(List<MachineDifference> list, string subject, string fact, string? left, string? right)
    {
        if (left == right)
        {
            return;
        }

        MachineDifferenceKind kind = right is null ? MachineDifferenceKind.KnownLeft
            : left is null ? MachineDifferenceKind.KnownRight : MachineDifferenceKind.Differs;
        list.Add(new MachineDifference(kind, subject, fact, left, right));
    }

    // Both sides keep their order; the right side's own items come after the left side's.
    private static void Pair<T>(List<MachineDifference> list, IReadOnlyList<T> left, IReadOnlyList<T> right, Func<T, string> key,
        Func<T, string> show, Action<List<MachineDifference>, string, T, T> compare)
    {
        var unmatched = new Dictionary<string, Queue<T>>(StringComparer.Ordinal);
        foreach (T item in right)
        {
            string name = key(item);
            if (!unmatched.TryGetValue(name, out Queue<T>? queue))
            {
                unmatched.Add(name, queue = new Queue<T>());
            }

            queue.Enqueue(item);
        }

        foreach (T item in left)
        {
            string name = key(item);
            if (unmatched.TryGetValue(name, out Queue<T>? queue) && queue.TryDequeue(out T? other))
            {
                compare(list, name, item, other);
            }
            else
            {
                list.Add(new MachineDifference(MachineDifferenceKind.OnlyLeft, name, "", show(item), null));
            }
        }

        foreach (T item in right)
        {
            string name = key(item);
            if (unmatched[name].TryDequeue(out T? other))
            {
                list.Add(new MachineDifference(MachineDifferenceKind.OnlyRight, name, "", null, show(other)));
            }
        }
    }

    // Formats name devices differently (GPU0, nvml0, node 2); the address is what they share.
    private static string DeviceKey(MachineDeviceDescription device) =>
        device.Address is PciAddress address ? $"{device.Kind} at {address}" : device.Name;

    private static string LinkKey(PrivateLinkDescription link) =>
        $"{link.Kind} {link.FromAddress?.ToString() ?? link.From} -> {link.ToAddress?.ToString() ?? link.To}";

    private static string? Hex(ushort? value) => value?.ToString("x4", CultureInfo.InvariantCulture);

    private static string? Show(int? value) => value?.ToString(CultureInfo.InvariantCulture);
}
