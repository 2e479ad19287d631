using System.Globalization;

namespace HmmFast.Topology;

/// <summary>
/// A kernel's list of host bridges that pass peer traffic, as data: name, the kernel version it holds for, where it is known from,
/// the processors that need no line, and the lines.
/// </summary>
public sealed class HostBridgeList
{
    private readonly HostBridgeListEntry[] _entries;
    private readonly HostBridgeCpuRule[] _cpuRules;

    /// <summary>Makes a list.</summary>
    /// <param name="name">The name it is chosen by.</param>
    /// <param name="kernelVersion">The kernel version it holds for.</param>
    /// <param name="evidence">Where the list is known from, one sentence.</param>
    /// <param name="cpuRules">Processors whose host bridges all pass peer traffic.</param>
    /// <param name="entries">The lines, in order; the first that fits decides.</param>
    /// <exception cref="ArgumentException">The name is empty, or two lines have one pair of ids.</exception>
    public HostBridgeList(
        string name,
        string kernelVersion,
        string evidence,
        ReadOnlySpan<HostBridgeCpuRule> cpuRules,
        ReadOnlySpan<HostBridgeListEntry> entries)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        KernelVersion = kernelVersion;
        Evidence = evidence;
        _cpuRules = cpuRules.ToArray();
        _entries = entries.ToArray();
        for (int i = 0; i < entries.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (entries[i].Vendor == entries[j].Vendor && entries[i].Device == entries[j].Device)
                {
                    throw new ArgumentException(
                        $"host bridge list '{name}': line {i + 1} repeats the ids {entries[i].Vendor:x4}:{entries[i].Device:x4} of line {j + 1}",
                        nameof(entries));
                }
            }
        }
    }

    /// <summary>
    /// Linux 6.12's list: ten Intel lines, four of them for one host bridge only, and AMD from family 17h (not Hygon).
    /// A real 6.12 kernel's answers for 69,262 pairs agree with it (p2p.jsonl.gz and extra.jsonl.gz of the topology tests).
    /// </summary>
    public static HostBridgeList Linux612 { get; } = new(
        "linux-6.12",
        "6.12",
        "agrees with a recorded 6.12.117 kernel on every recorded pair",
        [new HostBridgeCpuRule("AuthenticAMD", 0x17)],
        [
            new HostBridgeListEntry(0x8086, 0x3c00, true),
            new HostBridgeListEntry(0x8086, 0x3c01, true),
            new HostBridgeListEntry(0x8086, 0x2f00, true),
            new HostBridgeListEntry(0x8086, 0x2f01, true),
            new HostBridgeListEntry(0x8086, 0x2030, false),
            new HostBridgeListEntry(0x8086, 0x2031, false),
            new HostBridgeListEntry(0x8086, 0x2032, false),
            new HostBridgeListEntry(0x8086, 0x2033, false),
            new HostBridgeListEntry(0x8086, 0x2020, false),
            new HostBridgeListEntry(0x8086, 0x09a2, false),
        ]);

    /// <summary>No line and no processor rule: what is left is what stays below one bridge.</summary>
    public static HostBridgeList Empty { get; } = new("none", "any", "a kernel that lets nothing through a host bridge", [], []);

    /// <summary>The lists that are built in, the default first.</summary>
    public static IReadOnlyList<HostBridgeList> BuiltIn { get; } = [Linux612, Empty];

    /// <summary>The name the list is chosen by.</summary>
    public string Name { get; }

    /// <summary>The kernel version the list holds for.</summary>
    public string KernelVersion { get; }

    /// <summary>Where the list is known from.</summary>
    public string Evidence { get; }

    /// <summary>The lines, in order.</summary>
    public ReadOnlySpan<HostBridgeListEntry> Entries => _entries;

    /// <summary>Processors whose host bridges all pass peer traffic.</summary>
    public ReadOnlySpan<HostBridgeCpuRule> CpuRules => _cpuRules;

    /// <summary>
    /// Finds a built-in list by name, with lines added after commas: <c>linux-6.12</c>, or
    /// <c>linux-6.12,8086:6f00:same,1022:1480</c> for a kernel patched by hand.
    /// </summary>
    /// <param name="text">Name and added lines.</param>
    /// <returns>The list.</returns>
    /// <exception cref="FormatException">No such list (the message names those there are), or an added line is not vendor:device[:same].</exception>
    public static HostBridgeList Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',');
        HostBridgeList? found = null;
        foreach (HostBridgeList list in BuiltIn)
        {
            if (string.Equals(list.Name, parts[0], StringComparison.OrdinalIgnoreCase))
            {
                found = list;
            }
        }

        if (found is null)
        {
            throw new FormatException(
                $"there is no host bridge list '{parts[0]}'; built in are {string.Join(", ", BuiltIn.Select(list => list.Name))}");
        }

        if (parts.Length == 1)
        {
            return found;
        }

        List<HostBridgeListEntry> entries = [.. found._entries];
        for (int i = 1; i < parts.Length; i++)
        {
            entries.Add(ParseLine(parts[i]));
        }

        try
        {
            return new HostBridgeList(
                text,
                found.KernelVersion + " with added lines",
                found.Evidence + "; the added lines are the caller's",
                found._cpuRules,
                entries.ToArray());
        }
        catch (ArgumentException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>The line that carries a pair of ids. Cost: one comparison a line.</summary>
    /// <param name="vendor">PCI vendor id.</param>
    /// <param name="device">PCI device id.</param>
    /// <returns>The line's index in <see cref="Entries"/>, or -1.</returns>
    public int IndexOf(ushort vendor, ushort device)
    {
        for (int i = 0; i < _entries.Length; i++)
        {
            if (_entries[i].Vendor == vendor && _entries[i].Device == device)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The processor rule that covers a processor.</summary>
    /// <param name="cpu">The processor.</param>
    /// <returns>The rule's index in <see cref="CpuRules"/>, or -1.</returns>
    public int IndexOfCpuRule(CpuIdentity cpu)
    {
        for (int i = 0; i < _cpuRules.Length; i++)
        {
            if (_cpuRules[i].Covers(cpu))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The list's name and kernel version.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{Name} (kernel {KernelVersion})";

    private static HostBridgeListEntry ParseLine(string text)
    {
        string[] parts = text.Split(':');
        bool isSame = parts.Length == 3 && string.Equals(parts[2], "same", StringComparison.OrdinalIgnoreCase);
        if ((parts.Length != 2 && !isSame)
            || !ushort.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort vendor)
            || !ushort.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort device))
        {
            throw new FormatException($"'{text}' is not a line of a host bridge list (vendor:device or vendor:device:same, hexadecimal)");
        }

        return new HostBridgeListEntry(vendor, device, isSame);
    }
}
