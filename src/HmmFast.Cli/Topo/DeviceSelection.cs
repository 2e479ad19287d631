using HmmFast.Simulation.Machines;
using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>Chooses the functions that a matrix is about and gives them short names.</summary>
public static class DeviceSelection
{
    /// <summary>The most devices that a matrix is drawn for.</summary>
    public const int MaxDevices = 512;

    // A machine with no more endpoints than this is shown whole.
    private const int FewEndpoints = 12;

    private static readonly string[] Kinds = ["GPU", "NIC", "NVMe", "ACC", "VGA", "DEV"];

    /// <summary>Chooses devices.</summary>
    /// <param name="topology">The machine.</param>
    /// <param name="machine">What was read, for names that classes do not give; null: none.</param>
    /// <param name="wanted">
    /// Null: GPUs, NICs, NVMe drives and accelerators, or every endpoint where there are few of either; <c>all</c>: every endpoint;
    /// else kinds and addresses, with commas between.
    /// </param>
    /// <param name="rule">Functions of one card with equal answers are folded into one device; null: nothing is folded.</param>
    /// <returns>The devices, in the order of the tree.</returns>
    /// <exception cref="UsageException">A word is neither a kind nor the address of a function.</exception>
    public static IReadOnlyList<TopoDevice> Choose(PciTopology topology, MachineDescription? machine, string? wanted, P2PdmaDistance? rule)
    {
        string[] kinds = new string[topology.Count];
        for (int i = 0; i < kinds.Length; i++)
        {
            kinds[i] = KindOf(topology, machine, i);
        }

        List<int> chosen = Chosen(topology, kinds, wanted);

        // A matrix of one row would say nothing: the functions of the only card stay apart.
        bool mayFold = rule is not null && chosen.Exists(function => !IsSameCard(topology, chosen[0], function));
        var devices = new List<TopoDevice>();
        var numbers = new Dictionary<string, int>();
        foreach (int function in chosen)
        {
            if (devices.Count > 0 && mayFold && IsSameCard(topology, devices[^1].Index, function) && AnswersAlike(rule!, devices[^1].Index, function, chosen))
            {
                devices[^1] = devices[^1] with { FunctionCount = devices[^1].FunctionCount + 1 };
                continue;
            }

            int number = numbers.GetValueOrDefault(kinds[function]);
            numbers[kinds[function]] = number + 1;
            devices.Add(new TopoDevice($"{kinds[function]}{number}", kinds[function], function, topology.Addresses[function], 1));
        }

        return devices;
    }

    private static List<int> Chosen(PciTopology topology, string[] kinds, string? wanted)
    {
        if (wanted is null)
        {
            List<int> usual = Where(kinds, static kind => kind is "GPU" or "NIC" or "NVMe" or "ACC");
            List<int> every = Where(kinds, static kind => kind.Length > 0);
            return usual.Count >= 2 && every.Count > FewEndpoints ? usual : every;
        }

        if (wanted == "all")
        {
            return Where(kinds, static kind => kind.Length > 0);
        }

        var chosen = new SortedSet<int>();
        foreach (string word in wanted.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string? kind = Array.Find(Kinds, kind => string.Equals(kind, word, StringComparison.OrdinalIgnoreCase));
            if (kind is not null)
            {
                chosen.UnionWith(Where(kinds, of => of == kind));
            }
            else if (PciAddress.TryParse(word, out PciAddress address) && topology.TryFind(address, out int index))
            {
                kinds[index] = kinds[index].Length == 0 ? "DEV" : kinds[index];
                chosen.Add(index);
            }
            else
            {
                throw new UsageException($"--devices: '{word}' is neither a kind ({string.Join(", ", Kinds)}, all) nor the address of a function of this machine");
            }
        }

        return [.. chosen];
    }

    private static List<int> Where(string[] kinds, Predicate<string> isWanted)
    {
        var found = new List<int>();
        for (int i = 0; i < kinds.Length; i++)
        {
            if (isWanted(kinds[i]))
            {
                found.Add(i);
            }
        }

        return found;
    }

    private static bool IsSameCard(PciTopology topology, int a, int b) =>
        topology.Addresses[a].BusAddress == topology.Addresses[b].BusAddress
        && topology.Addresses[a].Device == topology.Addresses[b].Device
        && topology.Parents[a] == topology.Parents[b];

    /// <summary>Whether two functions of a card have equal answers for every other device, so that one row stands for both.</summary>
    private static bool AnswersAlike(P2PdmaDistance rule, int a, int b, List<int> others)
    {
        if (rule.Topology.Acs[a] != rule.Topology.Acs[b])
        {
            return false;
        }

        foreach (int other in others)
        {
            if (other != a && other != b && rule.Answer(a, other) != rule.Answer(b, other))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A function's kind, or empty for bridges and what belongs to the chipset.</summary>
    private static string KindOf(PciTopology topology, MachineDescription? machine, int function)
    {
        if (topology.IsBridge[function])
        {
            return "";
        }

        int classCode = topology.ClassCodes[function];
        string name = topology.Names[function] ?? "";
        if (classCode < 0)
        {
            return KindByName(machine, topology.Addresses[function], name);
        }

        // Boards have a graphics chip for their management console; it is no GPU that anyone asks about.
        bool isConsole = name.Contains("Matrox", StringComparison.Ordinal) || name.Contains("ASPEED", StringComparison.Ordinal)
            || topology.Vendors[function] is 0x102b or 0x1a03;
        return (classCode >> 8) switch
        {
            0x0300 or 0x0302 or 0x0380 => isConsole ? "VGA" : "GPU",
            >= 0x0200 and <= 0x02ff => "NIC",
            0x0108 => "NVMe",
            >= 0x1200 and <= 0x12ff => "ACC",
            0x0600 or 0x0c05 => "",
            _ => "DEV",
        };
    }

    private static string KindByName(MachineDescription? machine, PciAddress address, string name)
    {
        foreach (MachineDeviceDescription device in machine?.Devices ?? [])
        {
            if (device.Address == address)
            {
                return device.Kind switch { MachineDeviceKind.Gpu => "GPU", MachineDeviceKind.Nic => "NIC", _ => "DEV" };
            }
        }

        return name.Contains("NVMe", StringComparison.Ordinal) ? "NVMe"
            : name.Contains("ConnectX", StringComparison.Ordinal) || name.Contains("Ethernet", StringComparison.Ordinal) ? "NIC"
            : "DEV";
    }
}
