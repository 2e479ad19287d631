using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// A machine while its file is being read. <see cref="Complete"/> does what all formats share: finds parents, virtual functions and
/// root buses, refuses what does not fit together, and counts what is unknown.
/// </summary>
internal sealed class MachineDraft(string source, MachineFormat format)
{
    private readonly HashSet<string> _deviceNames = new(StringComparer.Ordinal);
    private readonly Dictionary<PciAddress, FunctionDraft> _functions = [];
    private readonly Dictionary<PciBusAddress, HostBridgeDescription> _hostBridges = [];

    public string Source { get; } = source;

    public MachineFormat Format { get; set; } = format;

    public string? Name { get; set; }

    public CpuDescription? Cpu { get; set; }

    /// <summary>False where the source lists only a part, so that a missing function means nothing.</summary>
    public bool ListsEveryFunction { get; set; } = true;

    public List<MachineDeviceDescription> Devices { get; } = [];

    public List<PrivateLinkDescription> Links { get; } = [];

    public List<DeviceRelationDescription> Relations { get; } = [];

    public List<string> Remarks { get; } = [];

    public IReadOnlyCollection<FunctionDraft> Functions => _functions.Values;

    /// <summary>Reasons, in place of the format's usual ones, why a fact is unknown.</summary>
    public Dictionary<MachineFact, string> Reasons { get; } = [];

    public FunctionDraft? Find(PciAddress address) => _functions.GetValueOrDefault(address);

    public FunctionDraft Add(PciAddress address, string file, int line)
    {
        var draft = new FunctionDraft(address, file, line);
        if (!_functions.TryAdd(address, draft))
        {
            int first = _functions[address].Line;
            throw new MachineReadException(file, line, address.ToString(),
                first > 0 ? $"this address occurs twice, first on line {first}" : "this address occurs twice");
        }

        return draft;
    }

    public void AddHostBridge(HostBridgeDescription bridge, string file, int line)
    {
        if (!_hostBridges.TryAdd(bridge.RootBus, bridge))
        {
            throw new MachineReadException(file, line, bridge.RootBus.ToString(), "this root bus occurs twice");
        }
    }

    /// <summary>Adds a device; a name that is taken gets its address, or a number, behind it.</summary>
    public string AddDevice(MachineDeviceDescription device)
    {
        string name = device.Name;
        if (!_deviceNames.Add(name))
        {
            name = device.Address is PciAddress address ? $"{device.Name}@{address}" : $"{device.Name}@{Devices.Count}";
            if (!_deviceNames.Add(name))
            {
                name = $"{device.Name}@{Devices.Count}";
                _deviceNames.Add(name);
            }

            device = device with { Name = name };
        }

        Devices.Add(device);
        return name;
    }

    public bool HasDevice(string name) => _deviceNames.Contains(name);

    public MachineDescription Complete()
    {
        FunctionDraft[] functions = [.. _functions.Values];
        Array.Sort(functions, static (left, right) => left.Address.CompareTo(right.Address));
        NameVirtualFunctions(functions);
        FindParents(functions);
        FindRoots(functions);
        HostBridgeDescription[] hostBridges = CompleteHostBridges(functions);
        PciFunctionDescription[] described = Array.ConvertAll(functions, static draft => draft.Complete());
        var machine = new MachineDescription(Source, Format, described)
        {
            Name = Name,
            Cpu = Cpu,
            HostBridges = hostBridges,
            Devices = Devices,
            Links = Links,
            Relations = Relations,
            Remarks = Remarks,
        };
        return UnknownCounter.WithUnknowns(machine, Reasons);
    }

    private void NameVirtualFunctions(FunctionDraft[] functions)
    {
        foreach (FunctionDraft physical in functions)
        {
            int routingId = (physical.Address.Bus << 8) + physical.Address.DeviceFunction + physical.VirtualFunctionOffset;
            for (int i = 0; i < physical.VirtualFunctionCount && routingId <= ushort.MaxValue; i++)
            {
                FunctionDraft? virtualFunction = Find(PciAddress.FromDeviceFunction(
                    new PciBusAddress(physical.Address.Domain, (byte)(routingId >> 8)), (byte)routingId));
                if (virtualFunction is not null && virtualFunction != physical && virtualFunction.PhysicalFunction is null
                    && !virtualFunction.IsBridge && virtualFunction.VirtualFunctionCount == 0)
                {
                    virtualFunction.PhysicalFunction = physical.Address;
                    virtualFunction.VendorId ??= physical.VendorId;
                    virtualFunction.DeviceId ??= physical.VirtualFunctionDeviceId;
                }

                if (physical.VirtualFunctionStride == 0)
                {
                    break;
                }

                routingId += physical.VirtualFunctionStride;
            }
        }
    }

    private void FindParents(FunctionDraft[] functions)
    {
        var byBus = new Dictionary<PciBusAddress, FunctionDraft>();
        foreach (FunctionDraft bridge in functions)
        {
            if (bridge.SecondaryBus is not byte secondary || secondary == 0 || bridge.ParentSource == ParentSource.Unknown)
            {
                continue;
            }

            var bus = new PciBusAddress(bridge.Address.Domain, secondary);
            if (!byBus.TryAdd(bus, bridge) && bridge.ParentSource == ParentSource.BusNumbers)
            {
                throw new MachineReadException(bridge.File, bridge.Line, bus.ToString(),
                    $"the bridges {byBus[bus].Address} and {bridge.Address} both have this secondary bus");
            }
        }

        foreach (FunctionDraft function in functions)
        {
            if (function.ParentSource == ParentSource.BusNumbers)
            {
                FindParentByBus(function, byBus, functions);
            }
            else if (function.Parent is PciAddress parent && Find(parent) is null)
            {
                throw new MachineReadException(function.File, function.Line, parent.ToString(),
                    $"the parent of {function.Address} is not in the description: the tree is disconnected");
            }
        }

        foreach (FunctionDraft function in functions)
        {
            if (function.PhysicalFunction is not PciAddress physical)
            {
                continue;
            }

            FunctionDraft? owner = Find(physical);
            if (owner is null || owner.PhysicalFunction is not null)
            {
                throw new MachineReadException(function.File, function.Line, physical.ToString(),
                    $"the physical function of {function.Address} is {(owner is null ? "not in the description" : "a virtual function itself")}");
            }

            function.ParentSource = owner.ParentSource;
            function.Parent = owner.Parent;
            function.HiddenBridgesAbove = owner.HiddenBridgesAbove;
            function.RootBus ??= owner.RootBus;
        }
    }

    private void FindParentByBus(FunctionDraft function, Dictionary<PciBusAddress, FunctionDraft> byBus, FunctionDraft[] functions)
    {
        var bus = function.Address.BusAddress;
        if (byBus.TryGetValue(bus, out FunctionDraft? bridge))
        {
            function.Parent = bridge.Address;
            return;
        }

        // A bus that no listed bridge leads to: a root bus, or the bridge between was left out of a part of a listing.
        FunctionDraft? enclosing = null;
        int width = int.MaxValue;
        foreach (FunctionDraft candidate in byBus.Count > 0 && function.PhysicalFunction is null ? functions : [])
        {
            if (candidate.Address.Domain == bus.Domain && candidate.SecondaryBus is byte first && first != 0
                && candidate.SubordinateBus is byte last && first < bus.Bus && bus.Bus <= last && last - first < width)
            {
                enclosing = candidate;
                width = last - first;
            }
        }

        if (enclosing is not null && enclosing != function)
        {
            function.Parent = enclosing.Address;
            function.HiddenBridgesAbove = null;
        }
        else if (!ListsEveryFunction)
        {
            function.ParentSource = ParentSource.Unknown;
        }
    }

    private void FindRoots(FunctionDraft[] functions)
    {
        // 0 = not seen, 1 = on the present walk, 2 = done.
        var state = new Dictionary<PciAddress, int>(functions.Length);
        var path = new Stack<FunctionDraft>();
        foreach (FunctionDraft start in functions)
        {
            FunctionDraft? at = start;
            while (at is not null && state.GetValueOrDefault(at.Address) == 0)
            {
                state[at.Address] = 1;
                path.Push(at);
                at = at.Parent is PciAddress parent ? Find(parent) : null;
            }

            if (at is not null && state[at.Address] == 1)
            {
                throw new MachineReadException(at.File, at.Line, at.Address.ToString(),
                    "the bridges above this function lead back to it: the tree is cyclic");
            }

            while (path.TryPop(out FunctionDraft? done))
            {
                FunctionDraft? parent = done.Parent is PciAddress address ? Find(address) : null;
                bool knowsRoot = parent is null && done.ParentSource != ParentSource.Unknown && done.HiddenBridgesAbove == 0
                    && done.PhysicalFunction is null;
                done.RootBus ??= parent is not null ? parent.RootBus : knowsRoot ? done.Address.BusAddress : null;
                if (parent is null && done.ParentSource == ParentSource.Unknown && done.HiddenBridgesAbove == 0)
                {
                    done.HiddenBridgesAbove = null;
                }

                state[done.Address] = 2;
            }
        }

        // A virtual function may have a bus number of its own; its root is its physical function's.
        foreach (FunctionDraft function in functions)
        {
            if (function.PhysicalFunction is PciAddress physical)
            {
                function.RootBus = Find(physical)?.RootBus;
            }
        }
    }

    private HostBridgeDescription[] CompleteHostBridges(FunctionDraft[] functions)
    {
        foreach (FunctionDraft function in functions)
        {
            if (function.RootBus is PciBusAddress root && !_hostBridges.ContainsKey(root))
            {
                _hostBridges.Add(root, new HostBridgeDescription { RootBus = root });
            }
        }

        // The functions are in address order, so the first one met on a root bus is the first of the kernel's list.
        foreach (FunctionDraft function in functions)
        {
            if (function.Parent is null && function.PhysicalFunction is null && function.HiddenBridgesAbove == 0
                && _hostBridges.TryGetValue(function.Address.BusAddress, out HostBridgeDescription? bridge))
            {
                if (bridge.FirstDevice is null && (ListsEveryFunction || function.Address.DeviceFunction == 0))
                {
                    bridge = bridge with { FirstDevice = function.Address };
                }

                _hostBridges[bridge.RootBus] = bridge with { NumaNode = bridge.NumaNode ?? function.NumaNode };
            }
        }

        HostBridgeDescription[] sorted = [.. _hostBridges.Values];
        Array.Sort(sorted, static (left, right) => left.RootBus.CompareTo(right.RootBus));
        return sorted;
    }
}
