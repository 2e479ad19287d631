using HmmFast.Policies;

namespace HmmFast.Properties.Equivalence;

/// <summary>One memory system and everything a script drives on it: processes, devices, files, notifiers, pins.</summary>
/// <remarks>Two worlds of one shape that are given the same operations must say the same. Each step returns what it answered as text-free words, in a list.</remarks>
public sealed partial class World : IDisposable
{
    public const int MostSpaces = 4;
    private const int MostPins = 8;

    private readonly List<Pfn> _pins = [];
    private readonly List<ulong> _answer = [];
    private readonly Dictionary<IAddressSpace, Watch> _watches = [];
    private readonly FileId[] _files;
    private readonly DeviceId[] _devices;
    private readonly OwnerId[] _owners;
    private readonly HmmClient[] _clients;
    private readonly ContentOracle _oracle = new();
    private uint _nextTag = 1;

    public World(WorldShape shape, Func<MemorySystemOptions, IMemorySystem> make)
    {
        Shape = shape;
        Memory = make(shape.Options);
        _owners = [new OwnerId(1), new OwnerId(shape.IsBordered ? 1u : 2u), new OwnerId(shape.SharedOwner ? 1u : 3u)];
        _devices = [AddDevice("gpu0", 0, shape.DevicePages), AddDevice("gpu1", 1, shape.SecondDevicePages), AddDevice("gpu2", 2, shape.DevicePages)];
        _clients = shape.HasWindows ? MakeClients() : [];
        _files =
        [
            Memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = shape.FilePages, InitialTag = page => page % 2 == 0 ? 0x7F00_0000 | page : 0 }),
            Memory.CreateFile(new FileOptions { Kind = FileKind.Disk, PageCount = shape.FilePages, InitialTag = page => page % 2 == 0 ? 0x7E00_0000 | page : 0 }),
        ];
        for (int i = 0; i < 2; i++)
        {
            IAddressSpace space = Memory.CreateAddressSpace();
            Watch(space);
            _oracle.Start(space);
        }
    }

    public WorldShape Shape { get; }

    public IMemorySystem Memory { get; }

    /// <summary>Null, or the first page whose content is not what the operations put there.</summary>
    public string? ContentLoss { get; private set; }

    /// <summary>Reads every page of every process, so that <see cref="ContentLoss"/> speaks of all of them.</summary>
    public void ReadEverything()
    {
        foreach (IAddressSpace space in Memory.AddressSpaces)
        {
            _answer.Clear();
            CpuRead(space, Shape.Window);
        }
    }

    /// <summary>Does one step and returns every word it answered, notifier events included. The list is reused by the next step.</summary>
    public IReadOnlyList<ulong> Do(Operation operation)
    {
        _answer.Clear();
        IAddressSpace space = Memory.AddressSpaces[operation.Space % Memory.AddressSpaces.Count];
        VpnRange range = Shape.RangeOf(operation);
        switch (operation.Kind)
        {
            case OperationKind.Map:
                Map(space, range, operation);
                break;
            case OperationKind.MapWindow:
                MapAnonymous(space, Shape.Window);
                break;
            case OperationKind.Unmap:
                Say(space.Unmap(range));
                _oracle.Forget(space, range);
                break;
            case OperationKind.Protect:
                Say(space.Protect(range, ProtectionOf(operation.A)));
                break;
            case OperationKind.DontNeed:
                DontNeed(space, range);
                break;
            case OperationKind.Free:
                Say(space.Advise(range, Advice.Free));
                _oracle.Forget(space, range);
                break;
            case OperationKind.PageOut:
                Say(space.Advise(range, Advice.PageOut));
                break;
            case OperationKind.HugePage:
                Say(space.Advise(Shape.WideRangeOf(operation), Advice.HugePage));
                break;
            case OperationKind.NoHugePage:
                Say(space.Advise(range, Advice.NoHugePage));
                break;
            case OperationKind.Collapse:
                Say(space.Advise(Shape.WideRangeOf(operation), Advice.Collapse));
                break;
            case OperationKind.Remap:
                Remap(space, range, Shape.PlaceOf(operation.A, range.PageCount));
                break;
            case OperationKind.Fork:
                if (Memory.AddressSpaces.Count < MostSpaces)
                {
                    IAddressSpace child = space.Fork();
                    Watch(child);
                    _oracle.Fork(space, child);
                }

                break;
            case OperationKind.Exit:
                if (Memory.AddressSpaces.Count > 1 && !IsMigrating(space))
                {
                    _watches[space].Notifier.Dispose();
                    _watches.Remove(space);
                    _oracle.End(space);
                    space.Dispose();
                }

                break;
            case OperationKind.ClearSoftDirty:
                space.ClearSoftDirty();
                break;
            case OperationKind.CpuRead:
                CpuRead(space, range);
                break;
            case OperationKind.CpuWrite:
                CpuWrite(space, range);
                break;
            case OperationKind.RangeFault:
                RangeFault(space, range, operation, perPage: false);
                break;
            case OperationKind.RangeFaultPerPage:
                RangeFault(space, range, operation, perPage: true);
                break;
            case OperationKind.MigrateToDevice:
                MigrateToDevice(space, range, operation);
                break;
            case OperationKind.MigrateToSystem:
                MigrateToSystem(space, Shape.MixedRangeOf(operation), operation);
                break;
            case OperationKind.MigrateAcross:
                MigrateAcross(space, Shape.LongRangeOf(operation), operation);
                break;
            case OperationKind.Extents:
                Extents(space, Shape.MixedRangeOf(operation), operation);
                break;
            case OperationKind.Batch:
                Batch(space, Shape.MixedRangeOf(operation), operation);
                break;
            case OperationKind.Classify:
                Classify(space, Shape.MixedRangeOf(operation), operation);
                break;
            case OperationKind.MakeExclusive:
                MakeExclusive(space, range, operation);
                break;
            case OperationKind.Pin:
                Pin(space, range);
                break;
            case OperationKind.Unpin:
                if (_pins.Count > 0)
                {
                    Memory.Unpin(_pins[^1]);
                    _pins.RemoveAt(_pins.Count - 1);
                }

                break;
            case OperationKind.DeviceWrite:
                DeviceWrite(space, range);
                break;
            case OperationKind.MoveNotifier:
                _watches[space].Notifier.Dispose();
                _watches[space] = NewWatch(space, range);
                break;
            case OperationKind.Invalidate:
                Invalidate(space, range, operation);
                break;
            case OperationKind.Poison:
                Poison(space, range, operation);
                break;
            case OperationKind.InsertMixed:
                InsertMixed(space, range, operation);
                break;
            case OperationKind.BeginMigration:
                BeginMigration(space, Shape.MixedRangeOf(operation), operation);
                break;
            case OperationKind.MovePages:
                MovePages(operation);
                break;
            case OperationKind.FinishMigration:
                FinishMigration(operation);
                break;
            default:
                throw new InvalidOperationException($"No world knows {operation.Kind}.");
        }

        foreach (Watch watch in _watches.Values)
        {
            _answer.Add(watch.HasMoved() ? 1UL : 0);
        }

        return _answer;
    }

    public void Dispose()
    {
        foreach (Pfn pin in _pins)
        {
            Memory.Unpin(pin);
        }

        Memory.Dispose();
    }

    private static Protection ProtectionOf(int a) => (a % 5) switch
    {
        0 => Protection.None,
        1 => Protection.Read,
        _ => Protection.ReadWrite,
    };

    private void Say(HmmStatus status) => _answer.Add((ulong)status);

    private void Watch(IAddressSpace space) => _watches.Add(space, NewWatch(space, Shape.Window));

    private Watch NewWatch(IAddressSpace space, VpnRange range) => Shape.TakesRuns ? new RunWatch(space, range, _answer) : new Watch(space, range, _answer);

    private void Map(IAddressSpace space, VpnRange range, Operation operation)
    {
        MappingKind kind = (operation.B % 16) switch
        {
            0 => MappingKind.SharedAnonymous,
            1 or 2 => MappingKind.PrivateFile,
            3 or 4 => MappingKind.SharedFile,
            5 => MappingKind.DriverMixed,
            6 => operation.A % 2 == 0 ? MappingKind.DriverPfn : MappingKind.DriverIo,
            _ => MappingKind.PrivateAnonymous,
        };
        if (!Shape.HasFiles)
        {
            kind = MappingKind.PrivateAnonymous;
        }

        bool isFile = kind is MappingKind.PrivateFile or MappingKind.SharedFile;
        HmmStatus status = space.Map(
            range,
            ProtectionOf(operation.A),
            kind,
            isFile ? _files[operation.B / 16 % _files.Length] : FileId.None,
            isFile ? (ulong)(operation.A / 8) % (Shape.FilePages + 2) : 0);
        Say(status);
        _oracle.Forget(space, range);
        if (status == HmmStatus.Ok && kind == MappingKind.PrivateAnonymous)
        {
            _oracle.Know(space, range, 0);
        }
    }

    /// <summary>Numbers without struct page in a driver's mapping: one that is there, or a new one, where something was taken away before.</summary>
    private void InsertMixed(IAddressSpace space, VpnRange range, Operation operation)
    {
        const ulong FirstNumber = 1UL << 30;
        VmaInfo? mapping = space.Vmas.Where(vma => vma.Kind == MappingKind.DriverMixed && vma.Range.Overlaps(range)).Cast<VmaInfo?>().FirstOrDefault();
        if (operation.A % 4 == 0 || mapping is null)
        {
            Say(space.Map(range, ProtectionOf(operation.A / 4), MappingKind.DriverMixed, FileId.None, 0));
        }
        else
        {
            range = VpnRange.FromBounds(
                new Vpn(Math.Max(range.Start.Value, mapping.Value.Range.Start.Value)), new Vpn(Math.Min(range.End.Value, mapping.Value.Range.End.Value)));
        }

        if (operation.B % 3 != 0)
        {
            Say(space.Advise(new VpnRange(range.Start, (range.PageCount + 1) / 2), Advice.DontNeed));
        }

        _oracle.Forget(space, range);
        Say(space.InsertMixed(range, new Pfn(FirstNumber + ((ulong)operation.B % 64))));
    }

    /// <summary>One page or a few fail.</summary>
    private void Poison(IAddressSpace space, VpnRange range, Operation operation)
    {
        ulong count = Math.Min(range.PageCount, 1 + ((ulong)operation.A % 4));
        for (ulong i = 0; i < count; i++)
        {
            Say(space.Poison(range.Start + i));
        }
    }

    private void Invalidate(IAddressSpace space, VpnRange range, Operation operation)
    {
        if (!range.IsEmpty)
        {
            space.Invalidate(range, (InvalidationEvent)(operation.A % ((int)InvalidationEvent.Revoke + 1)), _owners[operation.B % _owners.Length]);
        }
    }

    private void MapAnonymous(IAddressSpace space, VpnRange range)
    {
        HmmStatus status = space.Map(range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        Say(status);
        if (status == HmmStatus.Ok)
        {
            _oracle.Know(space, range, 0);
        }
    }

    private void DontNeed(IAddressSpace space, VpnRange range)
    {
        HmmStatus status = space.Advise(range, Advice.DontNeed);
        Say(status);
        if (status == HmmStatus.Invalid)
        {
            // It stopped at a VMA that cannot take the advice; what lies before it is gone.
            _oracle.Forget(space, range);
        }
        else
        {
            _oracle.Drop(space, range);
        }
    }

    private void Remap(IAddressSpace space, VpnRange range, Vpn to)
    {
        HmmStatus status = space.Remap(range, to);
        Say(status);
        var target = new VpnRange(to, range.PageCount);
        if (status == HmmStatus.Ok && !range.Overlaps(target))
        {
            _oracle.Move(space, range, to);
        }
        else
        {
            _oracle.Forget(space, range);
            _oracle.Forget(space, target);
        }
    }

    private void CpuRead(IAddressSpace space, VpnRange range)
    {
        var tags = new ulong[range.PageCount];
        var results = new CpuAccessResult[range.PageCount];
        if (!MayTouch(() => space.CpuRead(range, tags, results)))
        {
            return;
        }

        Say(tags, results);
        for (int i = 0; i < tags.Length; i++)
        {
            if (results[i] == CpuAccessResult.Ok)
            {
                ContentLoss ??= _oracle.Check(space, range.Start + (ulong)i, tags[i]);
            }
        }
    }

    private void CpuWrite(IAddressSpace space, VpnRange range)
    {
        var results = new CpuAccessResult[range.PageCount];
        ulong tag = (ulong)_nextTag++ << 24;
        if (!MayTouch(() => space.CpuWrite(range, tag, 1, results)))
        {
            // Pages in front of the one that is being migrated were written.
            _oracle.Forget(space, range);
            return;
        }

        Say([], results);
        for (int i = 0; i < results.Length; i++)
        {
            if (results[i] == CpuAccessResult.Ok)
            {
                _oracle.Written(space, range.Start + (ulong)i, tag + (ulong)i);
            }
        }
    }

    private void Say(ReadOnlySpan<ulong> tags, ReadOnlySpan<CpuAccessResult> results)
    {
        foreach (ulong tag in tags)
        {
            _answer.Add(tag);
        }

        foreach (CpuAccessResult result in results)
        {
            _answer.Add((ulong)result);
        }
    }

    private sealed class OpsLog(List<ulong> answer) : IDevicePagemapOps
    {
        public void MigratedToRam(IAddressSpace space, Vpn vpn, Pfn devicePage, Pfn systemPage)
        {
            answer.Add(vpn.Value);
            answer.Add(devicePage.Value);
            answer.Add(systemPage.Value);
        }

        public void PageFreed(Pfn devicePage)
        {
            // The order in which pages of one operation are freed is not part of the contract; that they are is seen in the free count.
        }
    }
}
