using System.Globalization;
using System.Xml;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Reads hwloc's (lstopo's) XML: 1.x, 2.x and 3.x name the same objects and differ in a few attributes.</summary>
internal sealed class HwlocReader
{
    private readonly HardenedXml _xml;
    private readonly SourceText _text;
    private readonly MachineDraft _machine;
    private readonly HwlocDistances _distances;
    private readonly Stack<Level> _levels = new();
    private string? _cpuVendor;
    private string? _cpuModelName;
    private int? _cpuFamily;
    private int? _cpuModel;
    private string? _architecture;
    private int _major;

    private HwlocReader(SourceText text, HardenedXml xml, MachineDraft machine)
    {
        _text = text;
        _xml = xml;
        _machine = machine;
        _distances = new HwlocDistances(xml, machine);
    }

    public static MachineDescription Read(SourceText text)
    {
        var machine = new MachineDraft(text.Name, MachineFormat.HwlocXml) { ListsEveryFunction = false };
        using var xml = new HardenedXml(text);
        var reader = new HwlocReader(text, xml, machine);
        while (xml.Read())
        {
            reader.ReadNode();
        }

        if (reader._major == 0)
        {
            throw text.Error(0, null, "no topology element");
        }

        machine.Cpu = reader.Cpu();
        reader._distances.AddLinks();
        return machine.Complete();
    }

    private void ReadNode()
    {
        if (_xml.Kind == XmlNodeType.EndElement)
        {
            _levels.Pop();
            return;
        }

        if (_xml.Kind == XmlNodeType.Text)
        {
            if (_levels.Count > 0)
            {
                _distances.AddText(_levels.Peek().Element, _xml.Text);
            }

            return;
        }

        if (_xml.Kind != XmlNodeType.Element)
        {
            return;
        }

        Level above = _levels.Count > 0 ? _levels.Peek() : default;
        Level level = above with { Element = _xml.Name };
        if (_levels.Count == 0)
        {
            ReadVersion();
        }

        switch (_xml.Name)
        {
            case "object":
                level = ReadObject(level);
                break;
            case "info":
                ReadInfo(above);
                break;
            case "distances2" or "distances2hetero":
                _distances.Begin();
                break;
            default:
                break;
        }

        if (!_xml.IsEmpty)
        {
            _levels.Push(level);
        }
    }

    private void ReadVersion()
    {
        if (_xml.Name is not ("topology" or "root"))
        {
            throw _xml.Error(_xml.Name, "the root element is 'topology'");
        }

        string? version = _xml.Attribute("version");
        _major = version switch
        {
            null => 1,
            _ when version.StartsWith("1.", StringComparison.Ordinal) => 1,
            _ when version.StartsWith("2.", StringComparison.Ordinal) => 2,
            _ when version.StartsWith("3.", StringComparison.Ordinal) => 3,
            _ => throw _xml.Error(version, "hwloc XML of versions 1, 2 and 3 is read"),
        };
    }

    private Level ReadObject(Level level)
    {
        string type = _xml.Required("type");
        level = level with { ObjectType = type };
        if (_xml.Attribute("nodeset") is string nodes)
        {
            level = level with { NumaNode = Numbers.OnlyBit(nodes) };
        }

        switch (type)
        {
            case "Bridge":
                return ReadBridge(level);
            case "PCIDev":
                return ReadDevice(level);
            case "OSDev":
                ReadOsDevice(level);
                return level;
            case "Package" or "Socket":
                string name = _machine.AddDevice(new()
                {
                    Name = $"Package {_xml.Attribute("os_index") ?? "?"}",
                    Kind = MachineDeviceKind.Cpu,
                    NumaNode = level.NumaNode,
                });
                Index(type, name, null);
                return level;
            default:
                return level;
        }
    }

    private Level ReadDevice(Level level)
    {
        PciAddress address = _xml.Address("pci_busid");
        if (_machine.Find(address) is not null && level.Pci is PciAddress above && _machine.Find(above) is FunctionDraft bridge
            && (address.Domain != above.Domain || address.Bus < bridge.SecondaryBus || address.Bus > bridge.SubordinateBus))
        {
            // Edited files exist that have a copied device below a bridge that cannot lead to its bus. The first one stays.
            _machine.Remarks.Add($"line {_xml.Line}: a second {address}, below {above} which leads to other buses, read over");
            return level with { Pci = null, IsReadOver = true };
        }

        FunctionDraft device = AddFunction(level);
        Index("PCIDev", address.ToString(), address);
        return level with { Pci = device.Address };
    }

    private Level ReadBridge(Level level)
    {
        string type = _xml.Required("bridge_type");
        string range = _xml.Required("bridge_pci");
        (uint domain, byte secondary, byte subordinate) = ReadRange(range);
        if (type.StartsWith("0-", StringComparison.Ordinal))
        {
            var root = new PciBusAddress(domain, secondary);
            _machine.AddHostBridge(new() { RootBus = root, NumaNode = level.NumaNode }, _text.Name, _xml.Line);
            return level with { Root = root, Pci = null };
        }

        if (!type.StartsWith("1-", StringComparison.Ordinal))
        {
            throw _xml.Error(type, "unknown link type: a bridge is 0-1 (host bridge) or 1-1 (PCI bridge)");
        }

        FunctionDraft bridge = AddFunction(level);
        bridge.SecondaryBus = secondary;
        bridge.SubordinateBus = subordinate;
        return level with { Pci = bridge.Address };
    }

    private FunctionDraft AddFunction(Level level)
    {
        PciAddress address = _xml.Address("pci_busid");
        FunctionDraft draft = _machine.Add(address, _text.Name, _xml.Line);
        draft.NumaNode = level.NumaNode;
        draft.Bandwidth = _xml.Real("pci_link_speed") is > 0 and double speed ? speed : null;
        draft.Name = _xml.Attribute("name");
        ReadType(draft, _xml.Required("pci_type"));
        if (level.IsReadOver)
        {
            throw _xml.Error(address.ToString(), "a function below one that was read over");
        }

        if (level.Pci is null && level.Root is null)
        {
            draft.ParentSource = ParentSource.Unknown;
        }
        else
        {
            draft.ParentSource = ParentSource.Explicit;
            draft.Parent = level.Pci;
            draft.RootBus = level.Root;
        }

        return draft;
    }

    // "0604 [10b5:9781] [10b5:9781] b0", in 3.0 with the programming interface behind.
    private void ReadType(FunctionDraft draft, string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 4 || !Numbers.TryHex16(words[0], out ushort code) || !TryIds(words[1], out ushort vendor, out ushort device)
            || !TryIds(words[2], out ushort subVendor, out ushort subDevice) || !Numbers.TryHex8(words[3], out byte revision))
        {
            throw _xml.Error(text, "a pci_type 'class [vendor:device] [vendor:device] revision' expected");
        }

        if (vendor == 0 && device == 0 && code == 0)
        {
            // hwloc fills in zeros where the system told nothing.
            return;
        }

        draft.ClassCode = code;
        (draft.VendorId, draft.DeviceId) = (vendor, device);
        (draft.SubsystemVendorId, draft.SubsystemDeviceId) = (subVendor, subDevice);
        draft.Revision = revision;
        draft.ProgrammingInterface = words.Length > 4 && Numbers.TryHex8(words[4], out byte progIf) ? progIf : null;
    }

    private static bool TryIds(string word, out ushort vendor, out ushort device)
    {
        vendor = device = 0;
        return word.Length == 11 && word[0] == '[' && word[10] == ']' && LspciHeader.TryIds(word, 1, out vendor, out device);
    }

    private (uint Domain, byte Secondary, byte Subordinate) ReadRange(string text)
    {
        int open = text.IndexOf(":[", StringComparison.Ordinal);
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        if (open > 0 && dash > open && text.EndsWith(']') && Numbers.TryHex(text.AsSpan(0, open), uint.MaxValue, out ulong domain)
            && Numbers.TryHex8(text.AsSpan(open + 2, dash - open - 2), out byte first)
            && Numbers.TryHex8(text.AsSpan(dash + 1, text.Length - dash - 2), out byte last))
        {
            return ((uint)domain, first, last);
        }

        throw _xml.Error(text, "a range of buses dddd:[bb-bb] expected");
    }

    private void ReadOsDevice(Level level)
    {
        string? name = _xml.Attribute("name");
        if (string.IsNullOrEmpty(name))
        {
            return;
        }

        string given = _machine.AddDevice(new()
        {
            Name = name,
            Kind = DeviceKind(_xml.Attribute("osdev_type")),
            Address = level.Pci,
            NumaNode = level.NumaNode,
        });
        Index("OSDev", given, level.Pci);
    }

    // Up to 2.x one number; from 3.0 a sum of bits.
    private MachineDeviceKind DeviceKind(string? type)
    {
        if (!Numbers.TryInt(type, out int number))
        {
            return MachineDeviceKind.Other;
        }

        if (_major < 3)
        {
            return number switch { 1 or 5 => MachineDeviceKind.Gpu, 2 or 3 => MachineDeviceKind.Nic, _ => MachineDeviceKind.Other };
        }

        return (number & 0xC) != 0 ? MachineDeviceKind.Gpu : (number & 0x30) != 0 ? MachineDeviceKind.Nic : MachineDeviceKind.Other;
    }

    private void Index(string type, string name, PciAddress? address)
    {
        if (_xml.Attribute("gp_index") is string index)
        {
            _distances.Name($"{type}:{index}", name, address);
        }
    }

    private void ReadInfo(Level above)
    {
        string? value = _xml.Attribute("value");
        switch (_xml.Attribute("name"))
        {
            case "CPUVendor": _cpuVendor ??= value; break;
            case "CPUModel": _cpuModelName ??= value; break;
            case "CPUFamilyNumber": _cpuFamily ??= _xml.Int("value"); break;
            case "CPUModelNumber": _cpuModel ??= _xml.Int("value"); break;
            case "Architecture": _architecture ??= value; break;
            case "DMIProductName" or "PlatformModel": _machine.Name ??= value; break;
            case "PCIVendor" or "PCIDevice" when above.Pci is PciAddress pci && above.ObjectType is "PCIDev" or "Bridge":
                FunctionDraft? draft = above.Pci is PciAddress address ? _machine.Find(address) : null;
                if (draft is not null)
                {
                    draft.Name = draft.Name is null ? value : $"{draft.Name} {value}";
                }

                break;
            default: break;
        }
    }

    private CpuDescription? Cpu()
    {
        string? vendor = _cpuVendor;
        if (vendor is null && _architecture is not (null or "x86_64" or "i686"))
        {
            vendor = _architecture;
        }

        if (vendor is null && _cpuModelName?.StartsWith("Intel(R)", StringComparison.Ordinal) == true)
        {
            vendor = "GenuineIntel";
            _machine.Remarks.Add($"vendor GenuineIntel taken from the model's name '{_cpuModelName}'");
        }

        return vendor is null && _cpuModelName is null ? null
            : new() { Vendor = vendor, Family = _cpuFamily, Model = _cpuModel, Name = _cpuModelName };
    }

    private readonly record struct Level(string? Element, string? ObjectType, int? NumaNode, PciBusAddress? Root, PciAddress? Pci,
        bool IsReadOver);
}
