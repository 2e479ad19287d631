using System.Globalization;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads the topology of AMD's kernel driver (/sys/class/kfd/kfd/topology): nodes that are processors or GPUs, and links between them
/// with bandwidths. It has addresses and no PCI tree.
/// </summary>
internal sealed class KfdReader
{
    private const int MaxNodes = 4096;
    private const int FirstUnknownLinkType = 17;

    private readonly FileTree _tree;
    private readonly string _nodes;
    private readonly MachineDraft _machine;
    private readonly SortedDictionary<int, (string Name, PciAddress? Address)> _byNumber = [];

    private KfdReader(FileTree tree, string nodes, MachineDraft machine)
    {
        _tree = tree;
        _nodes = nodes;
        _machine = machine;
    }

    public static MachineDescription Read(FileTree tree, string nodes)
    {
        var machine = new MachineDraft(tree.Show(nodes), MachineFormat.KfdTree) { ListsEveryFunction = false };
        ReadInto(machine, tree, nodes, addFunctions: true);
        return machine.Complete();
    }

    /// <summary>Adds devices and links, and functions too where no PCI tree is read beside it.</summary>
    public static void ReadInto(MachineDraft machine, FileTree tree, string nodes, bool addFunctions)
    {
        var reader = new KfdReader(tree, nodes, machine);
        foreach (string folder in tree.Folders(nodes))
        {
            if (Numbers.TryInt(folder, out int number))
            {
                reader.ReadNode(number, FileTree.Join(nodes, folder), addFunctions);
            }
        }

        if (reader._byNumber.Count == 0)
        {
            throw new MachineReadException(tree.Show(nodes), 0, null, "no numbered node with a properties file");
        }

        foreach (int number in reader._byNumber.Keys)
        {
            reader.ReadLinks(number, "io_links");
            reader.ReadLinks(number, "p2p_links");
        }
    }

    private void ReadNode(int number, string folder, bool addFunctions)
    {
        string file = FileTree.Join(folder, "properties");
        if (_tree.Read(file) is not byte[] bytes)
        {
            throw new MachineReadException(_tree.Show(file), 0, null, "the node's properties are missing or not readable");
        }

        if (_byNumber.Count >= MaxNodes)
        {
            throw new MachineReadException(_tree.Show(file), 0, null, $"more than {MaxNodes} nodes");
        }

        var properties = new KfdProperties(_tree.Show(file), bytes);
        bool isGpu = properties.Required("simd_count") > 0;
        PciAddress? address = null;
        if (isGpu)
        {
            ulong location = properties.Required("location_id");
            ulong domain = properties.Optional("domain") ?? 0;
            if (location > ushort.MaxValue || domain > uint.MaxValue)
            {
                throw properties.Error(location > ushort.MaxValue ? "location_id" : "domain", "bus, device and function take 16 bits and the domain 32");
            }

            address = PciAddress.FromDeviceFunction(new PciBusAddress((uint)domain, (byte)(location >> 8)), (byte)location);
            if (addFunctions)
            {
                AddFunction(address.Value, properties);
            }
        }

        string name = _machine.AddDevice(new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"node {number}"),
            Kind = isGpu ? MachineDeviceKind.Gpu : MachineDeviceKind.Cpu,
            Address = address,
        });
        _byNumber[number] = (name, address);
    }

    private void AddFunction(PciAddress address, KfdProperties properties)
    {
        if (_machine.Find(address) is not null)
        {
            // A GPU in several compute partitions has several nodes at one address.
            return;
        }

        FunctionDraft draft = _machine.Add(address, properties.File, properties.LineOf("location_id"));
        draft.ParentSource = ParentSource.Unknown;
        draft.VendorId = properties.Optional("vendor_id") is > 0 and <= ushort.MaxValue and ulong vendor ? (ushort)vendor : null;
        draft.DeviceId = properties.Optional("device_id") is > 0 and <= ushort.MaxValue and ulong device ? (ushort)device : null;
        draft.Kind = PciFunctionKind.Endpoint;
    }

    private void ReadLinks(int number, string kind)
    {
        string folder = FileTree.Join(FileTree.Join(_nodes, number.ToString(CultureInfo.InvariantCulture)), kind);
        foreach (string link in _tree.Folders(folder))
        {
            string file = FileTree.Join(FileTree.Join(folder, link), "properties");
            if (_tree.Read(file) is not byte[] bytes)
            {
                throw new MachineReadException(_tree.Show(file), 0, null, "the link's properties are missing or not readable");
            }

            ReadLink(number, new KfdProperties(_tree.Show(file), bytes));
        }
    }

    private void ReadLink(int number, KfdProperties properties)
    {
        ulong type = properties.Required("type");
        ulong from = properties.Required("node_from");
        ulong to = properties.Required("node_to");
        if (from != (ulong)number)
        {
            throw properties.Error("node_from", $"a link in the folder of node {number} starts there");
        }

        if (to > int.MaxValue || !_byNumber.TryGetValue((int)to, out (string Name, PciAddress? Address) target))
        {
            throw properties.Error("node_to", "no such node: the links are disconnected");
        }

        if (type >= FirstUnknownLinkType)
        {
            throw properties.Error("type", $"unknown link type; 0 to {FirstUnknownLinkType - 1} are known (2 = PCIe, 11 = xGMI)");
        }

        (string name, PciAddress? address) = _byNumber[number];
        _machine.Links.Add(new()
        {
            From = name,
            FromAddress = address,
            To = target.Name,
            ToAddress = target.Address,
            Kind = type switch { 1 => LinkKind.HyperTransport, 2 => LinkKind.Pcie, 11 => LinkKind.Xgmi, _ => LinkKind.Other },
            BandwidthMegabytesPerSecond = properties.Optional("max_bandwidth") is > 0 and ulong bandwidth ? bandwidth : null,
            LatencyNs = properties.Optional("max_latency") is > 0 and ulong latency ? latency : null,
            IsLive = properties.Optional("flags") is ulong flags ? (flags & 1) != 0 : null,
            Weight = properties.Optional("weight") is <= int.MaxValue and ulong weight ? (int)weight : null,
        });
    }
}
