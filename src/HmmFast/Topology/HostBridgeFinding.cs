using System.Globalization;

namespace HmmFast.Topology;

/// <summary>What a kernel's list says of one host bridge: which device speaks for it, and the line that its ids meet.</summary>
/// <param name="RootBus">The root bus.</param>
/// <param name="Speaker">
/// The speaking device's index, <see cref="PciTopology.NoFirstDevice"/> or <see cref="PciTopology.FirstDeviceUnknown"/>.
/// </param>
/// <param name="Line">The line's index in the list, or -1.</param>
/// <param name="Text">The finding in words, without a full stop.</param>
public sealed record HostBridgeFinding(PciBusAddress RootBus, int Speaker, int Line, string Text)
{
    /// <summary>Looks a host bridge up in a list.</summary>
    /// <param name="topology">The machine.</param>
    /// <param name="list">The list.</param>
    /// <param name="hostBridge">The host bridge's index.</param>
    /// <returns>The finding.</returns>
    public static HostBridgeFinding Find(PciTopology topology, HostBridgeList list, int hostBridge)
    {
        PciBusAddress rootBus = topology.RootBuses[hostBridge];
        int speaker = P2PdmaDistance.Speaker(topology, hostBridge);
        if (speaker < 0)
        {
            int first = topology.FirstDevices[hostBridge];
            string why = speaker == PciTopology.FirstDeviceUnknown
                ? "it is not known which device speaks for it"
                : first < 0
                    ? "no device is on its root bus, so none speaks for it and it is on no list"
                    : $"its first device {topology.Addresses[first]} is neither function 00.0 nor a root port, so none speaks for it and it is on no list";
            return new HostBridgeFinding(rootBus, speaker, -1, $"host bridge {rootBus}: {why}");
        }

        PciAddress address = topology.Addresses[speaker];
        int vendor = topology.Vendors[speaker];
        int device = topology.Devices[speaker];
        if (vendor < 0 || device < 0)
        {
            return new HostBridgeFinding(rootBus, speaker, -1, $"host bridge {rootBus}: {address} speaks for it, and its ids are not known");
        }

        int line = list.IndexOf((ushort)vendor, (ushort)device);
        string ids = string.Create(CultureInfo.InvariantCulture, $"{vendor:x4}:{device:x4}");
        string listed = line < 0
            ? $"is on no line of {list}"
            : $"is line {line + 1} of {list}: {list.Entries[line]}";
        return new HostBridgeFinding(rootBus, speaker, line, $"host bridge {rootBus}: {address} [{ids}] speaks for it and {listed}");
    }
}
