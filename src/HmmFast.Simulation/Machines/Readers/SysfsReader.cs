using System.Globalization;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads the functions of /sys/bus/pci/devices, live or copied: a flat folder of links or folders named by address, or the nested
/// folders below pciDDDD:BB. Ids come from the attributes (the kernel's own view), ACS and SR-IOV from the config file.
/// </summary>
internal sealed class SysfsReader
{
    private const int MaxNesting = 64;
    private const int IoFlag = 0x100;
    private const int PrefetchFlag = 0x2000;
    private const int Memory64Flag = 0x100000;

    private readonly FileTree _tree;
    private readonly MachineDraft _machine;
    private readonly Dictionary<string, string> _listedLinks = new(StringComparer.Ordinal);

    private SysfsReader(FileTree tree, MachineDraft machine)
    {
        _tree = tree;
        _machine = machine;
    }

    /// <summary>Whether a folder's name is a function's address as sysfs writes it.</summary>
    public static bool IsFunctionName(string name, out PciAddress address)
    {
        address = default;
        return name.Length is >= 12 and <= 16 && name[^3] != ':' && PciAddress.TryParse(name, out address);
    }

    /// <summary>Whether a folder's name is a root bus, <c>pci0000:40</c>.</summary>
    public static bool IsRootName(string name, out PciBusAddress bus)
    {
        bus = default;
        return name.Length is >= 10 and <= 14 && name.StartsWith("pci", StringComparison.Ordinal)
            && PciBusAddress.TryParse(name.AsSpan(3), out bus);
    }

    public static MachineDescription Read(FileTree tree, string folder, MachineFormat format, string? kfdNodes)
    {
        var machine = new MachineDraft(tree.Show(folder), format);
        var reader = new SysfsReader(tree, machine);
        reader.ReadListedLinks(folder);
        reader.ReadFolder(folder, null, null, 0);
        if (machine.Functions.Count == 0)
        {
            throw new MachineReadException(tree.Show(folder), 0, null, "no folder named by a PCI address dddd:bb:dd.f");
        }

        if (kfdNodes is not null)
        {
            KfdReader.ReadInto(machine, tree, kfdNodes, addFunctions: false);
        }

        machine.Cpu = reader.ReadCpu(folder, format);
        return machine.Complete();
    }

    private void ReadFolder(string folder, PciBusAddress? root, PciAddress? parent, int depth)
    {
        foreach (string name in _tree.Folders(folder))
        {
            string path = FileTree.Join(folder, name);
            if (IsFunctionName(name, out PciAddress address))
            {
                if (depth > MaxNesting)
                {
                    throw new MachineReadException(_tree.Show(path), 0, null, $"bridges nested deeper than {MaxNesting} levels");
                }

                if (_machine.Find(address) is FunctionDraft known)
                {
                    MeetAgain(known, path, root, parent);
                    continue;
                }

                FunctionDraft draft = ReadFunction(address, path);
                if (root is not null || parent is not null)
                {
                    SetPlace(draft, root, parent);
                }
                else
                {
                    FindPlace(draft, path, name);
                }

                if (_tree.LinkTarget(path) is null)
                {
                    ReadFolder(path, root ?? draft.RootBus, address, depth + 1);
                }
            }
            else if (depth == 0 && IsRootName(name, out PciBusAddress bus) && _tree.LinkTarget(path) is null)
            {
                _machine.AddHostBridge(new() { RootBus = bus }, _tree.Show(path), 0);
                ReadFolder(path, bus, null, depth + 1);
            }
        }
    }

    // A copy that followed the links (cp -rL) has every function on top and once more in the folder of its bridge.
    private void MeetAgain(FunctionDraft known, string path, PciBusAddress? root, PciAddress? parent)
    {
        if (root is null && parent is null)
        {
            return;
        }

        if (known.ParentSource == ParentSource.Explicit && known.Parent != parent)
        {
            throw new MachineReadException(_tree.Show(path), 0, known.Address.ToString(),
                $"this function is in the folders of two bridges, the other is {known.Parent?.ToString() ?? "the root bus"}");
        }

        SetPlace(known, known.RootBus ?? root, parent);
    }

    private static void SetPlace(FunctionDraft draft, PciBusAddress? root, PciAddress? parent)
    {
        draft.ParentSource = ParentSource.Explicit;
        draft.RootBus = root;
        draft.Parent = parent;
    }

    // The link says where the function is: ../../../devices/pci0000:00/0000:00:02.0/0000:01:00.0. A copy may have lost its links and
    // may have a PATH file or a listing in their place; without any of them the bus numbers decide.
    private void FindPlace(FunctionDraft draft, string path, string name)
    {
        string? place = _tree.LinkTarget(path) ?? _tree.ReadLine(FileTree.Join(path, "PATH")) ?? _listedLinks.GetValueOrDefault(name);
        PciBusAddress? root = null;
        PciAddress? parent = null;
        PciAddress? last = null;
        foreach (string part in place?.Split('/') ?? [])
        {
            if (IsRootName(part, out PciBusAddress bus))
            {
                (root, parent, last) = (bus, null, null);
            }
            else if (IsFunctionName(part, out PciAddress address))
            {
                (parent, last) = (last, address);
            }
        }

        if (root is null || last is null)
        {
            return;
        }

        if (last != draft.Address)
        {
            throw new MachineReadException(_tree.Show(path), 0, place, $"the path of {draft.Address} ends at another function");
        }

        SetPlace(draft, root.Value, parent);
    }

    private void ReadListedLinks(string folder)
    {
        if (_tree.Read(FileTree.Join(folder, "ls-l.txt")) is not byte[] bytes)
        {
            return;
        }

        foreach (string line in System.Text.Encoding.Latin1.GetString(bytes).Split('\n'))
        {
            int arrow = line.IndexOf(" -> ", StringComparison.Ordinal);
            int blank = arrow < 0 ? -1 : line.LastIndexOf(' ', arrow - 1);
            if (blank >= 0)
            {
                _listedLinks.TryAdd(line[(blank + 1)..arrow], line[(arrow + 4)..].TrimEnd());
            }
        }
    }

    private FunctionDraft ReadFunction(PciAddress address, string path)
    {
        FunctionDraft draft = _machine.Add(address, _tree.Show(path), 0);
        draft.VendorId = (ushort?)Hex(path, "vendor", ushort.MaxValue);
        draft.DeviceId = (ushort?)Hex(path, "device", ushort.MaxValue);
        draft.SubsystemVendorId = (ushort?)Hex(path, "subsystem_vendor", ushort.MaxValue);
        draft.SubsystemDeviceId = (ushort?)Hex(path, "subsystem_device", ushort.MaxValue);
        draft.Revision = (byte?)Hex(path, "revision", byte.MaxValue);
        if (Hex(path, "class", 0xFFFFFF) is ulong code)
        {
            draft.ClassCode = (ushort)(code >> 8);
            draft.ProgrammingInterface = (byte)code;
        }

        draft.NumaNode = Int(path, "numa_node");
        draft.SecondaryBus = (byte?)Int(path, "secondary_bus_number");
        draft.SubordinateBus = (byte?)Int(path, "subordinate_bus_number");
        draft.Speed = Numbers.GigatransfersIn(_tree.ReadLine(FileTree.Join(path, "current_link_speed")));
        draft.MaxSpeed = Numbers.GigatransfersIn(_tree.ReadLine(FileTree.Join(path, "max_link_speed")));
        draft.Width = Int(path, "current_link_width") is > 0 and int width ? width : null;
        draft.MaxWidth = Int(path, "max_link_width") is > 0 and < 255 and int maxWidth ? maxWidth : null;
        draft.IommuGroup = LinkNumber(path, "iommu_group");
        draft.Driver = LastPart(_tree.LinkTarget(FileTree.Join(path, "driver"))) ?? Uevent(path, "DRIVER=");
        draft.PhysicalFunction = PhysicalFunction(path);
        draft.Bars = Resources(path);
        if (_tree.Read(FileTree.Join(path, "config")) is byte[] config)
        {
            PciConfigSpace.Apply(draft, config, lengthIsCfgSize: true);
        }

        // The kernel shows link attributes for PCIe functions only; that much is known without the capabilities.
        if (draft.IsPcie is null && _tree.HasFile(FileTree.Join(path, "current_link_speed")))
        {
            draft.IsPcie = true;
        }

        return draft;
    }

    private PciAddress? PhysicalFunction(string path)
    {
        string physical = FileTree.Join(path, "physfn");
        string? name = LastPart(_tree.LinkTarget(physical)) ?? Uevent(physical, "PCI_SLOT_NAME=");
        return name is not null && IsFunctionName(name, out PciAddress address) ? address : null;
    }

    private List<BarDescription>? Resources(string path)
    {
        if (_tree.Read(FileTree.Join(path, "resource")) is not byte[] bytes)
        {
            return null;
        }

        var bars = new List<BarDescription>();
        string[] lines = System.Text.Encoding.Latin1.GetString(bytes).Split('\n');
        for (int i = 0; i < 6 && i < lines.Length && lines[i].Length > 0; i++)
        {
            string[] words = lines[i].Trim().Split(' ');
            if (words.Length != 3 || !Numbers.TryHex(words[0], ulong.MaxValue, out ulong start)
                || !Numbers.TryHex(words[1], ulong.MaxValue, out ulong end) || !Numbers.TryHex(words[2], ulong.MaxValue, out ulong flags))
            {
                throw new MachineReadException(_tree.Show(FileTree.Join(path, "resource")), i + 1, lines[i], "start, end and flags in hexadecimal expected");
            }

            if (flags != 0)
            {
                bars.Add(new BarDescription
                {
                    Index = i,
                    Start = start == 0 ? null : start,
                    SizeBytes = end > start ? end - start + 1 : null,
                    IsIo = (flags & IoFlag) != 0,
                    Is64Bit = (flags & Memory64Flag) != 0,
                    IsPrefetchable = (flags & PrefetchFlag) != 0,
                });
            }
        }

        return bars;
    }

    private ulong? Hex(string path, string attribute, ulong max)
    {
        string file = FileTree.Join(path, attribute);
        string? text = _tree.ReadLine(file);
        return text is null ? null : Numbers.TryHex(text, max, out ulong value) ? value
            : throw new MachineReadException(_tree.Show(file), 1, text, $"a hexadecimal number up to 0x{max:x} expected");
    }

    private int? Int(string path, string attribute)
    {
        string file = FileTree.Join(path, attribute);
        string? text = _tree.ReadLine(file);
        if (text is null)
        {
            return null;
        }

        bool isBus = attribute.EndsWith("_bus_number", StringComparison.Ordinal);
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) || value < -1
            || (isBus && value is < 0 or > byte.MaxValue))
        {
            // An attribute of a link that is down says Unknown in some kernels.
            return text == "Unknown" ? null : throw new MachineReadException(_tree.Show(file), 1, text,
                isBus ? "a bus number from 0 to 255 expected" : "a whole number from -1 on expected");
        }

        return value < 0 ? null : value;
    }

    private int? LinkNumber(string path, string name) =>
        Numbers.TryInt(LastPart(_tree.LinkTarget(FileTree.Join(path, name))), out int number) ? number : null;

    private string? Uevent(string path, string key)
    {
        if (_tree.Read(FileTree.Join(path, "uevent")) is not byte[] bytes)
        {
            return null;
        }

        foreach (string line in System.Text.Encoding.Latin1.GetString(bytes).Split('\n'))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return line[key.Length..].Trim();
            }
        }

        return null;
    }

    private CpuDescription? ReadCpu(string folder, MachineFormat format)
    {
        if (format == MachineFormat.RunningMachine)
        {
            return File.Exists("/proc/cpuinfo") ? CpuInfo.Read(File.ReadLines("/proc/cpuinfo").Take(64)) : null;
        }

        // A copy may have the processor beside it, or be part of a copied root folder.
        string at = folder;
        while (true)
        {
            foreach (string name in (ReadOnlySpan<string>)["proc-cpuinfo.txt", "cpuinfo", "cpuinfo.txt", "proc/cpuinfo"])
            {
                if (_tree.Read(FileTree.Join(at, name)) is byte[] bytes)
                {
                    return CpuInfo.Read(System.Text.Encoding.Latin1.GetString(bytes).Split('\n'));
                }
            }

            if (at.Length == 0)
            {
                return null;
            }

            int slash = at.LastIndexOf('/');
            at = slash < 0 ? "" : at[..slash];
        }
    }

    private static string? LastPart(string? target) => target is null ? null : target[(target.LastIndexOf('/') + 1)..];
}
