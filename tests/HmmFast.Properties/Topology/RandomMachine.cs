using HmmFast.Topology;

namespace HmmFast.Properties.Topology;

/// <summary>A random machine: host bridges with trees of switches, bridges, endpoints and virtual functions, and random ACS bits.</summary>
public sealed class RandomMachine
{
    private static readonly int[] ListedDevices = [0x3c00, 0x3c01, 0x2f00, 0x2f01, 0x2030, 0x2031, 0x2032, 0x2033, 0x2020, 0x09a2];

    private static readonly CpuIdentity[] Processors =
    [
        new("GenuineIntel", 6, 85), new("GenuineIntel", 0x19), new("AuthenticAMD", 0x17), new("AuthenticAMD", 0x16),
        new("AuthenticAMD", 0x1a), new("HygonGenuine", 0x18), new("GenuineIntel", 6), new("GenuineIntel", 6), new("GenuineIntel", 6),
    ];

    private readonly Random _random;
    private readonly List<PciFunctionSpec> _functions = [];
    private readonly List<PciHostBridgeSpec> _hostBridges = [];
    private readonly int _redirectShare;
    private readonly int _unknownShare;
    private readonly int _hiddenShare;
    private readonly int _maxFunctions;
    private int _nextBus;

    private RandomMachine(int seed, int maxFunctions)
    {
        Seed = seed;
        _random = new Random(seed);
        _maxFunctions = maxFunctions;

        // Each machine has its own weights, so that some have no redirect at all and some nothing else.
        _redirectShare = _random.Next(5) switch { 0 => 0, 1 => 3, 2 => 10, 3 => 30, _ => 70 };
        _unknownShare = _random.Next(3) == 0 ? 20 : 0;
        _hiddenShare = _random.Next(4) == 0 ? 15 : 0;
        Cpu = _random.Next(8) == 0 ? null : Processors[_random.Next(Processors.Length)];
    }

    /// <summary>The seed that makes this machine again.</summary>
    public int Seed { get; }

    /// <summary>The processor.</summary>
    public CpuIdentity? Cpu { get; }

    /// <summary>The host bridges.</summary>
    public IReadOnlyList<PciHostBridgeSpec> HostBridges => _hostBridges;

    /// <summary>The functions.</summary>
    public IReadOnlyList<PciFunctionSpec> Functions => _functions;

    /// <summary>Makes a machine.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="maxFunctions">About how many functions at most.</param>
    /// <returns>The machine.</returns>
    public static RandomMachine Make(int seed, int maxFunctions = 60)
    {
        var machine = new RandomMachine(seed, maxFunctions);
        int hostBridges = 1 + machine._random.Next(3);
        for (int h = 0; h < hostBridges; h++)
        {
            machine.AddHostBridge(h);
        }

        return machine;
    }

    /// <summary>Builds it with the functions in a random order.</summary>
    /// <returns>The machine as the engine holds it.</returns>
    public PciTopology Build()
    {
        var builder = new PciTopologyBuilder { Cpu = Cpu };
        PciFunctionSpec[] shuffled = [.. _functions];
        new Random(Seed).Shuffle(shuffled);
        foreach (PciFunctionSpec function in shuffled)
        {
            builder.AddFunction(function);
        }

        foreach (PciHostBridgeSpec hostBridge in _hostBridges)
        {
            builder.AddHostBridge(hostBridge);
        }

        return builder.Build();
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private void AddHostBridge(int number)
    {
        uint domain = Chance(15) ? 0x10000u + (uint)number : 0;
        var rootBus = new PciBusAddress(domain, (byte)(domain == 0 ? number : 0));
        int before = _functions.Count;
        (ushort vendor, ushort device) = RandomIds();
        bool hasZero = Chance(75);
        if (hasZero)
        {
            Add(At(rootBus, 0, 0), null, rootBus, isBridge: false, PcieType.Conventional, vendor, device);
        }

        if (!hasZero && Chance(30))
        {
            // A first device at device 0 that is not function 0 does not speak either.
            Add(At(rootBus, 0, 1 + _random.Next(7)), null, rootBus, isBridge: false, PcieType.Conventional, vendor, device);
        }

        int slot = 1 + _random.Next(3);
        int slots = 1 + _random.Next(4);
        for (int i = 0; i < slots; i++, slot += 1 + _random.Next(3))
        {
            AddSlot(rootBus, slot, null, rootBus, 0, isFirst: i == 0 && !hasZero, vendor, device);
        }

        // The kernel's list is in the order of its scan, so the first device need not be the lowest.
        PciFunctionSpec[] onRootBus = [.. _functions.Skip(before).Where(function => function.Parent is null && function.PhysicalFunction is null)];
        _hostBridges.Add(new PciHostBridgeSpec
        {
            RootBus = rootBus,
            FirstDevice = Chance(30) ? onRootBus[_random.Next(onRootBus.Length)].Address : null,
            IsComplete = !Chance(_unknownShare),
        });
    }

    /// <summary>Listed ids, ids one off, the right device of another vendor, or any.</summary>
    private (ushort Vendor, ushort Device) RandomIds()
    {
        int listed = ListedDevices[_random.Next(ListedDevices.Length)];
        return _random.Next(9) switch
        {
            0 => (0x1022, (ushort)listed),
            1 => (0x8086, (ushort)(listed + 7)),
            2 => (0x8086, 0x29c0),
            _ => (0x8086, (ushort)listed),
        };
    }

    /// <summary>One slot of a bus: an endpoint of one to three functions, a physical function with virtual ones, or a bridge with a bus below.</summary>
    private void AddSlot(PciBusAddress bus, int slot, PciAddress? parent, PciBusAddress rootBus, int depth, bool isFirst, ushort vendor, ushort device)
    {
        ushort ownVendor = isFirst ? vendor : (ushort)0x1b36;
        ushort ownDevice = isFirst ? device : (ushort)_random.Next(0x10000);
        bool mayNest = depth < 7 && _functions.Count < _maxFunctions && _nextBus < 200;
        if (mayNest && Chance(depth == 0 ? 80 : 55))
        {
            PcieType type = depth == 0
                ? (Chance(80) ? PcieType.RootPort : PcieType.Conventional)
                : (_random.Next(5) switch { 0 => PcieType.PcieToPciBridge, 1 => PcieType.Conventional, 2 => PcieType.SwitchUpstream, _ => PcieType.SwitchDownstream });
            PciAddress bridge = At(bus, slot, 0);
            Add(bridge, parent, rootBus, isBridge: true, type, ownVendor, ownDevice);
            var below = new PciBusAddress(rootBus.Domain, (byte)(40 + _nextBus++));
            int children = Chance(10) ? 0 : 1 + _random.Next(3);
            for (int child = 0; child < children; child++)
            {
                AddSlot(below, child, bridge, rootBus, depth + 1, isFirst: false, 0, 0);
            }

            return;
        }

        PciAddress first = At(bus, slot, 0);
        Add(first, parent, rootBus, isBridge: false, PcieType.Endpoint, ownVendor, ownDevice);
        int more = Chance(30) ? 1 + _random.Next(2) : 0;
        bool areVirtual = more > 0 && Chance(50);

        // Virtual functions may lie on a bus of their own, which no bridge leads to.
        PciBusAddress moreBus = areVirtual && Chance(50) && _nextBus < 200 ? new PciBusAddress(rootBus.Domain, (byte)(40 + _nextBus++)) : bus;
        for (int function = 1; function <= more; function++)
        {
            Add(At(moreBus, slot, function), areVirtual ? null : parent, rootBus, isBridge: false, PcieType.Endpoint, 0x1b36, 0x10, areVirtual ? first : null);
        }
    }

    private static PciAddress At(PciBusAddress bus, int device, int function) => new(bus.Domain, bus.Bus, device, function);

    private void Add(
        PciAddress address,
        PciAddress? parent,
        PciBusAddress rootBus,
        bool isBridge,
        PcieType type,
        ushort vendor,
        ushort device,
        PciAddress? physical = null)
    {
        bool isHidden = parent is not null && physical is null && Chance(_hiddenShare);
        _functions.Add(new PciFunctionSpec
        {
            Address = address,
            Parent = parent,
            RootBus = physical is null ? rootBus : null,
            HiddenBridgesAbove = !isHidden ? 0 : Chance(50) ? 1 + _random.Next(2) : null,
            PhysicalFunction = physical,
            Vendor = Chance(_unknownShare / 4) ? null : vendor,
            Device = device,
            PcieType = Chance(_unknownShare / 4) ? PcieType.Unknown : type,
            IsBridge = isBridge,
            Acs = RandomAcs(),
        });
    }

    private AcsState RandomAcs()
    {
        if (Chance(_unknownShare))
        {
            return AcsState.Unknown;
        }

        if (Chance(40))
        {
            return AcsState.Absent;
        }

        AcsControl control = AcsControl.None;
        if (Chance(50))
        {
            control = (AcsControl)_random.Next(0x80) & ~AcsControl.Redirecting;
        }

        if (Chance(_redirectShare))
        {
            control |= (AcsControl)(1 << new[] { 2, 3, 5 }[_random.Next(3)]);
        }

        return AcsState.Present((AcsControl)0x7f, control);
    }
}
