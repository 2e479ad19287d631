using System.Globalization;
using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>The private links of a machine in a few lines: those of one kind, bandwidth, latency and state together.</summary>
public static class TopoLinks
{
    private const int MostEndsNamed = 24;

    /// <summary>The lines.</summary>
    /// <param name="view">The machine.</param>
    public static IReadOnlyList<string> Lines(TopoView view)
    {
        var groups = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (PrivateLinkSpec link in view.Topology.PrivateLinks)
        {
            string rate = link.BandwidthBytesPerSecond is double bandwidth
                ? string.Create(CultureInfo.InvariantCulture, $"{bandwidth / 1e9:0.#} GB/s")
                : "bandwidth unknown";
            string latency = link.LatencyNs is double nanoseconds ? string.Create(CultureInfo.InvariantCulture, $", {nanoseconds:0} ns") : "";
            string live = link.IsLive switch { true => ", up", false => ", down", null => "" };
            string key = $"{link.Kind}{(link.LinkCount is int count ? $" x{count}" : "")}, {rate}{latency}{live}";
            if (!groups.TryGetValue(key, out List<string>? ends))
            {
                groups.Add(key, ends = []);
            }

            ends.Add($"{Name(view, link.From)}>{(link.To is PciAddress to ? Name(view, to) : "outside")}");
        }

        return [.. groups.Select(group =>
        {
            string shown = string.Join(" ", group.Value.Take(MostEndsNamed));
            string more = group.Value.Count > MostEndsNamed ? $" and {group.Value.Count - MostEndsNamed} more" : "";
            return $"{group.Key}: {shown}{more}";
        })];
    }

    private static string Name(TopoView view, PciAddress address) =>
        view.Topology.TryFind(address, out int index) && view.DeviceAt(index) is TopoDevice device ? device.Label : view.Short(address);
}
