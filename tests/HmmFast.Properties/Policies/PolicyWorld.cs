using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Reference.Dma;

namespace HmmFast.Properties.Policies;

/// <summary>One implementation's devices, importers and one process, driven by random steps. Each step's answer is a list of numbers.</summary>
public sealed partial class PolicyWorld : IDisposable
{
    /// <summary>Kinds of steps, some of them of one sort.</summary>
    public const int KindCount = 132;

    private readonly List<ulong> _answer = [];
    private readonly PageImporter?[] _importers = new PageImporter?[PolicyWorldShape.MemberCount];
    private readonly PageMover _mover;
    private readonly ulong[] _tags;
    private ulong _nextTag = 1;

    public PolicyWorld(PolicyWorldShape shape, Func<MemorySystemOptions, IMemorySystem> make)
    {
        Shape = shape;
        _tags = new ulong[shape.PageCount];
        _isShared = new bool[shape.PageCount];
        Memory = make(shape.Options);
        Fabric = new DeviceFabric(Memory, shape.Plan, shape.Policy);
        Space = Memory.CreateAddressSpace();
        _mover = new PageMover(Memory);
        Map(shape.Pages, MappingKind.PrivateAnonymous);
        for (int member = 0; member < _importers.Length; member++)
        {
            Attach(member);
        }
    }

    public PolicyWorldShape Shape { get; }

    public IMemorySystem Memory { get; }

    public DeviceFabric Fabric { get; }

    public IAddressSpace Space { get; }

    public IReadOnlyList<PageImporter?> Importers => _importers;

    /// <summary>Does one step; the list is reused by the next.</summary>
    public IReadOnlyList<ulong> Do(int kind, Random random)
    {
        _answer.Clear();
        int first = random.Next(Shape.PageCount);
        int count = Math.Min(Shape.PageCount - first, 1 + random.Next(random.Next(2) == 0 ? 6 : 60));
        VpnRange range = new(Shape.Pages.Start + (ulong)first, (ulong)count);
        int member = random.Next(PolicyWorldShape.MemberCount);
        int other = random.Next(PolicyWorldShape.MemberCount);
        switch (kind)
        {
            case < 10:
                CpuWrite(range);
                break;
            case < 14:
                CheckContent(range);
                break;
            case < 40:
                if (Fabric.IsPlugged(member) && Fabric.DeviceOf(member) is { } device)
                {
                    Say(_mover.ToDevice(Space, range, device, out ulong moved));
                    _answer.Add(moved);
                }

                break;
            case < 44:
                if (Fabric.DeviceOf(member) is { } evicted)
                {
                    Say(_mover.ToSystem(Space, range, evicted, out ulong moved));
                    _answer.Add(moved);
                }

                break;
            case < 72:
                Resolve(member, range, random);
                break;
            case < 84:
                RawFault(member, range, random);
                break;
            case < 88:
                if (Shape.Plan.Links.Count != 0)
                {
                    int link = random.Next(Shape.Plan.Links.Count);
                    Say(Fabric.SetLink(link, random.Next(2) == 0));
                }

                break;
            case < 90:
                ToggleChunk(member, random);
                break;
            case < 92:
                Fabric.SetPermission(member, other, random.Next(2) == 0);
                break;
            case < 94:
                Replug(member);
                break;
            case < 96:
                Say(Space.Unmap(range));
                Forget(range);
                Map(range, random.Next(4) == 0 ? MappingKind.SharedAnonymous : MappingKind.PrivateAnonymous);
                break;
            case < 98:
                Say(Space.Protect(range, random.Next(2) == 0 ? Protection.Read : Protection.ReadWrite));
                break;
            case < 100:
                if (Fabric.DeviceOf(member) is { } all)
                {
                    Say(_mover.EvictAll(all, out ulong moved));
                    _answer.Add(moved);
                }

                break;
            default:
                ChangeMemory(kind, range, member, random);
                break;
        }

        SayTables();
        return _answer;
    }

    /// <summary>Reads everything and compares it with what was written.</summary>
    public void CheckContent(VpnRange range)
    {
        ulong[] tags = new ulong[range.PageCount];
        var results = new CpuAccessResult[range.PageCount];
        _answer.Add((ulong)Space.CpuRead(range, tags, results));
        int first = (int)(range.Start - Shape.Pages.Start);
        for (int i = 0; i < tags.Length; i++)
        {
            if (results[i] == CpuAccessResult.Ok && tags[i] != _tags[first + i])
            {
                throw new CheckFailedException($"page {first + i} holds {tags[i]:x}, not the {_tags[first + i]:x} that was written");
            }
        }
    }

    public IDmaDevice NewDma(int member)
    {
        DmaDeviceOptions options = Shape.Plan.Members[member].Dma;
        return Memory is MemorySystem
            ? new DmaDevice(Memory, Fabric.ClientOf(member), options)
            : new ReferenceDmaDevice(Memory, Fabric.ClientOf(member), options);
    }

    public void Dispose()
    {
        foreach (PageImporter? importer in _importers)
        {
            importer?.Dispose();
        }

        _child?.Dispose();
        Memory.Dispose();
    }

    private void Attach(int member) => _importers[member] = new PageImporter(
        Space,
        Fabric,
        member,
        NewDma(member),
        Shape.Pages,
        new ImporterOptions { FaultHabit = Shape.Habit, CallPageCount = Shape.CallPageCount, RetryLimit = 200 });

    private void Map(VpnRange range, MappingKind kind)
    {
        Say(Space.Map(range, Protection.ReadWrite, kind, FileId.None, 0));
        Forget(range);
        _isShared.AsSpan((int)(range.Start - Shape.Pages.Start), (int)range.PageCount).Fill(kind == MappingKind.SharedAnonymous);
    }

    private void Forget(VpnRange range) =>
        _tags.AsSpan((int)(range.Start - Shape.Pages.Start), (int)range.PageCount).Clear();

    private void CpuWrite(VpnRange range)
    {
        var results = new CpuAccessResult[range.PageCount];
        ulong tag = _nextTag++ << 16;
        _answer.Add((ulong)Space.CpuWrite(range, tag, 1, results));
        int first = (int)(range.Start - Shape.Pages.Start);
        for (int i = 0; i < results.Length; i++)
        {
            if (results[i] == CpuAccessResult.Ok)
            {
                _tags[first + i] = tag + (ulong)i;
            }
        }
    }

    private void Resolve(int member, VpnRange range, Random random)
    {
        int draw = random.Next(16);
        if (_importers[member] is not { } importer)
        {
            return;
        }

        importer.Writes = draw % 4 == 0;
        importer.OwnerOverride = draw == 15 ? OwnerId.Null : null;
        Say(importer.Resolve(range));
        PolicyInvariants.CheckHandedOut(this, importer);
    }

    private void RawFault(int member, VpnRange range, Random random)
    {
        HmmPfnLayout layout = Shape.Options.Layout;
        var words = new HmmPfn[range.PageCount];
        var sticky = new ulong[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            var request = (HmmRequestFlags)random.Next(8);
            sticky[i] = (ulong)random.NextInt64() & layout.StickyMask;
            words[i] = new HmmPfn(layout.Encode(request) | sticky[i] | ((0x5A5AUL << 20) + (uint)i));
        }

        using IMmuIntervalNotifier notifier = Space.InsertNotifier(range, null);
        HmmRange request0 = new()
        {
            Range = range,
            Notifier = notifier,
            NotifierSequence = notifier.ReadBegin(),
            DefaultFlags = (HmmRequestFlags)random.Next(8) & ~(random.Next(2) == 0 ? HmmRequestFlags.Fault : 0),
            PfnFlagsMask = (HmmRequestFlags)random.Next(8),
            Owner = random.Next(4) == 0 ? new OwnerId(1 + (uint)random.Next(6)) : Fabric.OwnerOf(member),
            FaultHabit = Shape.Habit,
            Policy = Shape.Policy,
            Client = random.Next(8) == 0 ? null : Fabric.ClientOf(member),
        };
        Say(Space.RangeFault(request0, words));
        for (int i = 0; i < words.Length; i++)
        {
            _answer.Add(words[i].Raw);
            PolicyInvariants.Require((words[i].Raw & layout.StickyMask) == sticky[i], $"sticky flags of entry {i} became {words[i].Raw & layout.StickyMask:x}, they were {sticky[i]:x}");
        }
    }

    private void ToggleChunk(int member, Random random)
    {
        int draw = random.Next(1000);
        if (Fabric.WindowOf(member) is not { } window)
        {
            return;
        }

        int chunk = draw % window.ChunkCount;
        if (window.SlotOf(chunk) >= 0)
        {
            Fabric.UnmapChunk(member, chunk);
        }
        else
        {
            Say(Fabric.MapChunk(member, chunk));
        }
    }

    private void Replug(int member)
    {
        if (Fabric.IsPlugged(member) || Fabric.DeviceOf(member) is not null)
        {
            _importers[member]?.Dispose();
            _importers[member] = null;
            Say(Fabric.Unplug(member));
            return;
        }

        Fabric.Plug(member);
        Attach(member);
    }

    private void Say(HmmStatus status) => _answer.Add((ulong)status);

    private void SayTables()
    {
        foreach (PageImporter? importer in _importers)
        {
            if (importer is null)
            {
                continue;
            }

            foreach (HmmPfn word in importer.Words)
            {
                _answer.Add(word.Raw);
            }

            foreach (PageOutcome outcome in importer.Outcomes)
            {
                _answer.Add((ulong)outcome);
            }

            ImporterCounters counters = importer.Counters;
            _answer.AddRange([counters.RangeFaultCalls, counters.SecondCalls, counters.BusyRetries, counters.DmaMapFailures, counters.UnusablePfns, counters.TlbInvalidations, counters.PagesUnmapped]);
            for (int i = 0; i < Shape.PageCount; i++)
            {
                _answer.Add(importer.ExporterAddressOf(i).Value);
            }

            DmaMapCounters exported = importer.ExporterDmaCounters;
            _answer.AddRange([exported.Mapped, exported.MappedBus, exported.MappedThruHostBridge, exported.Failed, exported.Unmapped, exported.P2pLookups]);
            DmaMapCounters dma = importer.DmaCounters;
            _answer.AddRange([dma.Mapped, dma.MappedBus, dma.MappedThruHostBridge, dma.Kept, dma.Failed, dma.Unmapped, dma.P2pLookups]);
        }

        FabricCounters fabric = Fabric.Counters;
        _answer.AddRange([fabric.EvictedPages, fabric.OwnerChanges, fabric.RevokedPages, fabric.RevokedRuns, fabric.Reregistrations]);
    }
}
