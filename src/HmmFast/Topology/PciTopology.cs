namespace HmmFast.Topology;

/// <summary>
/// A machine's PCI functions as columns, in the order in which a walk down the trees meets them (host bridge by host bridge, a bridge
/// before what is below it, siblings by address). A function's index is its place in that order; what is below a bridge is one run of
/// indices, which is what makes all pairs cheap. Made by <see cref="PciTopologyBuilder"/>; never changes.
/// </summary>
/// <remarks>
/// Columns about functions have <see cref="Count"/> entries, columns about host bridges <see cref="HostBridgeCount"/>; the spans are views and cost nothing. Unknown numbers are -1 in
/// the columns; <see cref="Describe"/> gives them back as null. Any number of threads may read. Source: the tree that <c>pci_upstream_bridge</c> walks, in which a virtual function stands
/// beside its physical one.
/// </remarks>
public sealed class PciTopology
{
    private readonly PciTopologyColumns _columns;
    private readonly Dictionary<PciAddress, int> _indexOf;

    internal PciTopology(PciTopologyColumns columns, Dictionary<PciAddress, int> indexOf, CpuIdentity? cpu)
    {
        _columns = columns;
        _indexOf = indexOf;
        Cpu = cpu;
    }

    /// <summary>How many functions there are.</summary>
    public int Count => _columns.Address.Length;

    /// <summary>The processor; null when unknown.</summary>
    public CpuIdentity? Cpu { get; }

    /// <summary>The functions' addresses.</summary>
    public ReadOnlySpan<PciAddress> Addresses => _columns.Address;

    /// <summary>The bridge above each function, or -1 on a root bus. A virtual function has its physical function's.</summary>
    public ReadOnlySpan<int> Parents => _columns.Parent;

    /// <summary>One past the last index below each function; its own index + 1 when nothing is.</summary>
    public ReadOnlySpan<int> SubtreeEnds => _columns.SubtreeEnd;

    /// <summary>Hops from each function to past the root port: 1 on a root bus, one more for each bridge above (hidden ones included).</summary>
    public ReadOnlySpan<ushort> Depths => _columns.Depth;

    /// <summary>The index of each function's host bridge.</summary>
    public ReadOnlySpan<int> HostBridgeOf => _columns.HostBridge;

    /// <summary>Each function's physical function, or -1 when it is no virtual function.</summary>
    public ReadOnlySpan<int> PhysicalFunctions => _columns.PhysicalFunction;

    /// <summary>Bridges that are not described between each function and its parent; -1 when it is unknown whether there are any.</summary>
    public ReadOnlySpan<int> HiddenBridgesAbove => _columns.HiddenBridgesAbove;

    /// <summary>Access Control Services of each function.</summary>
    public ReadOnlySpan<AcsState> Acs => _columns.Acs;

    /// <summary>What each function is in PCI Express.</summary>
    public ReadOnlySpan<PcieType> PcieTypes => _columns.PcieType;

    /// <summary>Whether each function is a bridge.</summary>
    public ReadOnlySpan<bool> IsBridge => _columns.IsBridge;

    /// <summary>Vendor ids, or -1.</summary>
    public ReadOnlySpan<int> Vendors => _columns.Vendor;

    /// <summary>Device ids, or -1.</summary>
    public ReadOnlySpan<int> Devices => _columns.Device;

    /// <summary>24-bit class codes, or -1.</summary>
    public ReadOnlySpan<int> ClassCodes => _columns.ClassCode;

    /// <summary>Secondary bus of each bridge, or -1.</summary>
    public ReadOnlySpan<int> SecondaryBuses => _columns.SecondaryBus;

    /// <summary>Current link speeds in mega-transfers a second, or -1.</summary>
    public ReadOnlySpan<int> LinkSpeedsMtps => _columns.LinkSpeedMtps;

    /// <summary>Current link widths in lanes, or -1.</summary>
    public ReadOnlySpan<int> LinkWidths => _columns.LinkWidth;

    /// <summary>Highest link speeds in mega-transfers a second, or -1.</summary>
    public ReadOnlySpan<int> MaxLinkSpeedsMtps => _columns.MaxLinkSpeedMtps;

    /// <summary>Highest link widths in lanes, or -1.</summary>
    public ReadOnlySpan<int> MaxLinkWidths => _columns.MaxLinkWidth;

    /// <summary>NUMA nodes, or -1.</summary>
    public ReadOnlySpan<int> NumaNodes => _columns.NumaNode;

    /// <summary>IOMMU groups, or -1.</summary>
    public ReadOnlySpan<int> IommuGroups => _columns.IommuGroup;

    /// <summary>Names for people, or null.</summary>
    public ReadOnlySpan<string?> Names => _columns.Name;

    /// <summary>How many host bridges there are.</summary>
    public int HostBridgeCount => _columns.RootBus.Length;

    /// <summary>The host bridges' root buses, ascending.</summary>
    public ReadOnlySpan<PciBusAddress> RootBuses => _columns.RootBus;

    /// <summary>Names of the host bridges for people, or null.</summary>
    public ReadOnlySpan<string?> HostBridgeNames => _columns.HostBridgeName;

    /// <summary>The first function of each host bridge's run of indices.</summary>
    public ReadOnlySpan<int> HostBridgeStarts => _columns.HostBridgeStart;

    /// <summary>One past the last function of each host bridge's run of indices.</summary>
    public ReadOnlySpan<int> HostBridgeEnds => _columns.HostBridgeEnd;

    /// <summary>
    /// The first device of each root bus, which alone may speak for the host bridge: a function's index,
    /// <see cref="NoFirstDevice"/> or <see cref="FirstDeviceUnknown"/>.
    /// </summary>
    public ReadOnlySpan<int> FirstDevices => _columns.FirstDevice;

    /// <summary>Whether each host bridge only stands for an unknown place (<see cref="PciHostBridgeSpec.IsPlaceholder"/>).</summary>
    public ReadOnlySpan<bool> IsPlaceholder => _columns.IsPlaceholder;

    /// <summary>The private links, in the order they were added.</summary>
    public IReadOnlyList<PrivateLinkSpec> PrivateLinks => _columns.PrivateLinks;

    /// <summary>In <see cref="FirstDevices"/>: the root bus has no device.</summary>
    public const int NoFirstDevice = -1;

    /// <summary>In <see cref="FirstDevices"/>: the description leaves functions out, so it is not known which is first.</summary>
    public const int FirstDeviceUnknown = -2;

    /// <summary>Finds a function. Cost: one look-up.</summary>
    /// <param name="address">Its address.</param>
    /// <param name="index">Its index, or -1.</param>
    /// <returns>Whether it is in the tree.</returns>
    public bool TryFind(PciAddress address, out int index)
    {
        if (_indexOf.TryGetValue(address, out index))
        {
            return true;
        }

        index = -1;
        return false;
    }

    /// <summary>A function's index.</summary>
    /// <param name="address">Its address.</param>
    /// <returns>The index, 0 to <see cref="Count"/> - 1.</returns>
    /// <exception cref="ArgumentException">There is no such function.</exception>
    public int IndexOf(PciAddress address) =>
        _indexOf.TryGetValue(address, out int index)
            ? index
            : throw new ArgumentException($"there is no function {address} among the {Count} of this machine", nameof(address));

    /// <summary>
    /// The closest bridge (or function) that both functions have on their way up, themselves included. Cost: their depths.
    /// </summary>
    /// <param name="a">A function's index.</param>
    /// <param name="b">A function's index.</param>
    /// <returns>Its index, or -1 when they meet only in a host bridge or not at all.</returns>
    public int CommonBridge(int a, int b)
    {
        ReadOnlySpan<int> parents = _columns.Parent;
        ReadOnlySpan<int> ends = _columns.SubtreeEnd;

        // Indices grow downward, so c holds b exactly when b lies in c's run.
        int common = a;
        while (common >= 0 && (b < common || b >= ends[common]))
        {
            common = parents[common];
        }

        return common;
    }

    /// <summary>A function as it was described. Cost: one object.</summary>
    /// <param name="index">Its index.</param>
    /// <returns>The description.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The index is not a function's.</exception>
    public PciFunctionSpec Describe(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        PciTopologyColumns c = _columns;
        return new PciFunctionSpec
        {
            Address = c.Address[index],
            Parent = c.Parent[index] < 0 ? null : c.Address[c.Parent[index]],
            RootBus = c.RootBus[c.HostBridge[index]],
            HiddenBridgesAbove = OrNull(c.HiddenBridgesAbove[index]),
            PhysicalFunction = c.PhysicalFunction[index] < 0 ? null : c.Address[c.PhysicalFunction[index]],
            Vendor = (ushort?)OrNull(c.Vendor[index]),
            Device = (ushort?)OrNull(c.Device[index]),
            ClassCode = OrNull(c.ClassCode[index]),
            PcieType = c.PcieType[index],
            IsBridge = c.IsBridge[index],
            SecondaryBus = (byte?)OrNull(c.SecondaryBus[index]),
            Acs = c.Acs[index],
            LinkSpeedMtps = OrNull(c.LinkSpeedMtps[index]),
            LinkWidth = OrNull(c.LinkWidth[index]),
            MaxLinkSpeedMtps = OrNull(c.MaxLinkSpeedMtps[index]),
            MaxLinkWidth = OrNull(c.MaxLinkWidth[index]),
            NumaNode = OrNull(c.NumaNode[index]),
            IommuGroup = OrNull(c.IommuGroup[index]),
            Name = c.Name[index],
        };
    }

    /// <summary>A builder that holds this machine again, to change something and build another. Cost: an object a function.</summary>
    /// <returns>The builder.</returns>
    public PciTopologyBuilder ToBuilder()
    {
        var builder = new PciTopologyBuilder { Cpu = Cpu };
        for (int h = 0; h < HostBridgeCount; h++)
        {
            int first = _columns.FirstDevice[h];
            builder.AddHostBridge(new PciHostBridgeSpec
            {
                RootBus = _columns.RootBus[h],
                FirstDevice = first >= 0 ? _columns.Address[first] : null,
                IsComplete = first != FirstDeviceUnknown,
                IsPlaceholder = _columns.IsPlaceholder[h],
                Name = _columns.HostBridgeName[h],
            });
        }

        for (int i = 0; i < Count; i++)
        {
            builder.AddFunction(Describe(i));
        }

        foreach (PrivateLinkSpec link in _columns.PrivateLinks)
        {
            builder.AddPrivateLink(link);
        }

        return builder;
    }

    private static int? OrNull(int value) => value < 0 ? null : value;
}
