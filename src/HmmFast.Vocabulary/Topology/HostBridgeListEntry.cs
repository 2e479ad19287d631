using System.Globalization;

namespace HmmFast.Topology;

/// <summary>One line of a kernel's list of host bridges through which peer traffic may go.</summary>
/// <param name="Vendor">PCI vendor id that the speaking device must carry.</param>
/// <param name="Device">PCI device id that it must carry.</param>
/// <param name="SameHostBridgeOnly">Whether the line counts only when both devices are below the same host bridge.</param>
public readonly record struct HostBridgeListEntry(ushort Vendor, ushort Device, bool SameHostBridgeOnly)
{
    /// <summary>The line as text: <c>8086:3c00 (same host bridge only)</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Vendor:x4}:{Device:x4}{(SameHostBridgeOnly ? " (same host bridge only)" : "")}");
}
