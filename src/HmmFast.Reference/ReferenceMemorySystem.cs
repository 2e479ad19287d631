namespace HmmFast.Reference;

/// <summary>The specification: every answer of <see cref="IMemorySystem"/> worked out page by page, in plain C#, in the kernel's order.</summary>
/// <remarks>
/// It shares only the vocabulary with the engine. Speed is not its aim; sixteen million pages fit and a snapshot of them takes about a second.
/// The choices a kernel leaves open (which frame, which slot, in which order) are written down as rules in this folder's README.md.
/// </remarks>
public sealed partial class ReferenceMemorySystem : IMemorySystem
{
    private readonly List<ReferenceAddressSpace> _spaces = [];
    private readonly List<PageFile> _files = [];
    private readonly List<PageFile> _namedFiles = [];
    private MemoryCounters _counters;
    private bool _disposed;

    /// <summary>Makes an empty machine.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size lies outside what 32-bit frame and slot numbers can hold.</exception>
    public ReferenceMemorySystem(MemorySystemOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        Physical = new PhysicalMemory(options);
    }

    /// <inheritdoc/>
    public MemorySystemOptions Options { get; }

    /// <inheritdoc/>
    public MemoryCounters Counters => _counters;

    /// <inheritdoc/>
    public IReadOnlyList<IAddressSpace> AddressSpaces
    {
        get
        {
            ThrowIfDisposed();
            return _spaces;
        }
    }

    /// <inheritdoc/>
    public ulong FreeSystemFrameCount
    {
        get
        {
            ThrowIfDisposed();
            return Physical.System.FreeCount;
        }
    }

    internal PhysicalMemory Physical { get; }

    internal ref MemoryCounters Count => ref _counters;

    internal List<ReferenceAddressSpace> Spaces => _spaces;

    internal AnonVmas Anons { get; } = new();

    /// <inheritdoc/>
    public DeviceId AddDevice(DeviceOptions options)
    {
        ThrowIfDisposed();
        ArgumentNullException.ThrowIfNull(options);
        return Physical.AddDevice(options).Id;
    }

    /// <inheritdoc/>
    public (Pfn First, ulong Count) DeviceFrames(DeviceId device)
    {
        FramePool pool = DeviceAt(device).Pool;
        return (new Pfn(pool.First), pool.Count);
    }

    /// <inheritdoc/>
    public OwnerId OwnerOf(DeviceId device) => DeviceAt(device).Owner;

    /// <inheritdoc/>
    public int DeviceCount => Physical.Devices.Count;

    /// <inheritdoc/>
    public DeviceMemoryKind KindOf(DeviceId device) => DeviceAt(device).Options.Kind;

    /// <inheritdoc/>
    public void SetOwner(DeviceId device, OwnerId owner)
    {
        Device pagemap = DeviceAt(device);
        if (pagemap.Options.Kind == DeviceMemoryKind.Private && owner == OwnerId.Null)
        {
            throw new ArgumentException($"Device '{pagemap.Options.Name}' has private memory, so its owner must not be NULL.", nameof(owner));
        }

        // First the new owner, so that whoever begins now sees it; then everybody who began before is told.
        pagemap.Owner = owner;
        foreach (ReferenceAddressSpace space in _spaces.ToArray())
        {
            space.Revoke(pagemap);
        }
    }

    /// <inheritdoc/>
    public HmmStatus RemoveDevice(DeviceId device)
    {
        Device pagemap = DeviceAt(device);
        if (!pagemap.IsRemoved && pagemap.Pool.FreeCount != pagemap.Pool.Count)
        {
            return HmmStatus.Busy;
        }

        pagemap.IsRemoved = true;
        return HmmStatus.Ok;
    }

    /// <inheritdoc/>
    public DeviceId? DeviceOf(Pfn pfn) => pfn.Value > uint.MaxValue ? null : Physical.DeviceOf((uint)pfn.Value)?.Id;

    /// <inheritdoc/>
    public FileId CreateFile(FileOptions options)
    {
        ThrowIfDisposed();
        ArgumentNullException.ThrowIfNull(options);
        PageFile file = AddFile(new FileId(_namedFiles.Count), options.Kind, options.PageCount, options.InitialTag);
        _namedFiles.Add(file);
        for (ulong index = 0; options.InitialTag is not null && index < file.PageCount; index++)
        {
            // Pages that were written are in the page cache; the others are holes.
            ulong tag = options.InitialTag(index);
            if (tag == 0)
            {
                continue;
            }

            if (!TryAddCachePage(file, index, tag, out uint pfn))
            {
                throw new InsufficientMemoryException($"No system frame is free for page {index} of the file's {file.PageCount}.");
            }

            Physical[pfn].Set(FrameFlags.Dirty, file.Kind == FileKind.Memfd);
        }

        return file.Id;
    }

    /// <inheritdoc/>
    public IAddressSpace CreateAddressSpace()
    {
        ThrowIfDisposed();
        ReferenceAddressSpace space = new(this);
        _spaces.Add(space);
        return space;
    }

    /// <inheritdoc/>
    public HmmStatus TryAllocateDevicePage(DeviceId device, out Pfn pfn)
    {
        ThrowIfDisposed();
        Device pagemap = DeviceAt(device);
        uint frame = 0;
        bool isTaken = !pagemap.IsRemoved
            && pagemap.Options.Kind != DeviceMemoryKind.PciP2pdma
            && Physical.TryAllocateDevice(pagemap, out frame);
        return Taken(isTaken, frame, out pfn);
    }

    /// <inheritdoc/>
    public HmmStatus TryAllocateSystemPage(out Pfn pfn)
    {
        ThrowIfDisposed();
        return Taken(Physical.TryAllocateSystem(out uint frame), frame, out pfn);
    }

    /// <inheritdoc/>
    public int AllocateDevicePages(DeviceId device, Span<Pfn> pages)
    {
        int taken = 0;
        while (taken < pages.Length && TryAllocateDevicePage(device, out Pfn page) == HmmStatus.Ok)
        {
            pages[taken++] = page;
        }

        return taken;
    }

    /// <inheritdoc/>
    public int AllocateSystemPages(Span<Pfn> pages)
    {
        int taken = 0;
        while (taken < pages.Length && TryAllocateSystemPage(out Pfn page) == HmmStatus.Ok)
        {
            pages[taken++] = page;
        }

        return taken;
    }

    /// <inheritdoc/>
    public void ReleasePage(Pfn pfn)
    {
        uint frame = FrameInUse(pfn);
        if (Physical[frame].RefCount != 1 || Physical.FolioMapCount(frame) != 0 || Physical[frame].Has(FrameFlags.Poisoned))
        {
            throw new InvalidOperationException($"The page {pfn} is in use ({Physical[frame].RefCount} references); only one taken and not used can be released.");
        }

        Physical.Put(frame);
    }

    /// <inheritdoc/>
    public ulong ReadContent(Pfn pfn)
    {
        ThrowIfNoContent();
        return Physical.ContentOf(FrameInUse(pfn));
    }

    /// <inheritdoc/>
    public void WriteContent(Pfn pfn, ulong tag)
    {
        ThrowIfNoContent();
        uint frame = FrameInUse(pfn);
        if (frame == PhysicalMemory.ZeroFrame || Physical.IsHugeZero(frame))
        {
            throw new InvalidOperationException($"The zero page ({pfn}) cannot be written.");
        }

        Physical.SetContent(frame, tag);
    }

    /// <inheritdoc/>
    public void Pin(Pfn pfn)
    {
        uint frame = FrameInUse(pfn);
        if (frame == PhysicalMemory.ZeroFrame || Physical.IsHugeZero(frame))
        {
            return;
        }

        Physical[frame].PinCount++;
        Physical.Get(frame);
    }

    /// <inheritdoc/>
    public void Unpin(Pfn pfn)
    {
        uint frame = FrameInUse(pfn);
        if (frame == PhysicalMemory.ZeroFrame || Physical.IsHugeZero(frame))
        {
            return;
        }

        if (Physical[frame].PinCount == 0)
        {
            throw new InvalidOperationException($"The page {pfn} is not pinned.");
        }

        Physical[frame].PinCount--;
        Physical.PutUnmapped(frame);
    }

    /// <inheritdoc/>
    public ulong FreeDevicePageCount(DeviceId device) => DeviceAt(device).Pool.FreeCount;

    /// <inheritdoc/>
    public FrameObservation ObserveFrame(Pfn pfn)
    {
        if (pfn.Value > uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(pfn), pfn, $"Frame numbers end at {uint.MaxValue}.");
        }

        uint frame = (uint)pfn.Value;
        ref Frame state = ref Physical[frame];
        if (frame == PhysicalMemory.ZeroFrame || Physical.IsHugeZero(frame))
        {
            return new FrameObservation(true, 0, 0, 0);
        }

        uint mapCount = (uint)Physical.MapCountOf(frame) + (state.Has(FrameFlags.HeldExclusively) ? 1u : 0);
        return new FrameObservation(state.Has(FrameFlags.InUse), mapCount, (uint)state.PinCount, Physical.ContentOf(frame));
    }

    /// <summary>Ends every address space. Further calls throw.</summary>
    public void Dispose()
    {
        foreach (ReferenceAddressSpace space in _spaces.ToArray())
        {
            space.Dispose();
        }

        _disposed = true;
    }

    internal PageFile FileAt(FileId id)
    {
        if ((uint)id.Index >= (uint)_namedFiles.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(id), id.Index, $"There are {_namedFiles.Count} files; number {id.Index} is none of them.");
        }

        return _namedFiles[id.Index];
    }

    internal PageFile FileOfFrame(uint pfn) => _files[Physical[pfn].FilePlusOne - 1];

    /// <summary>The nameless object behind a shared anonymous mapping.</summary>
    internal PageFile CreateNamelessFile(ulong pageCount) => AddFile(FileId.None, FileKind.Memfd, pageCount, null);

    /// <summary>The last mapping of a nameless object is gone: so are its pages.</summary>
    internal void DropIfUnmapped(PageFile file)
    {
        if (file.Id != FileId.None || _spaces.Exists(space => space.Areas.Items.Any(vma => ReferenceEquals(vma.File, file))))
        {
            return;
        }

        foreach ((ulong index, CachedPage page) in file.Pages())
        {
            if (page.Kind == CachedPageKind.InMemory)
            {
                RemoveCachePage(file, index, page.Number);
            }
            else
            {
                file[index] = default;
                Physical.FreeSwapEntry(page.Number);
            }
        }
    }

    /// <summary>Takes a page out of its page cache; mappings of it, if any, keep it alive.</summary>
    internal void RemoveCachePage(PageFile file, ulong index, uint pfn)
    {
        file[index] = default;
        Physical[pfn].FilePlusOne = 0;
        Physical.Put(pfn);
    }

    /// <summary>
    /// Where a folio may be mapped (the reverse map): the part of each VMA that covers some of its pages in its object. In the order the kernel finds them:
    /// by where the VMA begins in the object, of two that begin alike the one that took its place first.
    /// </summary>
    internal List<FolioPlace> PlacesOf(uint head)
    {
        ref Frame frame = ref Physical[head];
        bool anonymous = frame.Has(FrameFlags.Anonymous);
        PageFile? file = anonymous || frame.FilePlusOne == 0 ? null : FileOfFrame(head);
        ulong first = frame.Index;
        ulong last = first + Physical.PagesInFolio(head) - 1;
        List<FolioPlace> places = [];
        foreach (ReferenceAddressSpace space in _spaces)
        {
            foreach (Vma vma in space.Areas.Items)
            {
                ulong vmaLast = vma.PageOffset + vma.PageCount - 1;
                bool candidate = anonymous ? vma.IsFoundFrom(frame.AnonNumber) : file is not null && ReferenceEquals(vma.File, file);
                if (candidate && first <= vmaLast && vma.PageOffset <= last)
                {
                    ulong start = vma.VpnOf(Math.Max(first, vma.PageOffset));
                    places.Add(new FolioPlace(space, vma, start, vma.VpnOf(Math.Min(last, vmaLast)) + 1));
                }
            }
        }

        places.Sort(static (x, y) => (x.Vma.PageOffset, x.Vma.Stamp).CompareTo((y.Vma.PageOffset, y.Vma.Stamp)));
        return places;
    }

    private static HmmStatus Taken(bool taken, uint frame, out Pfn pfn)
    {
        pfn = taken ? new Pfn(frame) : Pfn.None;
        return taken ? HmmStatus.Ok : HmmStatus.OutOfMemory;
    }

    private PageFile AddFile(FileId id, FileKind kind, ulong pageCount, Func<ulong, ulong>? initialTag)
    {
        PageFile file = new(id, kind, pageCount, initialTag) { TableIndex = _files.Count };
        _files.Add(file);
        return file;
    }

    internal bool TryAddCachePage(PageFile file, ulong index, ulong tag, out uint pfn)
    {
        if (!Physical.TryAllocateSystem(out pfn))
        {
            return false;
        }

        Physical.SetContent(pfn, tag);
        ref Frame frame = ref Physical[pfn];
        frame.Flags |= FrameFlags.Lru | (file.Kind == FileKind.Memfd ? FrameFlags.SwapBacked : FrameFlags.None);
        frame.FilePlusOne = file.TableIndex + 1;
        frame.Index = index;
        file[index] = new CachedPage(CachedPageKind.InMemory, pfn);
        return true;
    }

    private Device DeviceAt(DeviceId device)
    {
        ThrowIfDisposed();
        if ((uint)device.Index >= (uint)Physical.Devices.Count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(device),
                device.Index,
                $"There are {Physical.Devices.Count} devices; number {device.Index} is none of them.");
        }

        return Physical.Devices[device.Index];
    }

    private uint FrameInUse(Pfn pfn)
    {
        ThrowIfDisposed();
        if (pfn.Value > uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(pfn), pfn, $"{pfn} is no frame: their numbers end at 0x{uint.MaxValue:x}.");
        }

        uint frame = (uint)pfn.Value;
        if (!(Physical[frame].Has(FrameFlags.InUse) || Physical.IsHugeZero(frame)))
        {
            throw new InvalidOperationException($"{pfn} is not in use.");
        }

        return frame;
    }

    private void ThrowIfNoContent()
    {
        ThrowIfDisposed();
        if (!Physical.TracksContent)
        {
            throw new InvalidOperationException($"Content is not tracked; set {nameof(MemorySystemOptions)}.{nameof(MemorySystemOptions.TrackContent)}.");
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);
}
