using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Costs;
using HmmFast.Simulation.Machines;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <summary>A machine, memory spread over its devices, and what happens: what policies are compared on.</summary>
public sealed record PolicyScenario
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it was read from.</summary>
    public required string Source { get; init; }

    /// <summary>What it shows, in a sentence or two.</summary>
    public string Description { get; init; } = "";

    /// <summary>The machine.</summary>
    public required MachineDescription Machine { get; init; }

    /// <summary>The kernel's list of host bridges.</summary>
    public HostBridgeList HostBridges { get; init; } = HostBridgeList.Linux612;

    /// <summary>Its devices.</summary>
    public required IReadOnlyList<ScenarioDevice> Devices { get; init; }

    /// <summary>Private links, by device index.</summary>
    public IReadOnlyList<FabricLink> Links { get; init; } = [];

    /// <summary>Order of probing, by device index; empty: as listed.</summary>
    public IReadOnlyList<int> ProbeOrder { get; init; } = [];

    /// <summary>What counts as an interconnect for owners that are formed when pagemaps are made.</summary>
    public InterconnectRule Interconnect { get; init; }

    /// <summary>Pairs (provider, client) that exporters keep out.</summary>
    public IReadOnlyList<(int Provider, int Client)> Denied { get; init; } = [];

    /// <summary>Pages of memory, where the scenario brings its own.</summary>
    public ulong PageCount { get; init; } = 1 << 18;

    /// <summary>The process whose memory is spread; null for one mapping of <see cref="PageCount"/>.</summary>
    public Capture? Process { get; init; }

    /// <summary>System frames; null for enough.</summary>
    public ulong? SystemFrameCount { get; init; }

    /// <summary>Line that says how much memory there is; 0 where none does.</summary>
    public int MemoryLine { get; init; }

    /// <summary>Line that says how much system memory there is; 0 where none does.</summary>
    public int SystemMemoryLine { get; init; }

    /// <summary>Line of the placement.</summary>
    public int PlacementLine { get; init; }

    /// <summary>How memory is spread.</summary>
    public required IReadOnlyList<PlacementRun> Placement { get; init; }

    /// <summary>Pages a device faults at once.</summary>
    public int ChunkPageCount { get; init; } = 512;

    /// <summary>Stale answers taken in one request before a device gives up: stands for a time-out.</summary>
    public int RetryLimit { get; init; } = new ImporterOptions().RetryLimit;

    /// <summary>Most pages of one hmm_range_fault call.</summary>
    public int CallPageCount { get; init; } = new ImporterOptions().CallPageCount;

    /// <summary>How far faults go; several habits are compared.</summary>
    public IReadOnlyList<FaultHabit> Habits { get; init; } = [FaultHabit.RunForward];

    /// <summary>The policy that typed-output (P11) puts its bits on; null for its own choice.</summary>
    public IHmmPolicy? TypedOutputInner { get; init; }

    /// <summary>PCI paths that differ from the cost model's figures, by (provider, client).</summary>
    public IReadOnlyDictionary<(int Provider, int Client), PathEstimate> Paths { get; init; } = new Dictionary<(int Provider, int Client), PathEstimate>();

    /// <summary>What happens, in order.</summary>
    public required IReadOnlyList<ScenarioStep> Steps { get; init; }

    /// <summary>How often the steps are gone through.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>How often what a fault mapped is then used.</summary>
    public double Uses { get; init; } = 1;

    /// <summary>The cost model.</summary>
    public CostModel Costs { get; init; } = CostModel.Default;

    /// <summary>The memory that the scenario brings along.</summary>
    /// <exception cref="ScenarioException">Its process has no memory that could be spread.</exception>
    public ScenarioMemory OpenMemory() => Process is { } process ? ScenarioMemory.Of(process) : ScenarioMemory.OfSize(PageCount);

    /// <summary>The place of a line of the scenario, for messages.</summary>
    /// <param name="line">The line; 0 for the whole file.</param>
    public string At(int line) => line == 0 ? Source : $"{Source}:{line}";

    /// <summary>The machine as the fabric plans it.</summary>
    /// <param name="placedPages">Pages placed on each device.</param>
    /// <exception cref="ScenarioException">A device's address is not in the machine, or more is placed on a device than it has.</exception>
    public FabricPlan MakePlan(IReadOnlyList<ulong> placedPages)
    {
        ArgumentNullException.ThrowIfNull(placedPages);
        PciTopology topology = TopologyFromMachine.Convert(Machine);
        P2PdmaDistance distance = new(topology, HostBridges);
        int count = Devices.Count;
        var answers = new P2PdmaAnswer[count * count];
        for (int provider = 0; provider < count; provider++)
        {
            for (int client = 0; client < count; client++)
            {
                answers[(provider * count) + client] = Answer(distance, Devices[provider], Devices[client]);
            }
        }

        Dictionary<string, uint> owners = [];
        FabricMember[] members = new FabricMember[count];
        for (int i = 0; i < count; i++)
        {
            members[i] = Member(i, placedPages[i], owners);
        }

        HashSet<(int, int)> denied = [.. Denied];
        return new FabricPlan
        {
            Members = members,
            Links = Links,
            P2p = (provider, client) => answers[(provider * count) + client],
            P2pPath = (provider, client) => Paths.TryGetValue((provider, client), out PathEstimate path) ? path
                : answers[(provider * count) + client].MapType == P2PdmaMapType.BusAddr
                ? new PathEstimate(Costs["p2pBusBytesPerSecond"], Costs["p2pBusLatencyNs"])
                : new PathEstimate(Costs["p2pHostBridgeBytesPerSecond"], Costs["p2pHostBridgeLatencyNs"]),
            Permits = (provider, client) => !denied.Contains((provider, client)),
            ProbeOrder = ProbeOrder,
            Interconnect = Interconnect,
        };
    }

    private P2PdmaAnswer Answer(P2PdmaDistance distance, ScenarioDevice provider, ScenarioDevice client)
    {
        try
        {
            return distance.Answer(provider.Address, client.Address);
        }
        catch (ArgumentException e)
        {
            throw new ScenarioException($"{At(provider.Line)}: \"{provider.Name}\" or \"{client.Name}\": {e.Message}");
        }
    }

    private FabricMember Member(int index, ulong placedPages, Dictionary<string, uint> owners)
    {
        ScenarioDevice device = Devices[index];
        ulong chunkPages = device.ChunkBytes / PageOrder.PageSizeBytes;
        ulong memoryPages = !device.HasMemory ? 0
            : device.MemoryBytes / PageOrder.PageSizeBytes ?? Math.Max(1, (placedPages + chunkPages - 1) / chunkPages) * chunkPages;
        if (placedPages > memoryPages)
        {
            throw new ScenarioException(
                $"{At(device.Line)}: \"{device.Name}\" has {memoryPages} pages of memory; the scenario places {placedPages} pages on it.");
        }

        ulong windowPages = device.HasMemory ? WindowPages(device, memoryPages, chunkPages) : 0;
        uint owner = 0;
        if (device.Owner is { } name && !owners.TryGetValue(name, out owner))
        {
            owner = (uint)owners.Count + 1;
            owners.Add(name, owner);
        }

        return new FabricMember
        {
            Name = device.Name,
            MemoryPageCount = memoryPages,
            Kind = device.Kind,
            Owner = new OwnerId(owner),
            WindowPageCount = windowPages,
            ChunkPageCount = chunkPages,
            BusOffsetBytes = device.BusOffsetBytes,
            Dma = device.Dma,
            IsPluggedAtStart = device.IsPluggedAtStart,
        };
    }

    /// <summary>The window in whole chunks. One that comes to less than a chunk is refused: it would silently be none.</summary>
    private ulong WindowPages(ScenarioDevice device, ulong memoryPages, ulong chunkPages)
    {
        ulong whole = (memoryPages + chunkPages - 1) / chunkPages * chunkPages;
        ulong bar = device.BarBytes / PageOrder.PageSizeBytes ?? ulong.MaxValue;
        if (device is { WindowBytes: null, WindowShare: 0 })
        {
            return 0;
        }

        ulong pages = device.WindowBytes / PageOrder.PageSizeBytes
            ?? (device.WindowShare is { } share and < 1 ? (ulong)(memoryPages * share) : whole);
        if (device.WindowShare is not null && pages > bar)
        {
            throw new ScenarioException(
                $"{At(device.Line)}: \"{device.Name}\": a window of {pages} pages is larger than the machine's BAR of {bar} pages.");
        }

        pages = Math.Min(Math.Min(pages, bar), whole) / chunkPages * chunkPages;
        return pages != 0 ? pages : throw new ScenarioException(
            $"{At(device.Line)}: \"{device.Name}\": its window comes to less than one chunk of {chunkPages} pages (memory of {memoryPages} pages, BAR of {(device.BarBytes is null ? "any size" : bar + " pages")}); a smaller \"chunk\" or \"window\": \"none\" is possible.");
    }
}
