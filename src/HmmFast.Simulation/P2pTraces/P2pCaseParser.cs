using System.Globalization;
using System.Text.Json;
using HmmFast.Topology;

namespace HmmFast.Simulation.P2pTraces;

/// <summary>Turns one recorded case's JSON into the description of a machine and its pairs.</summary>
internal sealed class P2pCaseParser
{
    private readonly List<PciFunctionSpec> _functions = [];

    /// <summary>Parses a case; errors are the exceptions of <see cref="JsonElement"/> and <see cref="FormatException"/>.</summary>
    public P2pTraceCase Parse(JsonElement root, int line)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"a recorded case is a JSON object, and this is {root.ValueKind}");
        }

        string name = $"tree {Get(root, "tree").GetRawText()} {Text(root, "case")}";
        var hostBridges = new List<PciHostBridgeSpec>();
        foreach (JsonElement hostBridge in Get(root, "host_bridges").EnumerateArray())
        {
            hostBridges.Add(ParseHostBridge(hostBridge));
        }

        var pairs = new List<P2pTracePair>();
        foreach (JsonElement pair in Get(root, "matrix").EnumerateArray())
        {
            pairs.Add(ParsePair(pair));
        }

        return new P2pTraceCase(line, name, ParseCpu(root), [.. hostBridges], [.. _functions], [.. pairs]);
    }

    private static CpuIdentity? ParseCpu(JsonElement root)
    {
        if (!root.TryGetProperty("cpu", out JsonElement cpu) || cpu.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return new CpuIdentity(Text(cpu, "vendor"), Get(cpu, "family").GetInt32(), Get(cpu, "model").GetInt32());
    }

    private PciHostBridgeSpec ParseHostBridge(JsonElement element)
    {
        string busText = Text(element, "root_bus");
        if (!PciAddress.TryParse(busText + ":00.0", out PciAddress firstSlot))
        {
            throw new FormatException($"'{busText}' is not a root bus (domain:bus, hexadecimal)");
        }

        PciBusAddress rootBus = firstSlot.BusAddress;
        ParseFunctions(Get(element, "devices"), null, rootBus);
        bool hasFirst = element.TryGetProperty("first_device", out JsonElement first) && first.ValueKind == JsonValueKind.String;
        if (hasFirst)
        {
            SetIdsOfFirstDevice(element, Address(first), rootBus);
        }

        return new PciHostBridgeSpec
        {
            RootBus = rootBus,
            FirstDevice = hasFirst ? Address(first) : null,
        };
    }

    /// <summary>The recording names the first device's ids twice; those beside the host bridge are the ones the kernel asked for.</summary>
    private void SetIdsOfFirstDevice(JsonElement hostBridge, PciAddress address, PciBusAddress rootBus)
    {
        int index = _functions.FindIndex(function => function.Address == address);
        if (index < 0)
        {
            // The tree may leave out what nothing hangs below; it speaks for the host bridge all the same.
            index = _functions.Count;
            JsonElement type = Get(hostBridge, "first_pcie_type");
            _functions.Add(new PciFunctionSpec
            {
                Address = address,
                RootBus = rootBus,
                PcieType = type.ValueKind == JsonValueKind.Null ? PcieType.Conventional : (PcieType)type.GetByte(),
                Acs = AcsState.Unknown,
            });
        }

        _functions[index] = _functions[index] with
        {
            Vendor = (ushort)Hex(hostBridge, "vendor", 0xffff),
            Device = (ushort)Hex(hostBridge, "device", 0xffff),
        };
    }

    private void ParseFunctions(JsonElement list, PciAddress? parent, PciBusAddress rootBus)
    {
        PciAddress? physical = null;
        foreach (JsonElement element in list.EnumerateArray())
        {
            PciAddress address = Address(Get(element, "bdf"));
            bool isVirtual = element.TryGetProperty("virtfn", out JsonElement virtfn) && virtfn.GetBoolean();
            if (isVirtual && physical is null)
            {
                throw new FormatException($"{address} is a virtual function, and no function is listed before it beside it");
            }

            // A virtual function is listed beside its physical one, behind it.
            physical = isVirtual ? physical : address;
            bool isBridge = element.TryGetProperty("children", out JsonElement children);
            _functions.Add(new PciFunctionSpec
            {
                Address = address,
                Parent = parent,
                RootBus = rootBus,
                PhysicalFunction = isVirtual ? physical : null,
                Vendor = (ushort)Hex(element, "vendor", 0xffff),
                Device = (ushort)Hex(element, "device", 0xffff),
                ClassCode = Hex(element, "class", 0xffffff),
                PcieType = ParsePcieType(element),
                IsBridge = isBridge,
                SecondaryBus = element.TryGetProperty("secondary_bus", out _) ? (byte)Hex(element, "secondary_bus", 0xff) : null,
                Acs = ParseAcs(element),
                Name = element.TryGetProperty("model", out JsonElement model) ? model.GetString() : null,
            });
            if (isBridge)
            {
                ParseFunctions(children, address, rootBus);
            }
        }
    }

    private static PcieType ParsePcieType(JsonElement element)
    {
        JsonElement type = Get(element, "pcie_type");
        if (type.ValueKind == JsonValueKind.Null)
        {
            return PcieType.Conventional;
        }

        int number = type.GetInt32();
        return number is >= 0 and <= 15 && Enum.IsDefined((PcieType)number)
            ? (PcieType)number
            : throw new FormatException($"{number} is no PCI Express device/port type");
    }

    private static AcsState ParseAcs(JsonElement element) => Get(element, "acs").GetBoolean()
        ? AcsState.Present((AcsControl)Hex(element, "acs_cap", 0xffff), (AcsControl)Hex(element, "acs_ctrl", 0xffff))
        : AcsState.Absent;

    private static P2pTracePair ParsePair(JsonElement pair)
    {
        if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() < 4)
        {
            throw new FormatException($"a pair is [provider, client, distance, map_type, dma, registered], not {pair.GetRawText()}");
        }

        string mapText = pair[3].GetString() ?? "null";
        P2PdmaMapType mapType = mapText switch
        {
            "bus_addr" => P2PdmaMapType.BusAddr,
            "thru_host_bridge" => P2PdmaMapType.ThruHostBridge,
            "not_supported" => P2PdmaMapType.NotSupported,
            _ => throw new FormatException($"'{mapText}' is no map type (bus_addr, thru_host_bridge, not_supported)"),
        };
        string? dma = pair.GetArrayLength() > 4 ? pair[4].GetString() : null;
        if (dma is not (null or "bus" or "phys" or "err-121"))
        {
            throw new FormatException($"'{dma}' is no result of mapping a page (bus, phys, err-121 or null)");
        }

        return new P2pTracePair(Address(pair[0]), Address(pair[1]), pair[2].GetInt32(), mapType, dma);
    }

    private static JsonElement Get(JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out JsonElement value)
            ? value
            : throw new FormatException($"the property \"{property}\" of a recorded case is missing");

    private static string Text(JsonElement element, string property) =>
        Get(element, property).GetString() ?? throw new FormatException($"the property \"{property}\" is null");

    private static PciAddress Address(JsonElement element) => PciAddress.Parse(element.GetString() ?? "null");

    private static int Hex(JsonElement element, string property, int max)
    {
        string text = Text(element, property);
        return int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && value >= 0 && value <= max
            ? value
            : throw new FormatException($"the property \"{property}\" is hexadecimal, 0 to {max:x}, not '{text}'");
    }
}
