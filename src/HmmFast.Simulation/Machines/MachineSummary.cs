using System.Globalization;
using System.Text;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>A description in a few lines: counts of functions, bridges and links, and what is unknown.</summary>
public static class MachineSummary
{
    /// <summary>The summary, one fact a line, the same for the same description.</summary>
    /// <param name="machine">The machine.</param>
    /// <returns>Lines, each ended by a line feed.</returns>
    public static string Of(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        var text = new StringBuilder();
        Line(text, $"format {machine.Format}");
        CpuDescription? cpu = machine.Cpu;
        Line(text, $"cpu {(cpu is null ? "unknown" : $"{cpu.Vendor ?? "?"} family {Show(cpu.Family)} model {Show(cpu.Model)}")}");
        Line(text, $"host bridges {machine.HostBridges.Count}{Listed(machine.HostBridges.Select(Show))}");
        Line(text, $"functions {machine.Functions.Count}, bridges {machine.Functions.Count(static f => f.IsBridge)}, virtual {machine.Functions.Count(static f => f.IsVirtualFunction)}");
        Counts(text, "kind", machine.Functions.Select(static f => f.Kind.ToString()));
        Counts(text, "class", machine.Functions.Select(static f => f.ClassCode?.ToString("x4", CultureInfo.InvariantCulture) ?? "unknown"));
        Counts(text, "vendor", machine.Functions.Select(static f => f.VendorId?.ToString("x4", CultureInfo.InvariantCulture) ?? "unknown"));
        Counts(text, "acs", machine.Functions.Select(static f => f.Acs.IsPresent switch
        {
            false => "none",
            true => $"cap {Hex(f.Acs.Capability)} ctl {Hex(f.Acs.Control)}",
            null => f.Acs.Control is null ? "unknown" : $"unknown, ctl {Hex(f.Acs.Control)}",
        }));
        Counts(text, "pcie link", machine.Functions.Where(static f => f.Link is not null).Select(static f => string.Create(
            CultureInfo.InvariantCulture,
            $"{(f.Link!.SpeedGigatransfers is double speed ? $"{speed} GT/s x{Show(f.Link.Width)}" : f.Link.BandwidthGigabytesPerSecond is double rate ? $"{rate} GB/s" : "?")}")));
        Counts(text, "numa node", machine.Functions.Select(static f => Show(f.NumaNode)));
        Line(text, $"deepest function {Depth(machine)} bridges down");
        Counts(text, "device", machine.Devices.Select(static d => d.Kind.ToString()));
        Counts(text, "link", machine.Links.Select(static l => string.Create(
            CultureInfo.InvariantCulture, $"{l.Kind} count {Show(l.LinkCount)} MB/s {(l.BandwidthMegabytesPerSecond is double b ? b : "?")}")));
        Counts(text, "relation", machine.Relations.Select(static r => r.Class.ToString()));
        foreach (MachineUnknown unknown in machine.Unknowns)
        {
            Line(text, $"unknown {unknown}");
        }

        foreach (string remark in machine.Remarks)
        {
            Line(text, $"remark {remark}");
        }

        return text.ToString();
    }

    private static int Depth(MachineDescription machine)
    {
        int deepest = 0;
        foreach (PciFunctionDescription function in machine.Functions)
        {
            int depth = 0;
            for (PciAddress? at = function.Parent; at is PciAddress address; at = machine.Find(address)?.Parent)
            {
                depth++;
            }

            deepest = Math.Max(deepest, depth);
        }

        return deepest;
    }

    private static void Counts(StringBuilder text, string what, IEnumerable<string> keys)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (string key in keys)
        {
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        foreach ((string key, int count) in counts)
        {
            Line(text, $"{what} {key}: {count}");
        }
    }

    private static string Listed(IEnumerable<string> items)
    {
        string list = string.Join(", ", items);
        return list.Length == 0 ? "" : $": {list}";
    }

    private static string Show(HostBridgeDescription bridge) => $"{bridge.RootBus} by {bridge.FirstDevice?.ToString() ?? "?"}";

    private static string Show(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "?";

    private static string Hex(ushort? bits) => bits?.ToString("x4", CultureInfo.InvariantCulture) ?? "?";

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
