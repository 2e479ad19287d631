using HmmFast.AddressSpaces;
using HmmFast.Faulting;
using HmmFast.Kernels;
using HmmFast.Memory;
using HmmFast.Physical;

namespace HmmFast;

/// <summary>The data-oriented engine: physical memory, devices, files and address spaces as columns in native memory.</summary>
/// <remarks>
/// Costs: 5 bytes a page of page table, 12 a frame (20 with content) and a bit for the free list, committed only where touched. Pages are 4 KiB. Address spaces are reserved for the whole of
/// <see cref="MemorySystemOptions.Window"/>. Every address space it makes is an <see cref="IColumnAddressSpace"/>. There are 256 page classes for all combinations of entry kind, bits
/// and private device. Source: what Linux 6.12 answered, recorded under tests/HmmFast.Conformance.Tests/Recordings. Not safe for concurrent calls, except <see cref="IAddressSpace.RangeFault"/> without fault requests.
/// </remarks>
public sealed class MemorySystem : IMemorySystem, IKernelUser
{
    /// <summary>Private devices whose pages can be in use over a memory system's life: each takes page classes for good when its first page is taken.</summary>
    public const int MostPrivateDevices = PageClassTable.MostDevices;

    private readonly MemoryCore _core;
    private readonly RangeFaultEngine _faulting;
    private bool _isDisposed;

    /// <summary>Makes an engine with the options' defaults.</summary>
    public MemorySystem()
        : this(new MemorySystemOptions())
    {
    }

    /// <summary>Makes an engine at the best width this machine has.</summary>
    /// <param name="options">Sizes and layout.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size has no room in 32-bit frame numbers.</exception>
    /// <exception cref="InsufficientMemoryException">The columns cannot be reserved.</exception>
    public MemorySystem(MemorySystemOptions options)
        : this(options, null)
    {
    }

    /// <summary>Makes an engine.</summary>
    /// <param name="options">Sizes and layout.</param>
    /// <param name="kernels">The vector loops to use; null takes <see cref="KernelSet.Best"/>.</param>
    /// <param name="ledger">The book its native memory is entered in; null keeps one of its own.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size has no room in 32-bit frame numbers.</exception>
    /// <exception cref="InsufficientMemoryException">The columns cannot be reserved.</exception>
    public MemorySystem(MemorySystemOptions options, KernelSet? kernels, NativeMemoryLedger? ledger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Window.IsEmpty || options.Window.PageCount > uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Window, $"The window {options.Window} has {options.Window.PageCount} pages; 1..{uint.MaxValue} can be kept.");
        }

        if (options.SwapSlotCount > uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.SwapSlotCount, $"SwapSlotCount is {options.SwapSlotCount}; slot numbers have 32 bits.");
        }

        Options = options;
        Ledger = ledger ?? new NativeMemoryLedger();
        _core = new MemoryCore(options, Ledger, kernels ?? KernelSet.Best);
        _faulting = new RangeFaultEngine(_core);
    }

    /// <inheritdoc/>
    public MemorySystemOptions Options { get; }

    /// <summary>The book its native memory is entered in.</summary>
    public NativeMemoryLedger Ledger { get; }

    /// <summary>The vector loops in use.</summary>
    public KernelSet Kernels => _core.Kernels;

    /// <summary>Page classes in use, of the 256 there can be.</summary>
    public int PageClassCount => _core.Classes.Count;

    /// <inheritdoc/>
    public MemoryCounters Counters => _core.Counters with { RangeFaultCalls = _faulting.Calls, RangeFaultBusy = _faulting.BusyCalls };

    /// <inheritdoc/>
    public IReadOnlyList<IAddressSpace> AddressSpaces
    {
        get
        {
            CheckAlive();
            var handles = new IAddressSpace[_core.Spaces.Count];
            for (int i = 0; i < handles.Length; i++)
            {
                handles[i] = _core.Spaces[i].Handle!;
            }

            return handles;
        }
    }

    /// <inheritdoc/>
    public ulong FreeSystemFrameCount
    {
        get
        {
            CheckAlive();
            return _core.Physical.System.FreeCount;
        }
    }

    /// <inheritdoc/>
    public int DeviceCount => _core.Physical.Pagemaps.Count;

    internal MemoryCore Core => _core;

    /// <summary>Page classes in use that belong to no device, and how many are kept free for them, so that only a device's first page can find no class.</summary>
    public (int InUse, int Reserved) PageClassCounts => (_core.Classes.OthersCount, PageClassTable.ReservedForOthers);

    /// <inheritdoc/>
    public DeviceId AddDevice(DeviceOptions options)
    {
        CheckAlive();
        ArgumentNullException.ThrowIfNull(options);
        CheckOwner(options.Name, options.Kind, options.Owner);
        DeviceId device = new(_core.Physical.AddPagemap(options).Device);
        _core.PublishOwners();
        return device;
    }

    /// <inheritdoc/>
    public (Pfn First, ulong Count) DeviceFrames(DeviceId device)
    {
        FrameRange frames = PagemapOf(device).Frames;
        return (new Pfn(frames.First), frames.Count);
    }

    /// <inheritdoc/>
    public OwnerId OwnerOf(DeviceId device) => PagemapOf(device).Owner;

    /// <inheritdoc/>
    public DeviceMemoryKind KindOf(DeviceId device) => PagemapOf(device).Kind;

    /// <inheritdoc/>
    public DeviceId? DeviceOf(Pfn pfn)
    {
        CheckAlive();
        return _core.Physical.PagemapOf(pfn.Value) is { } pagemap ? new DeviceId(pagemap.Device) : null;
    }

    /// <inheritdoc/>
    public void SetOwner(DeviceId device, OwnerId owner)
    {
        Pagemap pagemap = PagemapOf(device);
        CheckOwner(pagemap.Name, pagemap.Kind, owner);
        pagemap.Owner = owner;
        _core.PublishOwners();
        foreach (AddressSpace space in _core.Spaces)
        {
            space.Revoke(pagemap);
        }
    }

    /// <inheritdoc/>
    public HmmStatus RemoveDevice(DeviceId device)
    {
        Pagemap pagemap = PagemapOf(device);
        if (!pagemap.IsRemoved && pagemap.Frames.FreeCount != pagemap.Frames.Count)
        {
            return HmmStatus.Busy;
        }

        pagemap.IsRemoved = true;
        return HmmStatus.Ok;
    }

    /// <inheritdoc/>
    public FileId CreateFile(FileOptions options)
    {
        CheckAlive();
        ArgumentNullException.ThrowIfNull(options);
        if (options.PageCount > uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.PageCount, $"The file has {options.PageCount} pages; at most {uint.MaxValue} can be kept.");
        }

        return _core.CreateFile(options);
    }

    /// <inheritdoc/>
    public IAddressSpace CreateAddressSpace()
    {
        CheckAlive();
        return new AddressSpaceHandle(this, new AddressSpace(_core), _faulting);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It is the first page of one private device too many for the 256 page classes; nothing is changed.</exception>
    public HmmStatus TryAllocateDevicePage(DeviceId device, out Pfn pfn)
    {
        Pagemap pagemap = PagemapOf(device);
        pfn = Pfn.None;
        if (pagemap.Kind == DeviceMemoryKind.Private)
        {
            _core.Classes.EnsureDevice(pagemap.Device);
        }

        if (pagemap.IsRemoved || pagemap.Kind == DeviceMemoryKind.PciP2pdma || !_core.Physical.TryTakeDevice(pagemap, out uint frame))
        {
            return HmmStatus.OutOfMemory;
        }

        pfn = new Pfn(frame);
        return HmmStatus.Ok;
    }

    /// <inheritdoc/>
    public HmmStatus TryAllocateSystemPage(out Pfn pfn)
    {
        CheckAlive();
        pfn = Pfn.None;
        if (!_core.Physical.TryTakeSystem(FrameFlags.InUse, out uint frame))
        {
            return HmmStatus.OutOfMemory;
        }

        pfn = new Pfn(frame);
        return HmmStatus.Ok;
    }

    /// <inheritdoc/>
    /// <remarks>Cost: one step a run of free pages, and column speed for what is written.</remarks>
    /// <exception cref="InvalidOperationException">As <see cref="TryAllocateDevicePage"/>.</exception>
    public int AllocateDevicePages(DeviceId device, Span<Pfn> pages)
    {
        // The first page tells whether there can be any.
        if (pages.IsEmpty || TryAllocateDevicePage(device, out Pfn first) != HmmStatus.Ok)
        {
            return 0;
        }

        pages[0] = first;
        return 1 + _core.Physical.TakeFresh(PagemapOf(device).Frames, pages[1..]);
    }

    /// <inheritdoc/>
    /// <remarks>Cost: one step a run of free frames, and column speed for what is written.</remarks>
    public int AllocateSystemPages(Span<Pfn> pages)
    {
        CheckAlive();
        return _core.Physical.TakeFresh(_core.Physical.System, pages);
    }

    /// <inheritdoc/>
    public unsafe void ReleasePage(Pfn pfn)
    {
        uint frame = InUse(pfn);
        if (_core.Physical.Frames.MapCount[frame] != 0 || (_core.Physical.Frames.Flags[frame] & (FrameFlags.PageCache | FrameFlags.SwapCache | FrameFlags.HugePart | FrameFlags.Poisoned)) != 0)
        {
            throw new InvalidOperationException($"{pfn} is mapped, cached or poisoned; only a page taken for a migration that did not use it can be released.");
        }

        _core.Physical.Unused(frame);
    }

    /// <inheritdoc/>
    public unsafe ulong ReadContent(Pfn pfn)
    {
        uint frame = WithContent(pfn);
        return _core.Physical.IsZero(frame) ? 0 : _core.Physical.Frames.Content[frame];
    }

    /// <inheritdoc/>
    public unsafe void WriteContent(Pfn pfn, ulong tag)
    {
        uint frame = WithContent(pfn);
        if (_core.Physical.IsZero(frame))
        {
            throw new InvalidOperationException($"{pfn} is a zero page, which nobody may write.");
        }

        _core.Physical.Frames.Content[frame] = tag;
    }

    /// <inheritdoc/>
    public void Pin(Pfn pfn)
    {
        // The zero pages are nobody's and never move: pinning them means nothing.
        if (!_core.Physical.IsZero(Existing(pfn)))
        {
            _core.Physical.Pin(InUse(pfn));
        }
    }

    /// <inheritdoc/>
    public void Unpin(Pfn pfn)
    {
        uint frame = Existing(pfn);
        if (_core.Physical.IsZero(frame))
        {
            return;
        }

        if (_core.Physical.PinCount(frame) == 0)
        {
            throw new InvalidOperationException($"{pfn} is not pinned.");
        }

        _core.Physical.Unpin(frame);
    }

    /// <inheritdoc/>
    public ulong FreeDevicePageCount(DeviceId device) => PagemapOf(device).Frames.FreeCount;

    /// <inheritdoc/>
    public unsafe FrameObservation ObserveFrame(Pfn pfn)
    {
        uint frame = Existing(pfn);
        PhysicalMemory physical = _core.Physical;
        return new FrameObservation(
            (physical.Frames.Flags[frame] & FrameFlags.InUse) != 0 || physical.IsZero(frame),
            physical.Frames.MapCount[frame] + ((physical.Frames.Flags[frame] & FrameFlags.Held) != 0 ? 1u : 0),
            physical.PinCount(frame),
            physical.ContentOf(frame));
    }

    /// <summary>Ends every address space without unmapping (their drivers hear nothing) and frees all native memory.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        foreach (AddressSpace space in _core.Spaces)
        {
            space.Dispose();
        }

        _core.Dispose();
    }

    private static void CheckOwner(string name, DeviceMemoryKind kind, OwnerId owner)
    {
        if (kind == DeviceMemoryKind.Private && owner == OwnerId.Null)
        {
            throw new ArgumentException($"Device '{name}' has private memory, whose owner cannot be NULL.", nameof(owner));
        }
    }

    private void CheckAlive() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    private Pagemap PagemapOf(DeviceId device)
    {
        CheckAlive();
        IReadOnlyList<Pagemap> pagemaps = _core.Physical.Pagemaps;
        return (uint)device.Index < (uint)pagemaps.Count
            ? pagemaps[device.Index]
            : throw new ArgumentOutOfRangeException(nameof(device), device.Index, $"There is no device {device.Index}; {pagemaps.Count} are registered.");
    }

    private uint Existing(Pfn pfn)
    {
        CheckAlive();
        if (!_core.Physical.Exists(pfn.Value))
        {
            throw new ArgumentOutOfRangeException(nameof(pfn), pfn, $"{pfn} is no frame: there are {_core.Physical.System.Count} system frames, the zero pages and {_core.Physical.Pagemaps.Count} pagemaps.");
        }

        return (uint)pfn.Value;
    }

    private unsafe uint InUse(Pfn pfn)
    {
        uint frame = Existing(pfn);
        if ((_core.Physical.Frames.Flags[frame] & FrameFlags.InUse) == 0)
        {
            throw new InvalidOperationException($"{pfn} is not in use.");
        }

        return frame;
    }

    private uint WithContent(Pfn pfn)
    {
        uint frame = Existing(pfn);
        if (!_core.Physical.TracksContent)
        {
            throw new InvalidOperationException("Content is not tracked: MemorySystemOptions.TrackContent is false.");
        }

        return frame;
    }
}
