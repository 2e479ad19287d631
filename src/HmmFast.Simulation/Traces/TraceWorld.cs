using HmmFast.Drivers.Mirror;

namespace HmmFast.Simulation.Traces;

/// <summary>The machine a sequence is replayed on: one memory system, two mirror devices, a parent with the recorded region, its child.</summary>
public sealed class TraceWorld : IDisposable
{
    // The recorder reserved its region away from everything else, so nothing but the region lies under its 1 GiB entry. The region
    // begins a few blocks in, so that there is room on both sides within the window.
    private const ulong WindowStart = 64UL << 18;
    private const ulong BlocksBefore = 2;
    private const ulong PagesAfter = 1024;

    // Enough for the region in parent, child and swap at once, and for huge pages beside them; device memory is never short in a recording.
    private const ulong FrameCountFloor = 16384;
    private const ulong DevicePageCountFloor = 8192;

    // What a recorder's file holds before anything writes it: even pages a tag, odd pages nothing.
    private const ulong MemfdTag = 0x7F000000;
    private const ulong DiskTag = 0x7E000000;

    // Marks the words of a direct range fault, so that an untouched one is known bit by bit.
    private const ulong WordMarker = 0xA5A5A5A500000;

    private readonly MirrorDevice[] _devices;
    private readonly FileId _memfd;
    private readonly FileId _disk;

    /// <summary>Sets the machine up.</summary>
    /// <param name="create">Makes the memory system under test.</param>
    /// <param name="sequence">The sequence to come.</param>
    public TraceWorld(Func<MemorySystemOptions, IMemorySystem> create, TraceSequence sequence)
        : this(create, sequence.Header, sequence.DiskFileKind)
    {
    }

    /// <summary>Sets the machine up for a sequence that is still to be made.</summary>
    /// <param name="create">Makes the memory system under test.</param>
    /// <param name="header">The sequence's header.</param>
    /// <param name="diskFileKind">What stands behind "ext2" mappings.</param>
    public TraceWorld(Func<MemorySystemOptions, IMemorySystem> create, TraceHeader header, FileKind diskFileKind)
    {
        ArgumentNullException.ThrowIfNull(create);
        ArgumentNullException.ThrowIfNull(header);
        PageCount = header.PageCount;
        ulong pages = (ulong)header.PageCount;
        RegionStart = new Vpn(WindowStart + BlocksBefore * PageOrder.PagesPerBlock + (ulong)header.PmdOffset);
        ulong windowEnd = RegionStart.Value + pages + PagesAfter;
        Memory = create(new MemorySystemOptions
        {
            SystemFrameCount = Math.Max(FrameCountFloor, pages * 8),
            SwapSlotCount = Math.Max(FrameCountFloor, pages * 8),
            Window = new VpnRange(new Vpn(WindowStart), (windowEnd - WindowStart + PageOrder.PagesPerBlock - 1) / PageOrder.PagesPerBlock * PageOrder.PagesPerBlock),
            Layout = HmmPfnLayout.Linux612,
            TrackContent = true,
        });
        ulong devicePages = Math.Max(DevicePageCountFloor, pages * 4);
        _devices =
        [
            new MirrorDevice(Memory, "mirror0", devicePages, new OwnerId(1), header.DeviceKind),
            new MirrorDevice(Memory, "mirror1", devicePages, new OwnerId(2), header.DeviceKind),
        ];
        ulong filePages = (ulong)header.FilePageCount;
        _memfd = Memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = filePages, InitialTag = static page => page % 2 == 0 ? MemfdTag | page : 0 });
        _disk = header.HasDiskFile
            ? Memory.CreateFile(new FileOptions { Kind = diskFileKind, PageCount = filePages, InitialTag = static page => page % 2 == 0 ? DiskTag | page : 0 })
            : FileId.None;
        Parent = Memory.CreateAddressSpace();
        foreach (MirrorDevice device in _devices)
        {
            device.Attach(Parent);
        }
    }

    /// <summary>The memory system under test.</summary>
    public IMemorySystem Memory { get; }

    /// <summary>The process the region belongs to, mirrored by both devices.</summary>
    public IAddressSpace Parent { get; }

    /// <summary>The forked child, if one is alive.</summary>
    public IAddressSpace? Child { get; private set; }

    /// <summary>The two devices.</summary>
    public IReadOnlyList<MirrorDevice> Devices => _devices;

    /// <summary>The region's first page.</summary>
    public Vpn RegionStart { get; }

    /// <summary>The region's pages.</summary>
    public int PageCount { get; }

    /// <summary>The region.</summary>
    public VpnRange Region => new(RegionStart, (ulong)PageCount);

    /// <inheritdoc/>
    public void Dispose()
    {
        Child?.Dispose();
        foreach (MirrorDevice device in _devices)
        {
            device.Dispose();
        }

        Parent.Dispose();
        Memory.Dispose();
    }

    /// <summary>Does one step.</summary>
    /// <exception cref="InvalidOperationException">The step needs a child and there is none.</exception>
    public TraceAnswer Execute(TraceStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        VpnRange range = step.Count > 0 ? new VpnRange(RegionStart + (ulong)step.Page, (ulong)step.Count) : default;
        return step.Operation switch
        {
            TraceOperation.Map => Outcome(Parent.Map(range, step.Protection, step.MappingKind, FileOf(step), step.PageOffset)),
            TraceOperation.Unmap => Outcome(Parent.Unmap(range)),
            TraceOperation.Protect => Outcome(Parent.Protect(range, step.Protection)),
            TraceOperation.Advise => Outcome(Parent.Advise(range, step.Advice)),
            TraceOperation.Remap => Outcome(Parent.Remap(range, RegionStart + (ulong)step.To)),
            TraceOperation.CpuRead => CpuRead(Parent, range),
            TraceOperation.CpuWrite => CpuWrite(Parent, range, step.Tag),
            TraceOperation.ChildRead => CpuRead(LiveChild(), range),
            TraceOperation.ChildWrite => CpuWrite(LiveChild(), range, step.Tag),
            TraceOperation.Fork => Fork(),
            TraceOperation.ChildExit => ChildExit(),
            TraceOperation.ClearSoftDirty => ClearSoftDirty(),
            TraceOperation.RangeFault => RangeFault(step, range),
            _ => DeviceCommand(step),
        };
    }

    private static TraceAnswer Outcome(HmmStatus status) => new() { Status = status };

    private static TraceAnswer Outcome(MirrorResult result) =>
        new() { Status = result.Status, CopiedPageCount = result.PageCount, FaultCount = result.FaultRoundCount };

    private static TraceAnswer CpuRead(IAddressSpace space, VpnRange range)
    {
        TraceAnswer answer = new() { Tags = new ulong[range.PageCount], Accesses = new CpuAccessResult[range.PageCount] };
        space.CpuRead(range, answer.Tags, answer.Accesses);
        return answer;
    }

    private static TraceAnswer CpuWrite(IAddressSpace space, VpnRange range, ulong tag)
    {
        TraceAnswer answer = new() { Accesses = new CpuAccessResult[range.PageCount] };
        space.CpuWrite(range, tag, 1, answer.Accesses);
        return answer;
    }

    private FileId FileOf(TraceStep step) => step.MappingKind is MappingKind.PrivateFile or MappingKind.SharedFile
        ? step.IsDiskFile ? _disk : _memfd
        : FileId.None;

    private IAddressSpace LiveChild() => Child ?? throw new InvalidOperationException("The step drives a child, but none is alive.");

    private TraceAnswer Fork()
    {
        Child = Parent.Fork();
        return new TraceAnswer();
    }

    private TraceAnswer ChildExit()
    {
        LiveChild().Dispose();
        Child = null;
        return new TraceAnswer();
    }

    private TraceAnswer ClearSoftDirty()
    {
        Parent.ClearSoftDirty();
        return new TraceAnswer();
    }

    private TraceAnswer DeviceCommand(TraceStep step)
    {
        MirrorDevice device = _devices[step.Device];
        ulong address = (RegionStart.Value + (ulong)step.Page) * PageOrder.PageSizeBytes;
        ulong count = (ulong)step.Count;
        switch (step.Bad)
        {
            case TraceBadArgument.NoPages:
                count = 0;
                break;
            case TraceBadArgument.Unaligned:
                address += 8;
                break;
            case TraceBadArgument.Overflow:
                count = ulong.MaxValue / PageOrder.PageSizeBytes + 1 - address / PageOrder.PageSizeBytes;
                break;
        }

        // A buffer that cannot be used is an empty one.
        int buffer = step.Bad is TraceBadArgument.BadPointer or TraceBadArgument.Overflow ? 0 : step.Count;
        ulong[] tags = new ulong[buffer];
        switch (step.Operation)
        {
            case TraceOperation.DeviceRead:
                return WithTags(Outcome(device.Read(address, count, tags)), tags);
            case TraceOperation.DeviceWrite:
                for (int i = 0; i < tags.Length; i++)
                {
                    tags[i] = step.Tag + (ulong)i;
                }

                return Outcome(device.Write(address, count, tags));
            case TraceOperation.Snapshot:
                MirrorProtection[] protections = new MirrorProtection[buffer];
                TraceAnswer snapshot = Outcome(device.Snapshot(address, count, protections));
                snapshot.Protections = protections;
                return snapshot;
            case TraceOperation.MigrateToDevice:
                return WithTags(Outcome(device.MigrateToDevice(address, count, tags)), tags);
            case TraceOperation.MigrateToSystem:
                return Outcome(device.MigrateToSystem(address, count));
            case TraceOperation.Exclusive:
                return WithTags(Outcome(device.MakeExclusive(address, count, tags)), tags);
            case TraceOperation.CheckExclusive:
                return Outcome(device.CheckExclusive(address, count));
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step.Operation, "Not a device command.");
        }
    }

    private static TraceAnswer WithTags(TraceAnswer answer, ulong[] tags)
    {
        answer.Tags = tags;
        return answer;
    }

    private TraceAnswer RangeFault(TraceStep step, VpnRange range)
    {
        HmmPfnLayout layout = Memory.Options.Layout;
        HmmPfn[] words = new HmmPfn[step.Count];
        foreach (TraceRequestRun run in step.Requests)
        {
            for (int i = 0; i < run.Count; i++)
            {
                int index = run.Page - step.Page + i;
                words[index] = new HmmPfn(layout.Encode(run.Request) | (WordMarker + (ulong)index));
            }
        }

        OwnerId owner = step.RequestOwner switch
        {
            "own" => _devices[step.Device].Owner,
            "other" => _devices[1 - step.Device].Owner,
            _ => OwnerId.Null,
        };
        TraceAnswer answer = new() { Requests = (HmmPfn[])words.Clone(), Words = words };
        MirrorRangeFaultResult result =
            _devices[step.Device].FaultRange(range, step.DefaultFlags, step.Mask, owner, step.MaxRetry, step.KeepArray, words);
        answer.Status = result.Status;
        answer.BusyCount = result.BusyCount;
        return answer;
    }
}
