using HmmFast.Dma;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <content>What each kind of step does, and what is noted where it cannot be carried through.</content>
internal sealed partial class PolicyRun
{
    // The engine has classes for the private pages of about this many pagemaps; scenarios with fewer never meet the bound.
    private const int ManyPagemaps = 20;

    private const string SystemFrames = "frames of system memory";

    private void Do(ScenarioStep step, int round)
    {
        _explainer?.Step(step, _scenario, round, ForcedOwner(step));
        HmmStatus status;
        try
        {
            status = Carry(step, round);
        }
        catch (Exception bound) when (bound is ArgumentException { ParamName: "options" } || (bound is InvalidOperationException && _system.DeviceCount >= ManyPagemaps))
        {
            // Pagemaps registered over and over use up frame numbers and page states: no defect, but what a scenario asks for.
            throw new ScenarioException(
                $"{_scenario.At(step.Line)}: {step.Describe(_scenario)}, round {round + 1} of {_scenario.Rounds}, under {_policy.Name}: after {_system.DeviceCount} pagemaps were registered: {bound.Message}");
        }

        _explainer?.After(step, status);
    }

    private HmmStatus Carry(ScenarioStep step, int round)
    {
        switch (step.Kind)
        {
            case ScenarioStepKind.Fault:
                Fault(step, round);
                return HmmStatus.Ok;
            case ScenarioStepKind.Restore:
                Restore(step, round);
                return HmmStatus.Ok;
            case ScenarioStepKind.LinkDown or ScenarioStepKind.LinkUp:
                return NoteChange(step, round, _fabric.SetLink(step.Link, step.Kind == ScenarioStepKind.LinkUp), [_scenario.Links[step.Link].From, _scenario.Links[step.Link].To]);
            case ScenarioStepKind.Unplug:
                Detach(step.Devices[0]);
                return NoteChange(step, round, _fabric.Unplug(step.Devices[0]), step.Devices);
            case ScenarioStepKind.Plug:
                return Plug(step, round);
            case ScenarioStepKind.Evict:
                return NoteChange(step, round, _fabric.DeviceOf(step.Devices[0]) is { } device ? _mover.EvictAll(device, out _) : HmmStatus.Ok, step.Devices);
            case ScenarioStepKind.Deny or ScenarioStepKind.Permit:
                _fabric.SetPermission(step.Devices[0], step.Client, step.Kind == ScenarioStepKind.Permit);
                return HmmStatus.Ok;
            case ScenarioStepKind.UnmapChunk:
                CheckChunk(step.Line, step.Devices[0], step.Chunk);
                _fabric.UnmapChunk(step.Devices[0], step.Chunk);
                return HmmStatus.Ok;
            case ScenarioStepKind.MapChunk:
                return MapChunk(step, round);
            case ScenarioStepKind.MapProvider:
                return MapProvider(step, round);
            default:
                return CpuRead(step, round);
        }
    }

    private HmmStatus Plug(ScenarioStep step, int round)
    {
        int member = step.Devices[0];
        if (_fabric.DeviceOf(member) is not null)
        {
            // Its unplugging found no room for its pages: it is tried again, and without it the device stays out.
            HmmStatus status = NoteChange(step, round, _fabric.Unplug(member), step.Devices);
            if (status != HmmStatus.Ok)
            {
                return status;
            }
        }

        _fabric.Plug(member);
        UnmapChunks(member);
        Attach(member);
        return HmmStatus.Ok;
    }

    private HmmStatus MapChunk(ScenarioStep step, int round)
    {
        CheckChunk(step.Line, step.Devices[0], step.Chunk);
        HmmStatus status = _fabric.MapChunk(step.Devices[0], step.Chunk);
        if (status != HmmStatus.Ok)
        {
            _result.FailedChanges++;
            _ = Note(step.Line, step.Describe(_scenario), round, status, "the window has no free slot");
        }

        return status;
    }

    private HmmStatus CpuRead(ScenarioStep step, int round)
    {
        foreach (VpnRange extent in _memory.Extents)
        {
            if (_space.CpuRead(extent, [], []) == CpuAccessResult.OutOfMemory)
            {
                _result.FailedChanges++;
                _ = Note(step.Line, step.Describe(_scenario), round, HmmStatus.OutOfMemory, "no frame of system memory is left");
                return HmmStatus.OutOfMemory;
            }
        }

        return HmmStatus.Ok;
    }

    /// <summary>Memory without struct page: there is no page that a fault could give, only a provider's range that is mapped or not.</summary>
    private HmmStatus MapProvider(ScenarioStep step, int round)
    {
        int provider = step.Devices[0];
        if (_dma[step.Client] is not { } dma || !_fabric.IsPlugged(step.Client) || _fabric.DeviceOf(provider) is not { } device)
        {
            return HmmStatus.Fault;
        }

        int count = (int)step.PageCount;
        HmmStatus status = dma.TryCreateMap(count, out IHmmDmaMap? map);
        if (status != HmmStatus.Ok)
        {
            ScenarioDevice client = _scenario.Devices[step.Client];
            throw new ScenarioException($"{_scenario.At(step.Line)}: \"{client.Name}\" cannot map {count} pages: {status} ({Describe(client.Dma)})");
        }

        P2PdmaAnswer answer = _fabric.Plan.P2p(provider, step.Client);
        P2pProvider memory = new(device, answer.MapType, _fabric.Plan.Members[provider].BusOffsetBytes);
        using (map!)
        {
            // Where the machine does not say where the BAR is: somewhere above all frames.
            status = map!.MapProvider(0, memory, _scenario.Devices[provider].BarStart ?? 1UL << 44, new DmaAddress[count]);
            _result.Dma = _result.Dma.Plus(map.Counters);
        }

        PageOutcome outcome = status != HmmStatus.Ok ? PageOutcome.Failed
            : answer.MapType == P2PdmaMapType.ThruHostBridge ? PageOutcome.AliasHostBridge : PageOutcome.AliasBus;
        PairCounts pair = PairOf(step.Client, provider);
        pair.Add(outcome, step.PageCount);
        pair.ProviderPages += status == HmmStatus.Ok ? step.PageCount : 0;
        pair.MapFailures += status == HmmStatus.Ok ? 0 : step.PageCount;
        return status;
    }

    private void UnmapChunks(int member)
    {
        foreach (int chunk in _fabric.IsPlugged(member) ? _scenario.Devices[member].UnmappedChunks : [])
        {
            CheckChunk(_scenario.Devices[member].Line, member, chunk);
            _fabric.UnmapChunk(member, chunk);
        }
    }

    private void CheckChunk(int line, int device, int chunk)
    {
        int chunks = _fabric.WindowOf(device)?.ChunkCount ?? 0;
        if (chunk >= chunks)
        {
            throw new ScenarioException($"{_scenario.At(line)}: \"{_scenario.Devices[device].Name}\" has {chunks} chunks with a window; there is no chunk {chunk}.");
        }
    }

    private void Fault(ScenarioStep step, int round)
    {
        OwnerId? forced = ForcedOwner(step);
        foreach (int member in step.Devices)
        {
            if (!_fabric.IsPlugged(member))
            {
                continue;
            }

            _calls.Begin(member);
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
                _meter.Before(_space, part, member, forced ?? _fabric.OwnerOf(member), step.Writes);
                _ = _access[member][extent](part);
                _meter.After(importer, part, member);
            }

            (ulong requests, ulong missing) = _calls.TakeShortfall();
            if (requests != 0)
            {
                _result.OutOfMemoryRequests += requests;
                _result.MissingFrames += missing;
                StepShortfall note = Note(step.Line, step.Describe(_scenario), round, HmmStatus.OutOfMemory, SystemFrames);
                note.Requests += requests;
                note.MissingPages += missing;
            }
        }
    }

    private OwnerId? ForcedOwner(ScenarioStep step) => step.ForcesSystem || HaveDifferentOwners(step.Devices) ? OwnerId.Null : null;

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

    private void Restore(ScenarioStep step, int round)
    {
        ulong before = _mover.Migrations;
        foreach (VpnRange extent in _memory.Extents)
        {
            PlacementWalk walk = new(_scenario, extent);
            while (walk.TryNext(PlacingPages, out VpnRange run, out int member))
            {
                if (member < 0 || !_fabric.IsPlugged(member) || _fabric.DeviceOf(member) is not { } device)
                {
                    continue;
                }

                HmmStatus status = _mover.ToDevice(_space, run, device, out ulong moved);
                for (int client = 0; client < _fabric.Count && moved != 0; client++)
                {
                    moved = PairOf(client, member).TakeBack(moved);
                }

                if (status != HmmStatus.Ok)
                {
                    NoteFullDevice(step.Line, step.Describe(_scenario), round, member, run, status);
                }
            }
        }

        _result.RestoreMigrations += _mover.Migrations - before;
    }

    private PairCounts PairOf(int client, int provider) => _pairs[(client * (_fabric.Count + 1)) + 1 + provider];

    /// <summary>A change that had to evict pages and could not: they are still on their devices.</summary>
    private HmmStatus NoteChange(ScenarioStep step, int round, HmmStatus status, IReadOnlyList<int> members)
    {
        if (status != HmmStatus.Ok)
        {
            _result.FailedChanges++;
            ulong left = 0;
            foreach (int member in members)
            {
                left += _fabric.DeviceOf(member) is { } device ? CountPages(device, new VpnRange(_system.Options.Window.Start, _system.Options.Window.PageCount)) : 0;
            }

            _result.MissingFrames += left;
            Note(step.Line, step.Describe(_scenario), round, status, $"{SystemFrames}, for pages that are still on {string.Join(" and ", members.Select(member => _scenario.Devices[member].Name))},").MissingPages += left;
        }

        return status;
    }

    private void NoteFullDevice(int line, string step, int round, int member, VpnRange run, HmmStatus status)
    {
        _result.FullDeviceMoves++;
        ulong there = _fabric.DeviceOf(member) is { } device ? CountPages(device, run) : 0;
        Note(line, step, round, status, $"pages of {_scenario.Devices[member].Name}'s memory").MissingPages += run.PageCount - there;
    }

    private ulong CountPages(DeviceId device, VpnRange range)
    {
        (Pfn first, ulong count) = _system.DeviceFrames(device);
        ulong pages = 0;
        DevicePages.ForEachRun(_space, first, count, run =>
        {
            pages += run.Intersect(range).PageCount;
            return true;
        });
        return pages;
    }

    private StepShortfall Note(int line, string step, int round, HmmStatus status, string lacking)
    {
        StepShortfall? note = _shortfalls.Find(known => known.Line == line && known.Step == step && known.Status == status && known.Lacking == lacking);
        if (note is null)
        {
            note = new StepShortfall { Line = line, Step = step, Status = status, Lacking = lacking, FirstRound = round + 1 };
            _shortfalls.Add(note);
        }

        return note;
    }
}
