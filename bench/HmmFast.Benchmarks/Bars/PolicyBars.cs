using System.Diagnostics;
using HmmFast.Dma;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Topology;

namespace HmmFast.Benchmarks.Bars;

/// <summary>What policies cost: a range fault under each against owner-only on the same outcomes, DMA mapping against memcpy, and the whole comparison.</summary>
public static class PolicyBars
{
    private const ulong RunPages = 64;

    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        // The bars are stated for memory that is larger than the caches; a smoke run takes a small size.
        ulong size = session.Largest(1 << 14, 1 << 24);
        RangeFaults(session, size);
        DmaMaps(session, size);

        if (session.LargestPageCount >= 1 << 20)
        {
            Comparison(session, 1 << 20, 5);
        }

        if (session.LargestPageCount >= 1 << 24)
        {
            Comparison(session, 1 << 24, 60);
        }
    }

    /// <summary>Half of the pages private on a device that the client may have them of, half system memory, in runs of 64.</summary>
    private static void RangeFaults(BarSession session, ulong pageCount)
    {
        using World world = new(pageCount);
        HmmPfn[] words = new HmmPfn[pageCount];
        List<Contender> contenders = [new("memcpy of the result array", pageCount, world.Copy(words))];
        foreach (IHmmPolicy policy in PolicyCatalog.All)
        {
            contenders.Add(new Contender(policy.Name, pageCount, () => world.Fault(policy, words, new OwnerId(1), HmmRequestFlags.Fault)));
        }

        contenders.Add(new Contender("aliases", pageCount, () => world.Fault(PolicyCatalog.Find("P3")[0], words, OwnerId.Null, HmmRequestFlags.Fault | HmmRequestFlags.AllowP2p)));
        IReadOnlyList<Timing> timings = session.Measure("policies", contenders);
        Timing mainline = timings[1];
        Timing slowest = timings.Skip(1).SkipLast(1).MinBy(timing => timing.SpeedOver(mainline))!;
        session.Ratio("range fault, slowest policy", pageCount, "x owner-only, same outcomes", slowest, mainline, 0.9, $"({slowest.Name})");
        session.Ratio("range fault, aliases for every private page", pageCount, "x owner-only with private pfns", timings[^1], mainline, 0.4);
    }

    private static void DmaMaps(BarSession session, ulong pageCount)
    {
        using World world = new(pageCount);
        HmmPfn[] system = new HmmPfn[pageCount];
        HmmPfn[] mixed = new HmmPfn[pageCount];
        var addresses = new DmaAddress[pageCount];
        for (int i = 0; i < system.Length; i++)
        {
            ulong valid = world.Layout.ValidBit;
            system[i] = new HmmPfn(valid | (1 + ((ulong)i % (pageCount / 2))));
            mixed[i] = (ulong)i / RunPages % 2 == 0 ? system[i] : new HmmPfn(valid | (world.FirstAlias.Value + ((ulong)i % (pageCount / 2))));
        }

        _ = new DmaDevice(world.Memory, world.Client).TryCreateMap(system.Length, out IHmmDmaMap? iommu);
        _ = new DmaDevice(world.Memory, world.Client, new DmaDeviceOptions { UsesIommu = false }).TryCreateMap(system.Length, out IHmmDmaMap? bare);
        HmmPfn[] work = new HmmPfn[pageCount];
        IReadOnlyList<Timing> timings = session.Measure("dma map",
        [
            new Contender("memcpy of the result array", pageCount, () => system.CopyTo(work, 0), static () => { }),
            new Contender("system pages, IOMMU", pageCount, () => iommu!.Map(0, work, addresses), () => system.CopyTo(work, 0)),
            new Contender("system pages, physical", pageCount, () => bare!.Map(0, work, addresses), () => system.CopyTo(work, 0)),
            new Contender("half aliases in runs of 64", pageCount, () => iommu!.Map(0, work, addresses), () => mixed.CopyTo(work, 0)),
        ]);
        for (int i = 1; i < timings.Count; i++)
        {
            session.Ratio($"dma map, {timings[i].Name}", pageCount, "x memcpy of the result array", timings[i], timings[0], 0.5);
        }

        ulong before = iommu!.Counters.P2pLookups;
        mixed.CopyTo(work, 0);
        _ = iommu.Map(0, work, addresses);
        session.Add(new BarResult("dma map, look-ups for one pagemap", pageCount, "look-ups a call", iommu.Counters.P2pLookups - before, 1, MustStayBelow: true, IsExact: true));
        EngineAllocations.Add(session, "dma map, half aliases in runs of 64", pageCount, () => iommu.Map(0, work, addresses), () => mixed.CopyTo(work, 0));
        iommu.Dispose();
        bare!.Dispose();
    }

    private static void Comparison(BarSession session, ulong pageCount, double barSeconds)
    {
        PolicyScenario scenario = ScenarioReader.Open("default");
        long started = Stopwatch.GetTimestamp();
        _ = PolicyComparison.Run(scenario, ScenarioMemory.OfSize(pageCount), PolicyCatalog.All, [FaultHabit.RunForward]);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        session.Add(new BarResult("comparison of all policies, default scenario", pageCount, "seconds", seconds, barSeconds, MustStayBelow: true));
    }

    private sealed class World : IDisposable
    {
        private readonly IAddressSpace _space;
        private readonly VpnRange _range;
        private readonly IMmuIntervalNotifier _notifier;
        private HmmPfn[] _copy = [];

        public World(ulong pageCount)
        {
            Memory = new MemorySystem(new MemorySystemOptions
            {
                SystemFrameCount = pageCount + 1024,
                SwapSlotCount = 0,
                Window = new VpnRange(new Vpn(0), pageCount),
                Layout = HmmPfnLayout.Linux616Typed,
            });
            Layout = Memory.Options.Layout;
            DeviceId gpu = Memory.AddDevice(new DeviceOptions { Name = "gpu", PageCount = pageCount, Owner = new OwnerId(1) });
            DeviceId bar = Memory.AddDevice(new DeviceOptions { Name = "bar", PageCount = pageCount, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
            FirstAlias = Memory.DeviceFrames(bar).First;
            Client = new HmmClient("nic")
            {
                Reach = new ClientReach(
                [
                    new ProviderReach
                    {
                        P2p = new P2PdmaAnswer(P2PdmaMapType.BusAddr, 4),
                        LinkIsUp = true,
                        IsPermitted = true,
                        BitmapAllows = true,
                        LinkPath = new PathEstimate(150e9, 1000),
                        P2pPath = new PathEstimate(26e9, 1300),
                        Window = AliasWindow.Create(Memory.DeviceFrames(gpu).First, pageCount, FirstAlias, pageCount),
                    },
                ]),
            };
            _space = Memory.CreateAddressSpace();
            _range = new VpnRange(new Vpn(0), pageCount);
            _ = _space.Map(_range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
            _ = _space.CpuWrite(_range, 1, 0, []);
            PageMover mover = new(Memory);
            for (ulong page = 0; page < pageCount; page += 2 * RunPages)
            {
                _ = mover.ToDevice(_space, new VpnRange(new Vpn(page), RunPages), gpu, out _);
            }

            _notifier = _space.InsertNotifier(_range, null);
        }

        public MemorySystem Memory { get; }

        public HmmPfnLayout Layout { get; }

        public HmmClient Client { get; }

        public Pfn FirstAlias { get; }

        public Action Copy(HmmPfn[] words)
        {
            _copy = new HmmPfn[words.Length];
            return () => words.CopyTo(_copy, 0);
        }

        public void Fault(IHmmPolicy policy, HmmPfn[] words, OwnerId owner, HmmRequestFlags flags)
        {
            HmmStatus status = _space.RangeFault(
                new HmmRange
                {
                    Range = _range,
                    Notifier = _notifier,
                    NotifierSequence = _notifier.ReadBegin(),
                    DefaultFlags = flags,
                    Owner = owner,
                    Policy = policy,
                    Client = Client,
                },
                words);
            if (status != HmmStatus.Ok)
            {
                throw new InvalidOperationException($"{policy.Name} answered {status}.");
            }
        }

        public void Dispose()
        {
            _notifier.Dispose();
            Memory.Dispose();
        }
    }
}
