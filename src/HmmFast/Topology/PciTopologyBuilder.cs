namespace HmmFast.Topology;

/// <summary>
/// Takes host bridges, functions and private links in any order, checks that they are a machine, and makes the columns of a
/// <see cref="PciTopology"/>. Nothing is built from a description that has a fault.
/// </summary>
public sealed class PciTopologyBuilder
{
    /// <summary>The most functions a machine may have.</summary>
    public const int MaxFunctions = 1 << 20;

    /// <summary>The most bridges above one another, hidden ones included. A domain has 256 buses, so no real path is longer.</summary>
    public const int MaxDepth = 256;

    /// <summary>The fastest link that is believed: 1,024 GT/s.</summary>
    public const int MaxLinkSpeedMtps = 1_024_000;

    /// <summary>The widest PCI Express link.</summary>
    public const int MaxLinkWidth = 32;

    /// <summary>The most physical links that one private link may bundle.</summary>
    public const int MaxBundledLinks = 1024;

    private readonly List<PciHostBridgeSpec> _hostBridges = [];
    private readonly List<PciFunctionSpec> _functions = [];
    private readonly List<PrivateLinkSpec> _links = [];
    private readonly Dictionary<PciAddress, int> _inputOf = [];
    private readonly HashSet<PciBusAddress> _rootBuses = [];

    /// <summary>The processor; null when unknown.</summary>
    public CpuIdentity? Cpu { get; set; }

    /// <summary>How many functions were added.</summary>
    public int FunctionCount => _functions.Count;

    /// <summary>Whether a root bus was added.</summary>
    /// <param name="rootBus">The bus.</param>
    /// <returns>True if it was.</returns>
    public bool HasHostBridge(PciBusAddress rootBus) => _rootBuses.Contains(rootBus);

    /// <summary>Adds a host bridge.</summary>
    /// <param name="hostBridge">The host bridge.</param>
    /// <exception cref="PciTopologyException">Its root bus was added before.</exception>
    public void AddHostBridge(PciHostBridgeSpec hostBridge)
    {
        ArgumentNullException.ThrowIfNull(hostBridge);
        if (!_rootBuses.Add(hostBridge.RootBus))
        {
            throw new PciTopologyException($"the root bus {hostBridge.RootBus} is described twice");
        }

        _hostBridges.Add(hostBridge);
    }

    /// <summary>Adds a function; what it refers to may be added later.</summary>
    /// <param name="function">The function.</param>
    /// <exception cref="PciTopologyException">Its address was added before, a value of its own is out of bounds, or there are too many functions.</exception>
    public void AddFunction(PciFunctionSpec function)
    {
        ArgumentNullException.ThrowIfNull(function);
        CheckFacts(function);
        if (_functions.Count >= MaxFunctions)
        {
            throw new PciTopologyException(function.Address, $"a machine may have {MaxFunctions} functions, and this one has more");
        }

        if (!_inputOf.TryAdd(function.Address, _functions.Count))
        {
            throw new PciTopologyException(function.Address, "the address is given to two functions");
        }

        _functions.Add(function);
    }

    /// <summary>Replaces a function that was added, under the same address.</summary>
    /// <param name="function">The function as it should be.</param>
    /// <exception cref="PciTopologyException">There is no function with this address, or a value is out of bounds.</exception>
    public void ReplaceFunction(PciFunctionSpec function)
    {
        CheckFacts(function);
        if (!_inputOf.TryGetValue(function.Address, out int input))
        {
            throw new PciTopologyException(function.Address, $"there is no such function among the {_functions.Count} of this machine");
        }

        _functions[input] = function;
    }

    /// <summary>The description of a function that was added.</summary>
    /// <param name="address">Its address.</param>
    /// <returns>The description.</returns>
    /// <exception cref="PciTopologyException">There is no such function.</exception>
    public PciFunctionSpec Function(PciAddress address) =>
        _inputOf.TryGetValue(address, out int input)
            ? _functions[input]
            : throw new PciTopologyException(address, $"there is no such function among the {_functions.Count} of this machine");

    /// <summary>Forgets what was said of the first device of a root bus, so that it is the lowest again (after a card was moved).</summary>
    /// <param name="rootBus">The root bus; one that was not added is passed over.</param>
    public void ForgetFirstDevice(PciBusAddress rootBus)
    {
        int index = _hostBridges.FindIndex(hostBridge => hostBridge.RootBus == rootBus);
        if (index >= 0)
        {
            _hostBridges[index] = _hostBridges[index] with { FirstDevice = null };
        }
    }

    /// <summary>Adds a private link; its ends may be added later.</summary>
    /// <param name="link">The link.</param>
    /// <exception cref="PciTopologyException">A value is out of bounds, or both ends are one function.</exception>
    public void AddPrivateLink(PrivateLinkSpec link)
    {
        ArgumentNullException.ThrowIfNull(link);
        if (link.Kind is < PrivateLinkKind.NvLink or > PrivateLinkKind.Cxl)
        {
            throw new PciTopologyException(link.From, $"{(int)link.Kind} is no kind of private link (NVLink, xGMI or CXL)");
        }

        if (link.To == link.From)
        {
            throw new PciTopologyException(link.From, "a private link leads from the function to itself");
        }

        if (link.LinkCount is < 1 or > MaxBundledLinks)
        {
            throw new PciTopologyException(link.From, $"a private link bundles 1 to {MaxBundledLinks} links, not {link.LinkCount}");
        }

        if (link.BandwidthBytesPerSecond is double bandwidth && !(bandwidth >= 0 && double.IsFinite(bandwidth)))
        {
            throw new PciTopologyException(link.From, $"a private link's bandwidth is 0 or more bytes a second, not {bandwidth}");
        }

        if (link.LatencyNs is double latency && !(latency >= 0 && double.IsFinite(latency)))
        {
            throw new PciTopologyException(link.From, $"a private link's latency is 0 or more nanoseconds, not {latency}");
        }

        _links.Add(link);
    }

    /// <summary>Checks the whole and makes the columns. Cost: a sort of the functions and one walk.</summary>
    /// <returns>The machine.</returns>
    /// <exception cref="PciTopologyException">
    /// A parent, physical function, root bus, first device or link end is not there; a parent is not a bridge; bridges are above
    /// themselves; a path is longer than <see cref="MaxDepth"/>.
    /// </exception>
    public PciTopology Build()
    {
        PciHostBridgeSpec[] hostBridges = [.. _hostBridges];
        Array.Sort(hostBridges, static (a, b) => a.RootBus.CompareTo(b.RootBus));
        var hostBridgeOf = new Dictionary<PciBusAddress, int>(hostBridges.Length);
        for (int h = 0; h < hostBridges.Length; h++)
        {
            hostBridgeOf[hostBridges[h].RootBus] = h;
        }

        int count = _functions.Count;
        int[] placeOf = new int[count];
        for (int input = 0; input < count; input++)
        {
            placeOf[input] = FindPlace(_functions[input], hostBridgeOf);
        }

        int[][] children = GroupByPlace(placeOf, hostBridges.Length);
        var columns = new PciTopologyColumns(count, hostBridges.Length);
        var indexOf = new Dictionary<PciAddress, int>(count);
        Walk(columns, indexOf, hostBridges, children, count);
        if (indexOf.Count != count)
        {
            throw Cycle(placeOf, indexOf);
        }

        FinishReferences(columns, indexOf, hostBridges);
        return new PciTopology(columns, indexOf, Cpu);
    }

    private static void CheckFacts(PciFunctionSpec function)
    {
        PciAddress address = function.Address;
        CheckBounds(address, "link speed in MT/s", function.LinkSpeedMtps, 1, MaxLinkSpeedMtps);
        CheckBounds(address, "highest link speed in MT/s", function.MaxLinkSpeedMtps, 1, MaxLinkSpeedMtps);
        CheckBounds(address, "link width", function.LinkWidth, 1, MaxLinkWidth);
        CheckBounds(address, "highest link width", function.MaxLinkWidth, 1, MaxLinkWidth);
        CheckBounds(address, "class code", function.ClassCode, 0, 0xffffff);
        CheckBounds(address, "NUMA node", function.NumaNode, 0, int.MaxValue);
        CheckBounds(address, "IOMMU group", function.IommuGroup, 0, int.MaxValue);
        CheckBounds(address, "number of hidden bridges above", function.HiddenBridgesAbove, 0, MaxDepth);
        if (!Enum.IsDefined(function.PcieType))
        {
            throw new PciTopologyException(address, $"{(int)function.PcieType} is no PCI Express device/port type");
        }
    }

    private static void CheckBounds(PciAddress address, string what, int? value, int min, int max)
    {
        if (value is int number && (number < min || number > max))
        {
            throw new PciTopologyException(address, $"the {what} is {min} to {max}, not {number}");
        }
    }

    /// <summary>Where a function hangs: a bridge's input number, or -1 - the host bridge's index.</summary>
    private int FindPlace(PciFunctionSpec function, Dictionary<PciBusAddress, int> hostBridgeOf)
    {
        PciFunctionSpec placed = function;
        if (function.PhysicalFunction is PciAddress physical)
        {
            if (!_inputOf.TryGetValue(physical, out int input))
            {
                throw new PciTopologyException(function.Address, $"its physical function {physical} is not described");
            }

            placed = _functions[input];
            if (placed.PhysicalFunction is not null)
            {
                throw new PciTopologyException(function.Address, $"its physical function {physical} is a virtual function itself");
            }
        }

        if (placed.Parent is PciAddress parent)
        {
            if (!_inputOf.TryGetValue(parent, out int input))
            {
                throw new PciTopologyException(function.Address, $"it is disconnected: the bridge above it, {parent}, is not described");
            }

            if (!_functions[input].IsBridge)
            {
                throw new PciTopologyException(function.Address, $"it is below {parent}, which is not a bridge");
            }

            return input;
        }

        PciBusAddress rootBus = placed.RootBus ?? placed.Address.BusAddress;
        return hostBridgeOf.TryGetValue(rootBus, out int hostBridge)
            ? -1 - hostBridge
            : throw new PciTopologyException(
                function.Address,
                $"it is disconnected: no bridge is above it, and its bus {rootBus} is not one of the {hostBridgeOf.Count} root buses described");
    }

    /// <summary>The input numbers below each bridge, by address; the host bridges' come last, at count + index.</summary>
    private int[][] GroupByPlace(int[] placeOf, int hostBridgeCount)
    {
        int count = placeOf.Length;
        int[] sizes = new int[count + hostBridgeCount];
        foreach (int place in placeOf)
        {
            sizes[place >= 0 ? place : count - 1 - place]++;
        }

        int[][] groups = new int[sizes.Length][];
        for (int g = 0; g < groups.Length; g++)
        {
            groups[g] = sizes[g] == 0 ? [] : new int[sizes[g]];
        }

        int[] byAddress = new int[count];
        var keys = new PciAddress[count];
        for (int i = 0; i < count; i++)
        {
            byAddress[i] = i;
            keys[i] = _functions[i].Address;
        }

        Array.Sort(keys, byAddress);
        Array.Clear(sizes);
        foreach (int input in byAddress)
        {
            int place = placeOf[input];
            int group = place >= 0 ? place : count - 1 - place;
            groups[group][sizes[group]++] = input;
        }

        return groups;
    }

    /// <summary>Gives every function that hangs on a host bridge its index, top down, bridges before what is below them.</summary>
    private void Walk(
        PciTopologyColumns columns,
        Dictionary<PciAddress, int> indexOf,
        PciHostBridgeSpec[] hostBridges,
        int[][] children,
        int count)
    {
        int next = 0;
        var path = new Stack<(int Index, int[] Below, int Position)>();
        for (int h = 0; h < hostBridges.Length; h++)
        {
            columns.RootBus[h] = hostBridges[h].RootBus;
            columns.IsPlaceholder[h] = hostBridges[h].IsPlaceholder;
            columns.HostBridgeName[h] = hostBridges[h].Name;
            columns.HostBridgeStart[h] = next;
            path.Push((-1, children[count + h], 0));
            while (path.TryPop(out (int Index, int[] Below, int Position) top))
            {
                if (top.Position == top.Below.Length)
                {
                    if (top.Index >= 0)
                    {
                        columns.SubtreeEnd[top.Index] = next;
                    }

                    continue;
                }

                path.Push(top with { Position = top.Position + 1 });
                int input = top.Below[top.Position];
                int index = next++;
                Place(columns, index, top.Index, h, _functions[input]);
                indexOf.Add(_functions[input].Address, index);
                path.Push((index, children[input], 0));
            }

            columns.HostBridgeEnd[h] = next;
        }
    }

    private static void Place(PciTopologyColumns columns, int index, int parent, int hostBridge, PciFunctionSpec function)
    {
        columns.SetFacts(index, function);
        columns.Parent[index] = parent;
        columns.HostBridge[index] = hostBridge;
        int depth = (parent < 0 ? 0 : columns.Depth[parent]) + 1 + (function.HiddenBridgesAbove ?? 0);
        if (depth > MaxDepth)
        {
            throw new PciTopologyException(function.Address, $"it is {depth} bridges deep; a path may have {MaxDepth}");
        }

        columns.Depth[index] = (ushort)depth;
    }

    private PciTopologyException Cycle(int[] placeOf, Dictionary<PciAddress, int> indexOf)
    {
        int input = 0;
        while (indexOf.ContainsKey(_functions[input].Address))
        {
            input++;
        }

        // What is not reached hangs below a circle: follow it up until a bridge comes back.
        var seen = new HashSet<int>();
        while (seen.Add(input))
        {
            input = placeOf[input];
        }

        string circle = _functions[input].Address.ToString();
        int shown = 0;
        for (int at = placeOf[input]; at != input && shown < 8; at = placeOf[at], shown++)
        {
            circle += " below " + _functions[at].Address;
        }

        return new PciTopologyException(
            _functions[input].Address,
            $"it is above itself: {circle}{(shown == 8 ? " ..." : "")} below {_functions[input].Address}");
    }

    private void FinishReferences(PciTopologyColumns columns, Dictionary<PciAddress, int> indexOf, PciHostBridgeSpec[] hostBridges)
    {
        foreach ((PciAddress address, int index) in indexOf)
        {
            PciAddress? physical = _functions[_inputOf[address]].PhysicalFunction;
            columns.PhysicalFunction[index] = physical is PciAddress physicalAddress ? indexOf[physicalAddress] : -1;
        }

        for (int h = 0; h < hostBridges.Length; h++)
        {
            columns.FirstDevice[h] = FirstDevice(columns, indexOf, hostBridges[h], h);
        }

        foreach (PrivateLinkSpec link in _links)
        {
            if (!indexOf.ContainsKey(link.From) || (link.To is PciAddress to && !indexOf.ContainsKey(to)))
            {
                PciAddress missing = indexOf.ContainsKey(link.From) ? link.To.GetValueOrDefault() : link.From;
                throw new PciTopologyException(missing, $"a private {link.Kind} link ends at it, but it is not described");
            }
        }

        columns.PrivateLinks = [.. _links];
    }

    private static int FirstDevice(PciTopologyColumns columns, Dictionary<PciAddress, int> indexOf, PciHostBridgeSpec spec, int h)
    {
        if (spec.FirstDevice is PciAddress given)
        {
            return indexOf.TryGetValue(given, out int index) && columns.HostBridge[index] == h && columns.Parent[index] < 0
                ? index
                : throw new PciTopologyException(given, $"it is named the first device of root bus {spec.RootBus}, but is not on it");
        }

        int first = PciTopology.NoFirstDevice;
        for (int i = columns.HostBridgeStart[h]; i < columns.HostBridgeEnd[h]; i = columns.SubtreeEnd[i])
        {
            // A virtual function is listed behind its physical one, and a moved card behind what was there.
            if (columns.PhysicalFunction[i] < 0
                && columns.Address[i].BusAddress == spec.RootBus
                && (first < 0 || columns.Address[i].DeviceFunction < columns.Address[first].DeviceFunction))
            {
                first = i;
            }
        }

        // What hangs on a placeholder is on no root bus that is known, so none of it can speak.
        bool isCertain = spec.IsComplete || (first >= 0 && columns.Address[first].DeviceFunction == 0);
        return isCertain && !spec.IsPlaceholder ? first : PciTopology.FirstDeviceUnknown;
    }
}
