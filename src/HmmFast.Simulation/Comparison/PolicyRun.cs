using HmmFast.Dma;
using HmmFast.Drivers.Devices;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Simulation.Jobs;

namespace HmmFast.Simulation.Comparison;

/// <summary>One policy, one habit, one implementation: builds the scenario's world and goes through its steps.</summary>
internal sealed class PolicyRun : IDisposable
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
            _meter = new PageMeter(_system, _fabric, policy, _pairs, _result, scenario.ChunkPageCount);
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
        _result.PairsLostToCliques = _fabric.CountPairsLostToCliques();
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
                    && _space.CpuWrite(run, 1, 0, []) == CpuAccessResult.OutOfMemory)
                {
                    throw new ScenarioException(
                        $"{_scenario.Source}: system memory of {_system.Options.SystemFrameCount} frames is too small for {run}; {_memory.PageCount} pages are spread.");
                }

                if (member >= 0 && _fabric.DeviceOf(member) is { } device)
                {
                    _ = _mover.ToDevice(_space, run, device, out _);
                }
            }
        }
    }

    private void Attach(int member)
    {
        ScenarioDevice device = _scenario.Devices[member];
        ImporterOptions options = new() { FaultHabit = _habit };
        IDmaDevice dma = _implementation.Name == Implementation.Reference.Name
            ? new Reference.Dma.ReferenceDmaDevice(_system, _fabric.ClientOf(member), device.Dma)
            : new DmaDevice(_system, _fabric.ClientOf(member), device.Dma);
        foreach (VpnRange extent in _memory.Extents)
        {
            if (device.HasMemory)
            {
                SvmGpu gpu = new(_space, _fabric, member, dma, extent, new SvmGpuOptions { RangePageCount = _scenario.ChunkPageCount }, options);
                Add(member, gpu, gpu.Importer, gpu.Access);
            }
            else
            {
                OnDemandNic nic = new(_space, _fabric, member, dma, extent, _scenario.ChunkPageCount, options);
                Add(member, nic, nic.Importer, nic.Access);
            }
        }
    }

    private void Add(int member, IDisposable driver, PageImporter importer, Func<VpnRange, HmmStatus> access)
    {
        _drivers[member].Add(driver);
        _importers[member].Add(importer);
        _access[member].Add(access);
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

    private void Do(ScenarioStep step, int round)
    {
        _explainer?.Step(step, _scenario, round);
        HmmStatus status = HmmStatus.Ok;
        switch (step.Kind)
        {
            case ScenarioStepKind.Fault:
                Fault(step);
                break;
            case ScenarioStepKind.Restore:
                Restore();
                break;
            case ScenarioStepKind.LinkDown or ScenarioStepKind.LinkUp:
                status = _fabric.SetLink(step.Link, step.Kind == ScenarioStepKind.LinkUp);
                break;
            case ScenarioStepKind.Unplug:
                Detach(step.Devices[0]);
                status = _fabric.Unplug(step.Devices[0]);
                break;
            case ScenarioStepKind.Plug:
                _fabric.Plug(step.Devices[0]);
                Attach(step.Devices[0]);
                break;
            case ScenarioStepKind.Evict:
                status = _fabric.DeviceOf(step.Devices[0]) is { } device ? _mover.EvictAll(device, out _) : HmmStatus.Ok;
                break;
            case ScenarioStepKind.Deny or ScenarioStepKind.Permit:
                _fabric.SetPermission(step.Devices[0], step.Client, step.Kind == ScenarioStepKind.Permit);
                break;
            case ScenarioStepKind.UnmapChunk:
                CheckChunk(step);
                _fabric.UnmapChunk(step.Devices[0], step.Chunk);
                break;
            case ScenarioStepKind.MapChunk:
                CheckChunk(step);
                status = _fabric.MapChunk(step.Devices[0], step.Chunk);
                break;
            default:
                foreach (VpnRange extent in _memory.Extents)
                {
                    _ = _space.CpuRead(extent, [], []);
                }

                break;
        }

        _result.FailedChanges += status != HmmStatus.Ok ? 1UL : 0;
        _explainer?.After(step, status);
    }

    private void CheckChunk(ScenarioStep step)
    {
        int device = step.Devices[0];
        int chunks = _fabric.WindowOf(device)?.ChunkCount ?? 0;
        if (step.Chunk >= chunks)
        {
            throw new ScenarioException($"{_scenario.Source}:{step.Line}: \"{_scenario.Devices[device].Name}\" has {chunks} chunks with a window; there is no chunk {step.Chunk}.");
        }
    }

    private void Fault(ScenarioStep step)
    {
        OwnerId? forced = step.ForcesSystem || HaveDifferentOwners(step.Devices) ? OwnerId.Null : null;
        foreach (int member in step.Devices)
        {
            if (!_fabric.IsPlugged(member))
            {
                continue;
            }

            for (int extent = 0; extent < _memory.Extents.Count; extent++)
            {
                VpnRange part = Part(step, _memory.Extents[extent]);
                if (part.IsEmpty)
                {
                    continue;
                }

                PageImporter importer = _importers[member][extent];
                importer.OwnerOverride = forced;
                importer.Writes = step.Writes;
                _meter.Before(_space, part, member);
                HmmStatus status = _access[member][extent](part);
                _result.OutOfMemoryRequests += status == HmmStatus.OutOfMemory ? 1UL : 0;
                _meter.After(importer, part, member);
            }
        }
    }

    // Several targets with different owners can only be served from system memory, under policies that go by common owners.
    private bool HaveDifferentOwners(IReadOnlyList<int> members) =>
        members.Count > 1
        && _policy.Owners is OwnerRule.Cliques or OwnerRule.CliquesById or OwnerRule.CliquesByEviction
        && members.Any(member => _fabric.OwnerOf(member) != _fabric.OwnerOf(members[0]));

    private static VpnRange Part(ScenarioStep step, VpnRange extent)
    {
        ulong from = (ulong)(extent.PageCount * step.From);
        ulong to = Math.Min(extent.PageCount, (ulong)Math.Ceiling(extent.PageCount * step.To));
        return new VpnRange(extent.Start + from, to - from);
    }

    private void Restore()
    {
        ulong before = _mover.Migrations;
        foreach (VpnRange extent in _memory.Extents)
        {
            PlacementWalk walk = new(_scenario, extent);
            while (walk.TryNext(PlacingPages, out VpnRange run, out int member))
            {
                if (member >= 0 && _fabric.IsPlugged(member) && _fabric.DeviceOf(member) is { } device)
                {
                    _ = _mover.ToDevice(_space, run, device, out _);
                }
            }
        }

        _result.RestoreMigrations += _mover.Migrations - before;
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
