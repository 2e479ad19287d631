using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>
/// A machine as a file (or the running system) describes it: the one model that every format is read into. Nothing is guessed: what
/// a format does not carry is <see langword="null"/> and counted in <see cref="Unknowns"/>.
/// </summary>
public sealed class MachineDescription
{
    private readonly Dictionary<PciAddress, PciFunctionDescription> _byAddress;

    /// <summary>Makes a description from parts that fit together (readers check them before).</summary>
    /// <param name="source">The file or folder that was read.</param>
    /// <param name="format">Its format.</param>
    /// <param name="functions">The functions, in any order, each address once.</param>
    /// <exception cref="ArgumentException">An address occurs twice.</exception>
    public MachineDescription(string source, MachineFormat format, IEnumerable<PciFunctionDescription> functions)
    {
        Source = source;
        Format = format;
        PciFunctionDescription[] sorted = [.. functions];
        Array.Sort(sorted, static (left, right) => left.Address.CompareTo(right.Address));
        _byAddress = new Dictionary<PciAddress, PciFunctionDescription>(sorted.Length);
        foreach (PciFunctionDescription function in sorted)
        {
            if (!_byAddress.TryAdd(function.Address, function))
            {
                throw new ArgumentException($"The address {function.Address} occurs twice.", nameof(functions));
            }
        }

        Functions = sorted;
    }

    /// <summary>The file or folder that was read.</summary>
    public string Source { get; }

    /// <summary>The format that it was read as.</summary>
    public MachineFormat Format { get; }

    /// <summary>A name for people; <see langword="null"/> = none.</summary>
    public string? Name { get; init; }

    /// <summary>The processor; <see langword="null"/> = unknown.</summary>
    public CpuDescription? Cpu { get; init; }

    /// <summary>The PCI functions in order of their addresses.</summary>
    public IReadOnlyList<PciFunctionDescription> Functions { get; }

    /// <summary>The host bridges in order of their root buses; empty where the format does not carry them.</summary>
    public IReadOnlyList<HostBridgeDescription> HostBridges { get; init; } = [];

    /// <summary>The devices that the format gives names, in its order.</summary>
    public IReadOnlyList<MachineDeviceDescription> Devices { get; init; } = [];

    /// <summary>The links between devices outside the PCI tree, in the file's order, each direction as the file lists it.</summary>
    public IReadOnlyList<PrivateLinkDescription> Links { get; init; } = [];

    /// <summary>Pairs of which only the class of their distance is known, in the file's order.</summary>
    public IReadOnlyList<DeviceRelationDescription> Relations { get; init; } = [];

    /// <summary>What is not known, by kind of fact, with counts and reasons.</summary>
    public IReadOnlyList<MachineUnknown> Unknowns { get; init; } = [];

    /// <summary>Things a reader noticed and read over: for people, in order of the file.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>The function at an address, or <see langword="null"/>.</summary>
    /// <param name="address">The address.</param>
    public PciFunctionDescription? Find(PciAddress address) => _byAddress.GetValueOrDefault(address);

    /// <summary>The same machine with a processor that was learned elsewhere (lspci does not carry it).</summary>
    /// <param name="cpu">The processor.</param>
    public MachineDescription WithCpu(CpuDescription cpu) => new(Source, Format, Functions)
    {
        Name = Name,
        Cpu = cpu,
        HostBridges = HostBridges,
        Devices = Devices,
        Links = Links,
        Relations = Relations,
        Unknowns = cpu.IsKnown ? [.. Unknowns.Where(unknown => unknown.Fact != MachineFact.Cpu)] : Unknowns,
        Remarks = Remarks,
    };
}
