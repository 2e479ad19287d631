namespace HmmFast.Properties.Equivalence;

/// <summary>One memory system and everything a script drives on it: processes, devices, files, notifiers, pins.</summary>
/// <remarks>Two worlds of one shape that are given the same operations must say the same. Each step returns what it answered as text-free words, in a list.</remarks>
public sealed class World : IDisposable
{
    public const int MostSpaces = 4;
    private const int MostPins = 8;

    private readonly List<Pfn> _pins = [];
    private readonly List<ulong> _answer = [];
    private readonly Dictionary<IAddressSpace, Watch> _watches = [];
    private readonly FileId[] _files;
    private readonly DeviceId[] _devices;
    private readonly OwnerId[] _owners;
    private readonly ContentOracle _oracle = new();
    private uint _nextTag = 1;

    public World(WorldShape shape, Func<MemorySystemOptions, IMemorySystem> make)
    {
        Shape = shape;
        Memory = make(shape.Options);
        _owners = [new OwnerId(1), new OwnerId(2), new OwnerId(shape.SharedOwner ? 1u : 3u)];
        _devices =
        [
            Memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = shape.DevicePages, Owner = _owners[0], Ops = new OpsLog(_answer) }),
            Memory.AddDevice(new DeviceOptions { Name = "gpu1", PageCount = shape.DevicePages / 2 + 1, Owner = _owners[1], Ops = new OpsLog(_answer) }),
            Memory.AddDevice(new DeviceOptions
            {
                Name = "coherent0",
                PageCount = shape.DevicePages,
                Owner = _owners[2],
                Kind = shape.ThirdIsCoherent ? DeviceMemoryKind.Coherent : DeviceMemoryKind.Private,
                Ops = new OpsLog(_answer),
            }),
        ];
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
                if (Memory.AddressSpaces.Count > 1)
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
                MigrateToSystem(space, range, operation);
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
        _answer.Add((ulong)space.CpuRead(range, tags, results));
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
        _answer.Add((ulong)space.CpuWrite(range, tag, 1, results));
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

    private void RangeFault(IAddressSpace space, VpnRange range, Operation operation, bool perPage)
    {
        if (range.IsEmpty)
        {
            return;
        }

        HmmPfnLayout layout = Shape.Options.Layout;
        var words = new HmmPfn[range.PageCount];
        var random = new Random(operation.B);
        int style = random.Next(4);
        for (int i = 0; i < words.Length; i++)
        {
            HmmRequestFlags request = !perPage ? HmmRequestFlags.None : RandomRequest(random, style, i);
            ulong sticky = (ulong)random.NextInt64() & layout.StickyMask;
            words[i] = new HmmPfn(layout.Encode(request) | sticky | ((0xA5A5UL << 20) + (uint)i));
        }

        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        ulong sequence = notifier.ReadBegin();
        bool isStale = random.Next(16) == 0;
        int tries = random.Next(3) == 0 ? 1 : 6;
        var request0 = new HmmRange
        {
            Range = range,
            Notifier = notifier,
            NotifierSequence = isStale ? sequence ^ 2 : sequence,
            DefaultFlags = perPage && random.Next(2) == 0 ? HmmRequestFlags.None : RandomRequest(random, 3, 0),
            PfnFlagsMask = perPage ? random.Next(4) == 0 ? HmmRequestFlags.Fault : HmmRequestFlags.All : HmmRequestFlags.None,
            Owner = random.Next(4) switch { 0 => OwnerId.Null, 1 => _owners[1], 2 => _owners[2], _ => _owners[0] },
            IgnoresWords = random.Next(4) == 0,
            FaultHabit = Shape.OnlyAsked ? FaultHabit.OnlyAsked : FaultHabit.RunForward,
        };
        HmmStatus status;
        do
        {
            status = space.RangeFault(request0, words);
            Say(status);
            request0 = request0 with { NotifierSequence = notifier.ReadBegin() };
        }
        while (status == HmmStatus.Busy && --tries > 0);
        foreach (HmmPfn word in words)
        {
            _answer.Add(word.Raw);
        }
    }

    private static HmmRequestFlags RandomRequest(Random random, int style, int page) => style switch
    {
        0 => page % 7 == 3 ? HmmRequestFlags.Fault : HmmRequestFlags.None,
        1 => random.Next(24) switch
        {
            0 => HmmRequestFlags.Fault | HmmRequestFlags.Write,

            // Write without fault means nothing, and must go on meaning nothing.
            1 => HmmRequestFlags.Write,
            2 => HmmRequestFlags.Fault,
            _ => HmmRequestFlags.None,
        },
        _ => random.Next(4) switch
        {
            0 => HmmRequestFlags.None,
            1 => HmmRequestFlags.Fault | HmmRequestFlags.Write,
            _ => HmmRequestFlags.Fault,
        },
    };

    private void MigrateToDevice(IAddressSpace space, VpnRange range, Operation operation)
    {
        int device = operation.A % _devices.Length;
        var migration = new MigrateVma(range, MigrateVmaFlags.SelectSystem, _owners[device]);
        HmmStatus status = space.MigrateVmaSetup(migration);
        Say(status);
        if (status != HmmStatus.Ok)
        {
            return;
        }

        Say(migration);

        // Now and then a driver gives a page no destination: it must stay where it is.
        Give(migration, operation, device, i => (operation.B >> (i % 16) & 0x11) != 0x11, (source, page) => MigratePfn.Of(page, migrating: false, source.IsWritable || !source.IsValid));
        Finish(space, migration);
    }

    private void MigrateToSystem(IAddressSpace space, VpnRange range, Operation operation)
    {
        int device = operation.A % _devices.Length;
        MigrateVmaFlags select = operation.B % 8 == 0
            ? MigrateVmaFlags.SelectDevicePrivate | MigrateVmaFlags.SelectDeviceCoherent
            : device == 2 && Shape.ThirdIsCoherent ? MigrateVmaFlags.SelectDeviceCoherent : MigrateVmaFlags.SelectDevicePrivate;
        var migration = new MigrateVma(range, select, _owners[device]);
        HmmStatus status = space.MigrateVmaSetup(migration);
        Say(status);
        if (status != HmmStatus.Ok)
        {
            return;
        }

        Say(migration);
        Give(migration, operation, null, _ => true, (source, page) => MigratePfn.Of(page, migrating: false, source.IsWritable));
        Finish(space, migration);
    }

    /// <summary>Gives pages destinations: in one call, or one by one.</summary>
    private void Give(MigrateVma migration, Operation operation, int? device, Func<int, bool> isGiven, Func<MigratePfn, Pfn, MigratePfn> destination)
    {
        int[] wanted = [.. Enumerable.Range(0, migration.Source.Length).Where(i => migration.Source[i].IsMigrating && isGiven(i))];
        var pages = new Pfn[wanted.Length];
        int taken = 0;
        if (operation.B % 3 == 0)
        {
            taken = device is { } index ? Memory.AllocateDevicePages(_devices[index], pages) : Memory.AllocateSystemPages(pages);
        }
        else
        {
            while (taken < pages.Length
                && (device is { } one ? Memory.TryAllocateDevicePage(_devices[one], out pages[taken]) : Memory.TryAllocateSystemPage(out pages[taken])) == HmmStatus.Ok)
            {
                taken++;
            }
        }

        for (int i = 0; i < taken; i++)
        {
            MigratePfn source = migration.Source[wanted[i]];
            Copy(source, pages[i]);
            migration.Destination[wanted[i]] = destination(source, pages[i]);
        }
    }

    private void Copy(MigratePfn source, Pfn page) => Memory.WriteContent(page, source.IsValid ? Memory.ReadContent(source.Pfn) : 0);

    private void Finish(IAddressSpace space, MigrateVma migration)
    {
        space.MigrateVmaPages(migration);
        Say(migration);
        space.MigrateVmaFinalize(migration);
    }

    private void Say(MigrateVma migration)
    {
        _answer.Add(migration.CollectedPageCount);
        foreach (MigratePfn source in migration.Source)
        {
            _answer.Add(source.Raw);
        }
    }

    private void MakeExclusive(IAddressSpace space, VpnRange range, Operation operation)
    {
        var pages = new Pfn[range.PageCount];
        Say(space.MakeDeviceExclusive(range, _owners[operation.A % _owners.Length], pages, out ulong count));
        _answer.Add(count);
        foreach (Pfn page in pages)
        {
            _answer.Add(page.Value);
        }
    }

    private void Pin(IAddressSpace space, VpnRange range)
    {
        if (range.IsEmpty || _pins.Count >= MostPins)
        {
            return;
        }

        var page = new PageObservation[1];
        space.Observe(new VpnRange(range.Start, 1), page);
        if (page[0].Kind == PageEntryKind.Present && !page[0].IsZeroPage && page[0].Frame.IsFrame)
        {
            Memory.Pin(page[0].Frame);
            _pins.Add(page[0].Frame);
        }
    }

    private void DeviceWrite(IAddressSpace space, VpnRange range)
    {
        var pages = new PageObservation[range.PageCount];
        space.Observe(range, pages);
        for (int i = 0; i < pages.Length; i++)
        {
            // A writable private entry is held by one process alone, so nobody else sees the write.
            if (pages[i].Kind == PageEntryKind.DevicePrivate && pages[i].IsWritable)
            {
                ulong tag = (ulong)_nextTag++ << 24;
                Memory.WriteContent(pages[i].Frame, tag);
                _oracle.Written(space, range.Start + (ulong)i, tag);
            }
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

/// <summary>A long-lived notifier over a whole window, which logs what it is told.</summary>
internal class Watch : IInvalidationHandler
{
    private readonly List<ulong> _log;
    private ulong _sequence;

    public Watch(IAddressSpace space, VpnRange range, List<ulong> log)
    {
        _log = log;
        Notifier = space.InsertNotifier(range.IsEmpty ? new VpnRange(range.Start, 1) : range, this);
        _sequence = Notifier.ReadBegin();
    }

    public IMmuIntervalNotifier Notifier { get; }

    /// <summary>True when the sequence moved since this was last asked. What the numbers are is the implementation's affair.</summary>
    public bool HasMoved()
    {
        bool moved = Notifier.ReadRetry(_sequence);
        _sequence = Notifier.ReadBegin();
        return moved;
    }

    public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        _log.Add(((ulong)info.Event << 32) | info.Owner.Value);
        _log.Add(info.Range.Start.Value);
        _log.Add(info.Range.PageCount);
        return !(info.Event == InvalidationEvent.Migrate && info.Owner.Value == 1);
    }
}

/// <summary>The same for an engine that tells of many pages at once; logs each of them.</summary>
internal sealed class RunWatch(IAddressSpace space, VpnRange range, List<ulong> log) : Watch(space, range, log), IRunInvalidationHandler
{
    public ulong InvalidateEach(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        ulong counted = 0;
        for (ulong i = 0; i < info.Range.PageCount; i++)
        {
            counted += Invalidate(notifier, info with { Range = new VpnRange(info.Range.Start + i, 1) }) ? 1UL : 0;
        }

        return counted;
    }
}
