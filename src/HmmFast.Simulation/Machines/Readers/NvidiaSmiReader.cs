using System.Text;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Reads the matrix of <c>nvidia-smi topo -m</c>: classes of distance between GPUs and NICs, and which NIC is which.</summary>
internal static class NvidiaSmiReader
{
    private const int MaxDevices = 1024;

    /// <summary>Whether a line is the matrix's head: device names only, then perhaps the affinity columns.</summary>
    public static bool IsHead(string line)
    {
        string[] words = Words(line);
        return words.Length > 0 && IsDeviceName(words[0]) && (words.Length == 1 || IsDeviceName(words[1]) || words[1] == "CPU");
    }

    /// <summary>Reads the lines from <paramref name="first"/> up to <paramref name="end"/> (from 0) into a machine.</summary>
    public static void ReadInto(MachineDraft machine, SourceText text, int first, int end)
    {
        int head = first;
        while (head < end && !IsHead(text.Lines[head]))
        {
            head++;
        }

        if (head == end)
        {
            throw text.Error(first + 1, null, "no head line with GPU0 and the other devices of the matrix");
        }

        string[] columns = [.. Words(text.Lines[head]).TakeWhile(static word => word is not ("CPU" or "NUMA" or "GPU"))];
        if (columns.Length > MaxDevices)
        {
            throw text.Error(head + 1, null, $"{columns.Length} devices; at most {MaxDevices} are read");
        }

        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        int line = head + 1;
        for (; line < end; line++)
        {
            string[] words = Words(text.Lines[line]);
            if (words.Length > 0 && words[0] == "Legend:")
            {
                break;
            }

            if (words.Length > 0)
            {
                ReadRow(machine, text, line + 1, columns, words, rows);
            }
        }

        foreach (string column in columns)
        {
            if (!rows.ContainsKey(column))
            {
                throw text.Error(line, column, "the matrix has a column for this device and no row: the text is cut short");
            }
        }

        ReadLegend(machine, text, line, end);
        RemarkAsymmetry(machine);
    }

    /// <summary>Reads the table of plain <c>nvidia-smi</c> for the GPUs' addresses.</summary>
    public static void ReadTable(MachineDraft machine, SourceText text, int first, int end)
    {
        for (int i = first; i < end; i++)
        {
            string[] cells = text.Lines[i].Split('|');
            if (cells.Length < 4)
            {
                continue;
            }

            string[] left = Words(cells[1]);
            string[] middle = Words(cells[2]);
            if (left.Length > 1 && Numbers.TryInt(left[0], out int index) && middle.Length > 0 && middle[0].Length >= 12
                && PciAddress.TryParse(middle[0], out PciAddress address))
            {
                int at = machine.Devices.FindIndex(device => device.Name == $"GPU{index}");
                if (at >= 0)
                {
                    machine.Devices[at] = machine.Devices[at] with { Address = address };
                }
                else
                {
                    machine.AddDevice(new() { Name = $"GPU{index}", Kind = MachineDeviceKind.Gpu, Address = address });
                }
            }
        }
    }

    private static void ReadRow(MachineDraft machine, SourceText text, int line, string[] columns, string[] words, Dictionary<string, int> rows)
    {
        string name = words[0];
        if (!columns.Contains(name))
        {
            throw text.Error(line, name, "a row for a device that has no column");
        }

        if (!rows.TryAdd(name, line))
        {
            throw text.Error(line, name, $"a second row for this device, the first is on line {rows[name]}");
        }

        if (words.Length < columns.Length + 1)
        {
            throw text.Error(line, words[^1], $"{columns.Length} classes expected in the row of {name}, {words.Length - 1} found");
        }

        for (int i = 0; i < columns.Length; i++)
        {
            (RelationClass kind, int? count) = Class(words[i + 1], text, line);
            if ((kind == RelationClass.Self) != (columns[i] == name))
            {
                throw text.Error(line, words[i + 1], $"X belongs where {name} meets itself and nowhere else");
            }

            if (kind != RelationClass.Self)
            {
                machine.Relations.Add(new() { From = name, To = columns[i], Class = kind, LinkCount = count });
            }

            if (kind == RelationClass.NvLink)
            {
                machine.Links.Add(new() { From = name, To = columns[i], Kind = LinkKind.NvLink, LinkCount = count });
            }
        }

        int? numa = words.Length > columns.Length + 2 && Numbers.TryInt(words[columns.Length + 2], out int node) ? node : null;
        machine.AddDevice(new()
        {
            Name = name,
            Kind = name.StartsWith("GPU", StringComparison.Ordinal) ? MachineDeviceKind.Gpu : MachineDeviceKind.Nic,
            NumaNode = numa,
        });
    }

    private static (RelationClass Class, int? Count) Class(string word, SourceText text, int line) => word switch
    {
        "X" => (RelationClass.Self, null),
        "PIX" => (RelationClass.Pix, null),
        "PXB" => (RelationClass.Pxb, null),
        "PHB" => (RelationClass.Phb, null),
        "NODE" => (RelationClass.Node, null),
        "SYS" or "SOC" => (RelationClass.Sys, null),
        _ when word.StartsWith("NV", StringComparison.Ordinal) && Numbers.TryInt(word.AsSpan(2), out int count) && count is > 0 and <= 64
            => (RelationClass.NvLink, count),
        _ => throw text.Error(line, word, "unknown link type; X, PIX, PXB, PHB, NODE, SYS and NV1 to NV64 are known"),
    };

    private static void ReadLegend(MachineDraft machine, SourceText text, int first, int end)
    {
        for (int i = first; i < end; i++)
        {
            string[] words = Words(text.Lines[i]);
            int at = words.Length == 2 && words[0].EndsWith(':')
                ? machine.Devices.FindIndex(device => device.Name.AsSpan().SequenceEqual(words[0].AsSpan(0, words[0].Length - 1))) : -1;
            if (at >= 0)
            {
                machine.Devices[at] = machine.Devices[at] with { Alias = words[1] };
            }
        }
    }

    private static void RemarkAsymmetry(MachineDraft machine)
    {
        var byPair = new Dictionary<(string, string), DeviceRelationDescription>();
        foreach (DeviceRelationDescription relation in machine.Relations)
        {
            byPair[(relation.From, relation.To)] = relation;
            if (byPair.TryGetValue((relation.To, relation.From), out DeviceRelationDescription? back) && back.Class != relation.Class)
            {
                machine.Remarks.Add($"{relation.To} to {relation.From} is {back.Class}, and back {relation.Class}");
            }
        }
    }

    private static bool IsDeviceName(string word) =>
        word.Length > 3 && char.IsAsciiDigit(word[^1])
        && (word.StartsWith("GPU", StringComparison.Ordinal) || word.StartsWith("NIC", StringComparison.Ordinal)
            || word.StartsWith("mlx", StringComparison.Ordinal) || word.StartsWith("bnxt", StringComparison.Ordinal));

    // The tool underlines its head on a terminal; a copied text may have the escape sequences.
    private static string[] Words(string line)
    {
        if (line.Contains('\x1b', StringComparison.Ordinal))
        {
            var clean = new StringBuilder(line.Length);
            for (int i = 0; i < line.Length; i++)
            {
                if (line[i] == '\x1b')
                {
                    while (i < line.Length && !char.IsAsciiLetter(line[i]))
                    {
                        i++;
                    }
                }
                else
                {
                    clean.Append(line[i]);
                }
            }

            line = clean.ToString();
        }

        return line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
    }
}
