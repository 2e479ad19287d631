using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Reads the project's own JSON (machine.schema.json says its members). Unknown members are refused, naming the nearest.</summary>
internal static class MachineJsonReader
{
    public const string FormatName = "hmmfast-machine";
    public const int Version = 1;
    public const string Unknown = "unknown";

    /// <summary>The ACS bits in the order of their numbers, as the field abbreviates them.</summary>
    public static readonly string[] AcsBitNames = ["SV", "TB", "RR", "CR", "UF", "EC", "DT"];

    public static MachineDescription Read(SourceText text)
    {
        RefuseLines(text);
        JsonPart root = JsonPart.Parse(text);
        RefuseForeign(text, root);
        return Read(text, root);
    }

    /// <summary>Reads a machine that is a part of another text.</summary>
    public static MachineDescription Read(SourceText text, JsonPart root)
    {
        if (root.Int("version", int.MaxValue) is int version and not Version)
        {
            throw root.Require("version").Error($"version {Version} is read, not {version}");
        }

        _ = root.Take("$schema");
        var machine = new MachineDraft(text.Name, MachineFormat.Json)
        {
            Name = root.Text("name"),
            ListsEveryFunction = root.Bool("listsEveryFunction") ?? true,
            Cpu = ReadCpu(root.Take("cpu")),
        };
        foreach (JsonPart part in root.Take("hostBridges")?.Items() ?? [])
        {
            ReadHostBridge(machine, text, part);
        }

        foreach (JsonPart part in root.Take("functions")?.Items() ?? [])
        {
            ReadFunction(machine, text, part);
        }

        foreach (JsonPart part in root.Take("devices")?.Items() ?? [])
        {
            ReadDevice(machine, part);
        }

        foreach (JsonPart part in root.Take("links")?.Items() ?? [])
        {
            ReadLink(machine, part);
        }

        foreach (JsonPart part in root.Take("relations")?.Items() ?? [])
        {
            ReadRelation(machine, part);
        }

        foreach (JsonPart part in root.Take("remarks")?.Items() ?? [])
        {
            machine.Remarks.Add(part.Text());
        }

        root.Finish();
        if (machine.Functions.Count == 0 && machine.Devices.Count == 0)
        {
            throw root.Error("the machine has neither functions nor devices");
        }

        return machine.Complete();
    }

    // Recordings are lines of JSON; the parser would only say that something follows the first value.
    private static void RefuseLines(SourceText text)
    {
        ReadOnlySpan<byte> bytes = text.Bytes.Span;
        int end = bytes.IndexOf("}\n{"u8);
        if (end >= 0 && !bytes[..end].Contains((byte)'\n'))
        {
            throw text.Error(2, "{", bytes[..end].IndexOf("\"matrix\""u8) >= 0
                ? "this looks like recorded cases with their answers, one a line; conform checks those"
                : "this looks like lines of JSON, not one JSON text");
        }
    }

    private static void RefuseForeign(SourceText text, JsonPart root)
    {
        if (root.IsObject && root.Take("format") is JsonPart format)
        {
            if (!format.IsText || format.Value != FormatName)
            {
                throw format.Error($"the member 'format' of a machine is \"{FormatName}\"");
            }

            return;
        }

        string what = !root.IsObject ? "JSON whose outermost value is no object"
            : root.Has("tree") && root.Has("matrix") ? "a recorded case with its answers; conform checks those"
            : root.Has("blockdevices") ? "the JSON of lsblk"
            : root.Has("lscpu") ? "the JSON of lscpu"
            : root.Has("children") && root.Has("class") ? "the JSON of lshw"
            : $"JSON of another kind: a machine has \"format\": \"{FormatName}\"";
        throw text.Error(root.Line, null, $"this looks like {what}");
    }

    private static CpuDescription? ReadCpu(JsonPart? part)
    {
        if (part is null)
        {
            return null;
        }

        var cpu = new CpuDescription
        {
            Vendor = part.Text("vendor"),
            Family = part.Int("family", 0x10E),
            Model = part.Int("model", 0xFF),
            Name = part.Text("name"),
        };
        part.Finish();
        return cpu;
    }

    private static void ReadHostBridge(MachineDraft machine, SourceText text, JsonPart part)
    {
        var bridge = new HostBridgeDescription
        {
            RootBus = part.Require("rootBus").Bus(),
            FirstDevice = part.Take("firstDevice")?.Address(),
            NumaNode = part.Int("numaNode", int.MaxValue),
        };
        part.Finish();
        machine.AddHostBridge(bridge, text.Name, part.Line);
    }

    private static void ReadFunction(MachineDraft machine, SourceText text, JsonPart part)
    {
        FunctionDraft draft = machine.Add(part.Require("address").Address(), text.Name, part.Line);
        draft.Kind = part.Take("kind")?.Enum<PciFunctionKind>("kind of function");
        draft.RootBus = part.Take("rootBus")?.Bus();
        ReadParent(draft, part);
        draft.VendorId = (ushort?)part.Hex("vendorId", ushort.MaxValue);
        draft.DeviceId = (ushort?)part.Hex("deviceId", ushort.MaxValue);
        draft.ClassCode = (ushort?)part.Hex("classCode", ushort.MaxValue);
        draft.ProgrammingInterface = (byte?)part.Hex("programmingInterface", byte.MaxValue);
        draft.Revision = (byte?)part.Hex("revision", byte.MaxValue);
        draft.SubsystemVendorId = (ushort?)part.Hex("subsystemVendorId", ushort.MaxValue);
        draft.SubsystemDeviceId = (ushort?)part.Hex("subsystemDeviceId", ushort.MaxValue);
        draft.Name = part.Text("name");
        draft.Driver = part.Text("driver");
        draft.IsMultiFunction = part.Bool("isMultiFunction");
        draft.PcieType = (byte?)part.Int("pcieType", 15);
        draft.IsPcie = part.Bool("isPcie") ?? (draft.PcieType is null ? null : true);
        draft.SecondaryBus = (byte?)part.Hex("secondaryBus", byte.MaxValue);
        draft.SubordinateBus = (byte?)part.Hex("subordinateBus", byte.MaxValue);
        draft.PhysicalFunction = part.Take("physicalFunction")?.Address();
        draft.NumaNode = part.Int("numaNode", int.MaxValue);
        draft.IommuGroup = part.Int("iommuGroup", int.MaxValue);
        ReadAcs(draft, part.Take("acs"));
        ReadPcieLink(draft, part.Take("link"));
        ReadBars(draft, part.Take("bars"));
        part.Finish();
    }

    private static void ReadParent(FunctionDraft draft, JsonPart part)
    {
        if (part.Take("parent") is JsonPart parent)
        {
            bool isUnknown = parent.IsText && parent.Value == Unknown;
            draft.ParentSource = isUnknown ? ParentSource.Unknown : ParentSource.Explicit;
            draft.Parent = isUnknown ? null : parent.Address();
        }
        else if (draft.RootBus is not null)
        {
            draft.ParentSource = ParentSource.Explicit;
        }

        JsonPart? hidden = part.Take("hiddenBridgesAbove");
        draft.HiddenBridgesAbove = hidden is null ? 0
            : hidden.IsText && hidden.Value == Unknown ? null : part.Int("hiddenBridgesAbove", 32);
    }

    private static void ReadAcs(FunctionDraft draft, JsonPart? part)
    {
        if (part is null || (part.IsText && part.Value == Unknown))
        {
            return;
        }

        if (part.IsText)
        {
            draft.Acs = part.Value == "none" ? AcsDescription.Absent
                : throw part.Error("\"none\", \"unknown\" or an object with capability and control expected");
            return;
        }

        draft.Acs = new()
        {
            IsPresent = IsPresent(part),
            Capability = Bits(part.Take("capability")),
            Control = Bits(part.Take("control")),
        };
        part.Finish();
    }

    // Present unless the object says that not even that is known.
    private static bool? IsPresent(JsonPart part) =>
        part.Take("isPresent") is { IsText: true, Value: Unknown } ? null : part.Bool("isPresent") ?? true;

    private static ushort? Bits(JsonPart? part)
    {
        if (part is null)
        {
            return null;
        }

        if (part.IsText)
        {
            return Numbers.TryHex16(part.Value, out ushort number) ? number
                : throw part.Error("a hexadecimal number of 16 bits, or an array of SV, TB, RR, CR, UF, EC, DT, expected");
        }

        int bits = 0;
        foreach (JsonPart item in part.Items())
        {
            int bit = Array.IndexOf(AcsBitNames, item.Text());
            bits |= bit >= 0 ? 1 << bit : throw item.Error($"unknown ACS bit; known are {string.Join(", ", AcsBitNames)}");
        }

        return (ushort)bits;
    }

    private static void ReadPcieLink(FunctionDraft draft, JsonPart? part)
    {
        if (part is null)
        {
            return;
        }

        draft.Speed = part.Real("speedGigatransfers");
        draft.Width = part.Int("width", 32);
        draft.MaxSpeed = part.Real("maxSpeedGigatransfers");
        draft.MaxWidth = part.Int("maxWidth", 63);
        draft.Bandwidth = part.Real("bandwidthGigabytesPerSecond");
        part.Finish();
    }

    private static void ReadBars(FunctionDraft draft, JsonPart? part)
    {
        if (part is null)
        {
            return;
        }

        draft.Bars = [];
        foreach (JsonPart item in part.Items())
        {
            draft.Bars.Add(new BarDescription
            {
                Index = item.Int("index", 5) ?? throw item.Error("the member 'index' is missing"),
                Start = item.Hex("start", ulong.MaxValue),
                SizeBytes = item.Hex("sizeBytes", ulong.MaxValue),
                IsIo = item.Bool("isIo") ?? false,
                Is64Bit = item.Bool("is64Bit") ?? false,
                IsPrefetchable = item.Bool("isPrefetchable") ?? false,
            });
            item.Finish();
        }
    }

    private static void ReadDevice(MachineDraft machine, JsonPart part)
    {
        JsonPart name = part.Require("name");
        if (machine.HasDevice(name.Text()))
        {
            throw name.Error("a second device of this name");
        }

        machine.AddDevice(new()
        {
            Name = name.Text(),
            Kind = part.Require("kind").Enum<MachineDeviceKind>("kind of device"),
            Address = part.Take("address")?.Address(),
            Alias = part.Text("alias"),
            NumaNode = part.Int("numaNode", int.MaxValue),
        });
        part.Finish();
    }

    private static void ReadLink(MachineDraft machine, JsonPart part)
    {
        (string from, PciAddress? fromAddress) = End(machine, part.Require("from"));
        (string to, PciAddress? toAddress) = End(machine, part.Require("to"));
        machine.Links.Add(new()
        {
            From = from,
            FromAddress = fromAddress,
            To = to,
            ToAddress = toAddress,
            Kind = part.Require("kind").Enum<LinkKind>("kind of link"),
            LinkCount = part.Int("linkCount", 1024),
            BandwidthMegabytesPerSecond = part.Real("bandwidthMegabytesPerSecond"),
            LatencyNs = part.Real("latencyNs"),
            IsLive = part.Bool("isLive"),
            Weight = part.Int("weight", int.MaxValue),
        });
        part.Finish();
    }

    private static void ReadRelation(MachineDraft machine, JsonPart part)
    {
        machine.Relations.Add(new()
        {
            From = End(machine, part.Require("from")).Name,
            To = End(machine, part.Require("to")).Name,
            Class = part.Require("class").Enum<RelationClass>("class of relation"),
            LinkCount = part.Int("linkCount", 1024),
        });
        part.Finish();
    }

    private static (string Name, PciAddress? Address) End(MachineDraft machine, JsonPart part)
    {
        string name = part.Text();
        if (machine.Devices.Find(device => device.Name == name) is MachineDeviceDescription device)
        {
            return (name, device.Address);
        }

        return PciAddress.TryParse(name, out PciAddress address)
            ? (name, address)
            : throw part.Error("neither the name of one of the devices nor a PCI address");
    }
}
