using System.Buffers.Binary;
using System.Formats.Tar;
using System.Globalization;
using System.Text;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>The machine of Samples/little.json as configuration spaces, and from them as lspci dumps and sysfs trees.</summary>
internal static class LittleMachine
{
    private static readonly Function[] Functions =
    [
        new("0000:00:00.0", "", 0x8086, 0x09A2, 0x0600, null, 0, 0, null, 0, 0),
        new("0000:00:01.0", "", 0x8086, 0x347A, 0x0604, 4, 1, 4, (0x5F, 0x1D), 4, 16),
        new("0000:01:00.0", "0000:00:01.0", 0x10B5, 0x9765, 0x0604, 5, 2, 4, null, 4, 16),
        new("0000:02:00.0", "0000:00:01.0/0000:01:00.0", 0x10B5, 0x9765, 0x0604, 6, 3, 3, (0x7F, 0), 4, 16),
        new("0000:02:01.0", "0000:00:01.0/0000:01:00.0", 0x10B5, 0x9765, 0x0604, 6, 4, 4, (0x7F, 0x20), 3, 8),
        new("0000:03:00.0", "0000:00:01.0/0000:01:00.0/0000:02:00.0", 0x10DE, 0x20B0, 0x0302, 0, 0, 0, null, 4, 16),
        new("0000:04:00.0", "0000:00:01.0/0000:01:00.0/0000:02:01.0", 0x15B3, 0x1021, 0x0200, 0, 0, 0, (0x44, 4), 3, 8) { HasVirtualFunction = true },
        new("0000:04:00.1", "0000:00:01.0/0000:01:00.0/0000:02:01.0", 0x15B3, 0x101E, 0x0200, 0, 0, 0, null, 0, 0) { IsVirtual = true },
    ];

    /// <summary>The text of <c>lspci -x</c>, <c>-xxx</c> or <c>-xxxx</c>, by the number of bytes.</summary>
    public static string Dump(int bytes, int count = 8)
    {
        var text = new StringBuilder();
        foreach (Function function in Functions.Take(count))
        {
            text.Append(CultureInfo.InvariantCulture, $"{function.Address} something: anything\n");
            byte[] config = Config(function);
            int length = Math.Min(bytes, function.PcieType is null ? 256 : 4096);
            for (int row = 0; row < length; row += 16)
            {
                text.Append(row.ToString("x2", CultureInfo.InvariantCulture)).Append(':');
                for (int i = 0; i < 16; i++)
                {
                    text.Append(' ').Append(config[row + i].ToString("x2", CultureInfo.InvariantCulture));
                }

                text.Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A copied /sys: functions nested below pci0000:00, links in bus/pci/devices, the processor in proc.</summary>
    public static Dictionary<string, object> SysfsFiles()
    {
        var files = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (Function function in Functions)
        {
            string place = function.Path.Length == 0 ? function.Address : $"{function.Path}/{function.Address}";
            AddAttributes(files, $"sys/devices/pci0000:00/{place}", function);
            files[$"sys/bus/pci/devices/{function.Address}"] = new Link($"../../../devices/pci0000:00/{place}");
        }

        files["proc/cpuinfo"] = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\nmodel name\t: Xeon of our own\n"u8.ToArray();
        return files;
    }

    /// <summary>A flat copy without links: bus numbers have to tell the parents. Configuration space as root or others read it.</summary>
    public static Dictionary<string, object> FlatFiles(int configBytes = 4096)
    {
        var files = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (Function function in Functions)
        {
            AddAttributes(files, $"copy/{function.Address}", function, configBytes);
        }

        return files;
    }

    /// <summary>Two GPUs joined by xGMI, each behind one processor, as kfd shows them.</summary>
    public static Dictionary<string, object> KfdFiles()
    {
        var files = new Dictionary<string, object>(StringComparer.Ordinal);
        void Add(string path, string text) => files[$"topology/nodes/{path}/properties"] = Encoding.ASCII.GetBytes(text);
        for (int node = 0; node < 4; node++)
        {
            bool isGpu = node > 1;
            Add($"{node}", $"cpu_cores_count {(isGpu ? 0 : 64)}\nsimd_count {(isGpu ? 416 : 0)}\nvendor_id {(isGpu ? 4098 : 0)}\n"
                + $"device_id {(isGpu ? 29711 : 0)}\nlocation_id {(isGpu ? (0x40 + node) << 8 : 0)}\ndomain {(isGpu ? 65536 : 0)}\nunique_id 18446744073709551615\n");
        }

        static string LinkText(int from, int to, int type, int bandwidth, int flags) =>
            $"type {type}\nnode_from {from}\nnode_to {to}\nweight 15\nmin_latency 0\nmax_latency 0\nmin_bandwidth 0\nmax_bandwidth {bandwidth}\nflags {flags}\n";
        Add("2/io_links/0", LinkText(2, 0, 2, 32000, 1));
        Add("2/io_links/1", LinkText(2, 3, 11, 50000, 1));
        Add("3/io_links/0", LinkText(3, 1, 2, 32000, 1));
        Add("3/io_links/1", LinkText(3, 2, 11, 50000, 0));
        Add("2/p2p_links/0", LinkText(2, 1, 2, 0, 3));
        return files;
    }

    /// <summary>Packs files (byte arrays and links) as an uncompressed tar file.</summary>
    public static byte[] Tar(IReadOnlyDictionary<string, object> files)
    {
        var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach ((string path, object content) in files)
            {
                TarEntryType type = content is Link ? TarEntryType.SymbolicLink : TarEntryType.RegularFile;
                var entry = new UstarTarEntry(type, path);
                if (content is Link link)
                {
                    entry.LinkName = link.Target;
                }
                else
                {
                    entry.DataStream = new MemoryStream((byte[])content);
                }

                writer.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    private static void AddAttributes(Dictionary<string, object> files, string folder, Function function, int configBytes = 4096)
    {
        void Text(string name, string text) => files[$"{folder}/{name}"] = Encoding.ASCII.GetBytes(text + "\n");
        Text("vendor", $"0x{function.Vendor:x4}");
        Text("device", $"0x{function.Device:x4}");
        Text("class", $"0x{function.Class:x4}00");
        Text("numa_node", "0");
        if (function.Secondary > 0)
        {
            Text("secondary_bus_number", $"{function.Secondary}");
            Text("subordinate_bus_number", $"{function.Subordinate}");
        }

        if (function.PcieType is not null)
        {
            Text("current_link_speed", function.Width == 0 ? "Unknown" : function.Speed == 4 ? "16.0 GT/s PCIe" : "8.0 GT/s PCIe");
            Text("current_link_width", $"{function.Width}");
        }

        int cfgSize = function.PcieType is null ? 256 : 4096;
        files[$"{folder}/config"] = Config(function)[..Math.Min(configBytes, cfgSize)];
        files[$"{folder}/iommu_group"] = new Link($"../../../kernel/iommu_groups/{Array.IndexOf(Functions, function)}");
        Text("resource", function.Class == 0x0302
            ? "0x00000000a0000000 0x00000000a0ffffff 0x0000000000040200\n0x0000020000000000 0x0000020fffffffff 0x000000000014220c"
            : "0x0000000000000000 0x0000000000000000 0x0000000000000000");
        if (function.IsVirtual)
        {
            files[$"{folder}/physfn"] = new Link("../0000:04:00.0");
        }
    }

    private static byte[] Config(Function function)
    {
        byte[] config = new byte[4096];
        bool isVirtual = function.IsVirtual;
        Word(config, 0x00, isVirtual ? 0xFFFF : function.Vendor);
        Word(config, 0x02, isVirtual ? 0xFFFF : function.Device);
        Word(config, 0x06, function.PcieType is null ? 0 : 0x10);
        Word(config, 0x0A, function.Class);
        config[0x0E] = (byte)(function.Secondary > 0 ? 1 : 0);
        if (function.Secondary > 0)
        {
            config[0x19] = function.Secondary;
            config[0x1A] = function.Subordinate;
        }

        if (function.PcieType is not byte type)
        {
            return config;
        }

        // A power management capability first, then PCIe; AER first, then ACS and SR-IOV.
        config[0x34] = 0x40;
        config[0x40] = 0x01;
        config[0x41] = 0x60;
        config[0x60] = 0x10;
        config[0x62] = (byte)(0x02 | (type << 4));
        Word(config, 0x6C, 0x0104);
        Word(config, 0x72, function.Speed | (function.Width << 4));
        Extended(config, 0x100, 0x0001, function.Acs is not null ? 0x148 : function.HasVirtualFunction ? 0x180 : 0);
        if (function.Acs is (int capability, int control))
        {
            Extended(config, 0x148, 0x000D, function.HasVirtualFunction ? 0x180 : 0);
            Word(config, 0x14C, capability);
            Word(config, 0x14E, control);
        }

        if (function.HasVirtualFunction)
        {
            Extended(config, 0x180, 0x0010, 0);
            Word(config, 0x188, 1);
            Word(config, 0x190, 1);
            Word(config, 0x194, 1);
            Word(config, 0x196, 1);
            Word(config, 0x19A, 0x101E);
        }

        return config;
    }

    private static void Extended(byte[] config, int at, int id, int next) =>
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(at), (uint)(id | 0x10000 | (next << 20)));

    private static void Word(byte[] config, int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(config.AsSpan(at), (ushort)value);

    /// <summary>A symbolic link in a tree of files.</summary>
    internal sealed record Link(string Target);

    private sealed record Function(string Address, string Path, int Vendor, int Device, int Class, byte? PcieType, byte Secondary,
        byte Subordinate, (int Capability, int Control)? Acs, int Speed, int Width)
    {
        public bool HasVirtualFunction { get; init; }

        public bool IsVirtual { get; init; }
    }
}
