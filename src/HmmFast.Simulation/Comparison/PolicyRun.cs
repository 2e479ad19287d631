using HmmFast.Dma;
using HmmFast.Drivers.Devices;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Simulation.Jobs;

namespace HmmFast.Simulation.Comparison;

/// <summary>One policy, one habit, one implementation: builds the scenario's world and goes through its steps.</summary>
internal sealed partial class PolicyRun : IDisposable
{
    private const ulong PlacingPages = 1 << 14;

    private readonly PolicyScenario _scenario;
    private readonly ScenarioMemory _memory;
    private readonly IHmmPolicy _policy;
    private readonly FaultHabit _habit;
    private readonly Implementation _implementation;
    private readonly IMemorySystem _system;
    private readonly IAddressSpace _space;
    private readonly DeviceFabric _fabric;
    private readonly PageMover _mover;
    private readonly List<IDisposable>[] _drivers;
    private readonly List<PageImporter>[] _importers;
    private readonly List<Func<VpnRange, HmmStatus>>[] _access;
    private readonly PairCounts[] _pairs;
    private readonly PageMeter _meter;
    private readonly CallMeter _calls;
    private readonly IDmaDevice?[] _dma;
    private readonly List<StepShortfall> _shortfalls = [];
    private readonly PageExplainer? _explainer;
    private readonly PolicyResult _result;

    public PolicyRun(PolicyScenario scenario, ScenarioMemory memory, IHmmPolicy policy, FaultHabit habit, Implementation implementation, Vpn? explained)
    {
        _scenario = scenario;
        _memory = memory;
        _policy = policy;
        _habit = habit;
        _implementation = implementation;
        int count = scenario.Devices.Count;
        ulong[] placed = PlacementWalk.CountPages(scenario, memory);
        FabricPlan plan = scenario.MakePlan(placed);
        MemorySystemOptions options = memory.Options(scenario.SystemFrameCount) with
        {
            Layout = policy.TypedOutput ? HmmPfnLayout.Linux616Typed : HmmPfnLayout.Linux616AllowP2p,
        };
        FrameBudget.Check(scenario, memory, plan, options);
        _system = implementation.Create(options);
        _drivers = [.. Enumerable.Range(0, count).Select(_ => new List<IDisposable>())];
        _importers = [.. Enumerable.Range(0, count).Select(_ => new List<PageImporter>())];
        _access = [.. Enumerable.Range(0, count).Select(_ => new List<Func<VpnRange, HmmStatus>>())];
        _dma = new IDmaDevice?[count];
        _pairs = new PairCounts[count * (count + 1)];
        for (int i = 0; i < _pairs.Length; i++)
        {
            _pairs[i] = new PairCounts { Client = i / (count + 1), Provider = (i % (count + 1)) - 1 };
        }

        try
        {
            _fabric = new DeviceFabric(_system, plan, policy);
            _space = memory.Build(_system);
            _mover = new PageMover(_system);
            _result = new PolicyResult { Policy = policy, Habit = habit, Pairs = _pairs };
            _meter = new PageMeter(_system, _fabric, policy, _pairs);
            _calls = new CallMeter(_space, _fabric, policy, _pairs, _result);
            _explainer = explained is { } page ? new PageExplainer(_fabric, policy, _space, page) : null;
        }
        catch
        {
            _system.Dispose();
            throw;
        }
    }

    public IMemorySystem System => _system;

    public IReadOnlyList<string> Trace => _explainer?.Lines ?? [];

    public PolicyResult Run(Action<ulong>? progress)
    {
        _result.PairsLostToCliques = _fabric.CountPairsLostToCliques();
        for (int member = 0; member < _fabric.Count; member++)
        {
            UnmapChunks(member);
        }

        Place();
        for (int member = 0; member < _fabric.Count; member++)
        {
            if (_fabric.IsPlugged(member))
            {
                Attach(member);
            }
        }

        _explainer?.Begin();
        MemoryCounters before = _system.Counters;
        _result.PlacedPages = before.PagesMigratedToDevice;
        for (int round = 0; round < _scenario.Rounds; round++)
        {
            foreach (ScenarioStep step in _scenario.Steps)
            {
                Do(step, round);
                _result.PairsLostToCliques = Math.Max(_result.PairsLostToCliques, _fabric.CountPairsLostToCliques());
                progress?.Invoke(_memory.PageCount);
            }
        }

        for (int member = 0; member < _fabric.Count; member++)
        {
            Detach(member);
        }

        MemoryCounters after = _system.Counters;
        _result.MigratedPages = after.PagesMigratedToSystem - before.PagesMigratedToSystem;
        _result.RestoredPages = after.PagesMigratedToDevice - before.PagesMigratedToDevice;
        _result.Faults = after.Faults - before.Faults;
        _result.Invalidations = after.Invalidations - before.Invalidations;
        _result.Fabric = _fabric.Counters;
        _result.Shortfalls = _shortfalls;
        _result.StructPageBytes = StructPageBytes();
        CostAccount.Charge(_result, _scenario, _fabric);
        return _result;
    }

    public void Dispose()
    {
        foreach (List<IDisposable> drivers in _drivers)
        {
            drivers.ForEach(driver => driver.Dispose());
            drivers.Clear();
        }

        _meter.Dispose();
        _calls.Dispose();
        _system.Dispose();
    }

    private void Place()
    {
        foreach (VpnRange extent in _memory.Extents)
        {
            // Written and spread piece by piece, so that system memory need not hold all of it at once.
            PlacementWalk walk = new(_scenario, extent);
            while (walk.TryNext(PlacingPages, out VpnRange run, out int member))
            {
                if (_memory.IsEmptyAtFirst && member != PlacementRun.Untouched
                    && _space.CpuWrite(run, run.Start.Value, 1, []) == CpuAccessResult.OutOfMemory)
                {
                    throw new ScenarioException(
                        $"{_scenario.At(_scenario.SystemMemoryLine)}: system memory of {_system.Options.SystemFrameCount} frames is too small for {run}; {_memory.PageCount} pages are spread.");
                }

                if (member >= 0 && _fabric.DeviceOf(member) is { } device && _mover.ToDevice(_space, run, device, out _) is var status and not HmmStatus.Ok)
                {
                    NoteFullDevice(_scenario.PlacementLine, "placement", 0, member, run, status);
                }
            }
        }
    }

    private void Attach(int member)
    {
        ScenarioDevice device = _scenario.Devices[member];
        ImporterOptions options = new() { FaultHabit = _habit, RetryLimit = _scenario.RetryLimit, CallPageCount = _scenario.CallPageCount };
        IDmaDevice dma = _implementation.Name == Implementation.Reference.Name
            ? new Reference.Dma.ReferenceDmaDevice(_system, _fabric.ClientOf(member), device.Dma)
            : new DmaDevice(_system, _fabric.ClientOf(member), device.Dma);
        _dma[member] = dma;
        foreach (VpnRange extent in _memory.Extents)
        {
            try
            {
                if (device.HasMemory)
                {
                    SvmGpu gpu = new(_space, _fabric, member, dma, extent, device.Gpu with { RangePageCount = _scenario.ChunkPageCount }, options);
                    Add(member, gpu, gpu.Importer, gpu.Access);
                }
                else
                {
                    OnDemandNic nic = new(_space, _fabric, member, dma, extent, _scenario.ChunkPageCount, options);
                    Add(member, nic, nic.Importer, nic.Access);
                }
            }
            catch (Exception refused) when (refused is NotSupportedException or InsufficientMemoryException)
            {
                throw new ScenarioException($"{_scenario.At(device.Line)}: {refused.Message} ({Describe(device.Dma)})");
            }
        }
    }

    private static string Describe(DmaDeviceOptions dma) =>
        $"\"dma\": iommu {(dma.UsesIommu ? $"on, from 0x{dma.IovaStart:x}" : "off")}, maskBits {dma.MaskBits}, needsSync {(dma.NeedsSync ? "true" : "false")}";

    private void Add(int member, IDisposable driver, PageImporter importer, Func<VpnRange, HmmStatus> access)
    {
        _drivers[member].Add(driver);
        _importers[member].Add(importer);
        _access[member].Add(access);
        importer.CallObserver = _calls;
        _explainer?.Watch(importer);
    }

    private void Detach(int member)
    {
        foreach (PageImporter importer in _importers[member])
        {
            _result.Importers = _result.Importers.Plus(importer.Counters);
            _result.Dma = _result.Dma.Plus(importer.DmaCounters);
        }

        _drivers[member].ForEach(driver => driver.Dispose());
        _drivers[member].Clear();
        _importers[member].Clear();
        _access[member].Clear();
    }

    private ulong StructPageBytes()
    {
        const ulong StructPage = 64;
        bool usesAliases = PolicyFacts.HandsOutAliases(_policy);
        ulong bytes = 0;
        foreach (FabricMember member in _fabric.Plan.Members)
        {
            bytes += StructPage * (member.MemoryPageCount + (usesAliases ? member.WindowPageCount : 0));
        }

        return bytes;
    }
}
