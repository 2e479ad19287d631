using System.Globalization;
using System.Xml;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads the topology XML of NCCL and RCCL. Its pci elements are every second level of the real tree (the upstream ports of switches,
/// then devices), so one bridge is hidden above each of them.
/// </summary>
internal sealed class NcclReader
{
    private readonly HardenedXml _xml;
    private readonly SourceText _text;
    private readonly MachineDraft _machine;
    private readonly Stack<Level> _levels = new();
    private readonly List<PendingLink> _pending = [];
    private int _cpuCount;

    private NcclReader(SourceText text, HardenedXml xml, MachineDraft machine)
    {
        _text = text;
        _xml = xml;
        _machine = machine;
    }

    public static MachineDescription Read(SourceText text)
    {
        var machine = new MachineDraft(text.Name, MachineFormat.NcclXml) { ListsEveryFunction = false };
        using var xml = new HardenedXml(text);
        var reader = new NcclReader(text, xml, machine);
        while (xml.Read())
        {
            reader.ReadNode();
        }

        reader.AddLinks();
        if (machine.Functions.Count == 0)
        {
            throw text.Error(0, null, "the system has no pci element");
        }

        return machine.Complete();
    }

    private void ReadNode()
    {
        if (_xml.Kind == XmlNodeType.EndElement)
        {
            _levels.Pop();
            return;
        }

        if (_xml.Kind != XmlNodeType.Element)
        {
            return;
        }

        Level above = _levels.Count > 0 ? _levels.Peek() : default;
        Level level = above with { Element = _xml.Name };
        switch (_xml.Name)
        {
            case "system" when _levels.Count == 0:
                break;
            case "cpu":
                level = ReadCpu(level);
                break;
            case "pci":
                level = ReadPci(level);
                break;
            case "gpu":
                level = level with { Device = ReadGpu(above) };
                break;
            case "nic":
                break;
            case "net":
                ReadNet(above);
                break;
            default:
                ReadOther(above);
                break;
        }

        if (!_xml.IsEmpty)
        {
            _levels.Push(level);
        }
    }

    private Level ReadCpu(Level level)
    {
        int node = _xml.Int("numaid") ?? -1;
        string? architecture = _xml.Attribute("arch");
        string? vendor = _xml.Attribute("vendor");
        int? family = _xml.Int("familyid");
        int? model = _xml.Int("modelid");

        // NCCL adds the extended family sixteenfold: family 15 with extension 10 is written 175 and is really 25.
        if (family > 0xF && (family & 0xF) == 0xF)
        {
            _machine.Remarks.Add($"line {_xml.Line}: familyid {family} read as family {0xF + (family >> 4)}");
            family = 0xF + (family >> 4);
        }

        var cpu = new CpuDescription
        {
            Vendor = string.IsNullOrEmpty(vendor) ? (architecture is null or "x86_64" ? null : architecture) : vendor,
            Family = family,
            Model = model,
        };
        if (_cpuCount++ == 0)
        {
            _machine.Cpu = cpu;
        }
        else if (_machine.Cpu != cpu && _machine.Cpu is not null)
        {
            _machine.Remarks.Add($"line {_xml.Line}: the processors differ; none is taken");
            _machine.Cpu = null;
        }

        string name = _machine.AddDevice(new()
        {
            Name = node >= 0 ? string.Create(CultureInfo.InvariantCulture, $"CPU{node}") : "CPU",
            Kind = MachineDeviceKind.Cpu,
            NumaNode = node >= 0 ? node : null,
        });
        return level with { NumaNode = node >= 0 ? node : null, Cpu = name };
    }

    private Level ReadPci(Level level)
    {
        PciAddress address = _xml.Address("busid");
        FunctionDraft draft = _machine.Add(address, _text.Name, _xml.Line);
        string? code = _xml.Attribute("class");
        if (!string.IsNullOrEmpty(code))
        {
            if (!Numbers.TryHex(code, 0xFFFFFF, out ulong number))
            {
                throw _xml.Error(code, "the class is a hexadecimal number of 24 bits");
            }

            draft.ClassCode = (ushort)(number >> 8);
            draft.ProgrammingInterface = (byte)number;
        }

        draft.VendorId = Known(_xml.Hex16("vendor"));
        draft.DeviceId = Known(_xml.Hex16("device"));
        draft.SubsystemVendorId = Known(_xml.Hex16("subsystem_vendor"));
        draft.SubsystemDeviceId = Known(_xml.Hex16("subsystem_device"));
        draft.Speed = Numbers.GigatransfersIn(_xml.Attribute("link_speed"));
        draft.Width = _xml.Int("link_width") is > 0 and int width ? width : null;
        draft.NumaNode = level.NumaNode;
        draft.HiddenBridgesAbove = 1;
        if (level.Pci is PciAddress parent)
        {
            draft.ParentSource = ParentSource.Explicit;
            draft.Parent = parent;
        }
        else
        {
            draft.ParentSource = ParentSource.Unknown;
        }

        // Files written by hand have switches that the machine does not show, at addresses that no machine has.
        if (address.Domain == 0xFFFF && address.Bus == 0xFF)
        {
            _machine.Remarks.Add($"line {_xml.Line}: {address} stands for a switch that the machine does not show");
        }

        return level with { Pci = address };
    }

    private string ReadGpu(Level above)
    {
        int? index = _xml.Int("dev");
        return _machine.AddDevice(new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"GPU{index}"),
            Kind = MachineDeviceKind.Gpu,
            Address = above.Pci,
            NumaNode = above.NumaNode,
        });
    }

    private void ReadNet(Level above) => _machine.AddDevice(new()
    {
        Name = _xml.Attribute("name") ?? string.Create(CultureInfo.InvariantCulture, $"NIC{_xml.Int("dev")}"),
        Kind = MachineDeviceKind.Nic,
        Address = above.Pci,
        NumaNode = above.NumaNode,
    });

    private void ReadOther(Level above)
    {
        LinkKind? kind = _xml.Name switch
        {
            "nvlink" or "c2c" => LinkKind.NvLink,
            "xgmi" => LinkKind.Xgmi,
            "pcilink" => LinkKind.Pcie,
            _ => null,
        };
        if (kind is null)
        {
            // Below a device everything is a link, and a link that is not understood must not vanish.
            if (above.Element is "gpu" or "pci")
            {
                throw _xml.Error(_xml.Name, "unknown link type; nvlink, xgmi, c2c and pcilink are known");
            }

            if (_levels.Count == 0)
            {
                throw _xml.Error(_xml.Name, "the root element is 'system'");
            }

            _machine.Remarks.Add($"line {_xml.Line}: element '{_xml.Name}' read over");
            return;
        }

        if (above.Pci is not PciAddress from)
        {
            throw _xml.Error(_xml.Name, "a link outside a pci element");
        }

        bool toCpu = _xml.Name == "c2c";
        string? bandwidth = toCpu ? _xml.Attribute("bw") : null;
        _pending.Add(new PendingLink(
            kind.Value,
            above.Device ?? from.ToString(),
            from,
            toCpu ? null : _xml.Address("target"),
            toCpu ? above.Cpu : null,
            _xml.Int("count"),
            bandwidth is null ? null : _xml.Real("bw"),
            _xml.Attribute("tclass"),
            _xml.Line));
    }

    private void AddLinks()
    {
        foreach (PendingLink link in _pending)
        {
            if (link.Count is <= 0)
            {
                throw _text.Error(link.Line, link.Count.Value.ToString(CultureInfo.InvariantCulture), "a link's count is at least 1");
            }

            if (link.Target == link.FromAddress)
            {
                _machine.Remarks.Add($"line {link.Line}: {link.From} has a link to itself");
            }

            string to = link.ToDevice ?? NameOf(link);
            _machine.Links.Add(new()
            {
                From = link.From,
                FromAddress = link.FromAddress,
                To = to,
                ToAddress = link.Target,
                Kind = link.Kind,
                LinkCount = link.Count,
                BandwidthMegabytesPerSecond = link.Bandwidth * 1000,
            });
        }
    }

    private string NameOf(PendingLink link)
    {
        int at = _machine.Devices.FindIndex(device => device.Address == link.Target);
        if (at >= 0)
        {
            return _machine.Devices[at].Name;
        }

        string name = link.Target?.ToString() ?? "?";
        if (link.Target is PciAddress target && _machine.Find(target) is null)
        {
            // NVSwitches (class 0680) are named by links only.
            _machine.AddDevice(new()
            {
                Name = name,
                Kind = link.TargetClass?.StartsWith("0x0680", StringComparison.Ordinal) == true ? MachineDeviceKind.LinkSwitch : MachineDeviceKind.Other,
                Address = link.Target,
            });
        }

        return name;
    }

    private static ushort? Known(ushort? id) => id is 0 or 0xFFFF ? null : id;

    private readonly record struct Level(string? Element, int? NumaNode, string? Cpu, PciAddress? Pci, string? Device);

    private sealed record PendingLink(LinkKind Kind, string From, PciAddress FromAddress, PciAddress? Target, string? ToDevice,
        int? Count, double? Bandwidth, string? TargetClass, int Line);
}
