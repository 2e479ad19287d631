using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using HmmFast.Simulation.Machines.Readers;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>Writes a description as the project's own JSON, which reads back as the same description. Unknown facts are left out.</summary>
public static class MachineJsonWriter
{
    /// <summary>The text of a description.</summary>
    /// <param name="machine">The machine.</param>
    /// <returns>Indented JSON in UTF-8, without a byte order mark.</returns>
    public static byte[] Write(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("format", MachineJsonReader.FormatName);
            json.WriteNumber("version", MachineJsonReader.Version);
            Text(json, "name", machine.Name);
            if (machine.HostBridges.Any(static bridge => bridge.FirstDevice is null))
            {
                json.WriteBoolean("listsEveryFunction", false);
            }

            WriteCpu(json, machine.Cpu);
            Array(json, "hostBridges", machine.HostBridges, WriteHostBridge);
            Array(json, "functions", machine.Functions, WriteFunction);
            Array(json, "devices", machine.Devices, WriteDevice);
            Array(json, "links", machine.Links, WriteLink);
            Array(json, "relations", machine.Relations, WriteRelation);
            if (machine.Remarks.Count > 0)
            {
                json.WriteStartArray("remarks");
                foreach (string remark in machine.Remarks)
                {
                    json.WriteStringValue(remark);
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        bytes.WriteByte((byte)'\n');
        return bytes.ToArray();
    }

    private static void WriteCpu(Utf8JsonWriter json, CpuDescription? cpu)
    {
        if (cpu is not null)
        {
            json.WriteStartObject("cpu");
            Text(json, "vendor", cpu.Vendor);
            Number(json, "family", cpu.Family);
            Number(json, "model", cpu.Model);
            Text(json, "name", cpu.Name);
            json.WriteEndObject();
        }
    }

    private static void WriteHostBridge(Utf8JsonWriter json, HostBridgeDescription bridge)
    {
        Text(json, "rootBus", bridge.RootBus.ToString());
        Text(json, "firstDevice", bridge.FirstDevice?.ToString());
        Number(json, "numaNode", bridge.NumaNode);
    }

    private static void WriteFunction(Utf8JsonWriter json, PciFunctionDescription function)
    {
        Text(json, "address", function.Address.ToString());
        Text(json, "kind", Camel(function.Kind));
        bool hasPlace = function.Parent is not null || (function.RootBus is not null && function.HiddenBridgesAbove == 0);
        Text(json, "parent", hasPlace ? function.Parent?.ToString() : MachineJsonReader.Unknown);
        if (function.HiddenBridgesAbove != 0)
        {
            if (function.HiddenBridgesAbove is int hidden)
            {
                json.WriteNumber("hiddenBridgesAbove", hidden);
            }
            else
            {
                json.WriteString("hiddenBridgesAbove", MachineJsonReader.Unknown);
            }
        }

        Text(json, "rootBus", function.RootBus?.ToString());
        Hex(json, "vendorId", function.VendorId, 4);
        Hex(json, "deviceId", function.DeviceId, 4);
        Hex(json, "classCode", function.ClassCode, 4);
        Hex(json, "programmingInterface", function.ProgrammingInterface, 2);
        Hex(json, "revision", function.Revision, 2);
        Hex(json, "subsystemVendorId", function.SubsystemVendorId, 4);
        Hex(json, "subsystemDeviceId", function.SubsystemDeviceId, 4);
        Text(json, "name", function.Name);
        Text(json, "driver", function.Driver);
        Bool(json, "isMultiFunction", function.IsMultiFunction);
        Bool(json, "isPcie", function.IsPcie);
        Number(json, "pcieType", function.PcieType);
        Hex(json, "secondaryBus", function.SecondaryBus, 2);
        Hex(json, "subordinateBus", function.SubordinateBus, 2);
        Text(json, "physicalFunction", function.PhysicalFunction?.ToString());
        WriteAcs(json, function.Acs);
        WritePcieLink(json, function.Link);
        Number(json, "numaNode", function.NumaNode);
        Number(json, "iommuGroup", function.IommuGroup);
        if (function.Bars is not null)
        {
            Array(json, "bars", function.Bars, WriteBar, always: true);
        }
    }

    private static void WriteAcs(Utf8JsonWriter json, AcsDescription acs)
    {
        if (acs.IsPresent == false)
        {
            json.WriteString("acs", "none");
        }
        else if (acs.IsPresent == true)
        {
            json.WriteStartObject("acs");
            Hex(json, "capability", acs.Capability, 4);
            Hex(json, "control", acs.Control, 4);
            json.WriteEndObject();
        }
        else if (acs.Control is not null)
        {
            json.WriteStartObject("acs");
            json.WriteString("isPresent", MachineJsonReader.Unknown);
            Hex(json, "control", acs.Control, 4);
            json.WriteEndObject();
        }
    }

    private static void WritePcieLink(Utf8JsonWriter json, PcieLinkDescription? link)
    {
        if (link is not null)
        {
            json.WriteStartObject("link");
            Real(json, "speedGigatransfers", link.SpeedGigatransfers);
            Number(json, "width", link.Width);
            Real(json, "maxSpeedGigatransfers", link.MaxSpeedGigatransfers);
            Number(json, "maxWidth", link.MaxWidth);
            Real(json, "bandwidthGigabytesPerSecond", link.BandwidthGigabytesPerSecond);
            json.WriteEndObject();
        }
    }

    private static void WriteBar(Utf8JsonWriter json, BarDescription bar)
    {
        json.WriteNumber("index", bar.Index);
        Hex(json, "start", bar.Start, 8);
        Hex(json, "sizeBytes", bar.SizeBytes, 1);
        Flag(json, "isIo", bar.IsIo);
        Flag(json, "is64Bit", bar.Is64Bit);
        Flag(json, "isPrefetchable", bar.IsPrefetchable);
    }

    private static void WriteDevice(Utf8JsonWriter json, MachineDeviceDescription device)
    {
        Text(json, "name", device.Name);
        Text(json, "kind", Camel(device.Kind));
        Text(json, "address", device.Address?.ToString());
        Text(json, "alias", device.Alias);
        Number(json, "numaNode", device.NumaNode);
    }

    private static void WriteLink(Utf8JsonWriter json, PrivateLinkDescription link)
    {
        Text(json, "from", link.From);
        Text(json, "to", link.To);
        Text(json, "kind", Camel(link.Kind));
        Number(json, "linkCount", link.LinkCount);
        Real(json, "bandwidthMegabytesPerSecond", link.BandwidthMegabytesPerSecond);
        Real(json, "latencyNs", link.LatencyNs);
        Bool(json, "isLive", link.IsLive);
        Number(json, "weight", link.Weight);
    }

    private static void WriteRelation(Utf8JsonWriter json, DeviceRelationDescription relation)
    {
        Text(json, "from", relation.From);
        Text(json, "to", relation.To);
        Text(json, "class", Camel(relation.Class));
        Number(json, "linkCount", relation.LinkCount);
    }

    private static void Array<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write, bool always = false)
    {
        if (items.Count == 0 && !always)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (T item in items)
        {
            json.WriteStartObject();
            write(json, item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Camel<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Hex(Utf8JsonWriter json, string name, ulong? value, int digits) =>
        Text(json, name, value?.ToString($"x{digits}", CultureInfo.InvariantCulture));

    private static void Number(Utf8JsonWriter json, string name, int? value)
    {
        if (value is int number)
        {
            json.WriteNumber(name, number);
        }
    }

    private static void Real(Utf8JsonWriter json, string name, double? value)
    {
        if (value is double number)
        {
            json.WriteNumber(name, number);
        }
    }

    private static void Bool(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is bool flag)
        {
            json.WriteBoolean(name, flag);
        }
    }

    private static void Flag(Utf8JsonWriter json, string name, bool value)
    {
        if (value)
        {
            json.WriteBoolean(name, true);
        }
    }
}
