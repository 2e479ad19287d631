namespace HmmFast.Reference;

/// <summary>A device and the frames of its pagemap.</summary>
internal sealed record Device(DeviceId Id, DeviceOptions Options, FramePool Pool)
{
    /// <summary>The pagemap's owner now.</summary>
    public OwnerId Owner { get; set; } = Options.Owner;

    /// <summary>Unregistered: nothing can be allocated from it any more.</summary>
    public bool IsRemoved { get; set; }
}

/// <summary>Frames, who holds them, and what they contain.</summary>
internal sealed class PhysicalMemory
{
    /// <summary>The shared zero page.</summary>
    public const uint ZeroFrame = 0;

    private const int ChunkShift = 16;
    private const int ChunkMask = (1 << ChunkShift) - 1;

    private readonly Frame[]?[] _frames = new Frame[]?[1 << (32 - ChunkShift)];
    private readonly ulong[]?[]? _contents;
    private readonly LargeFolio[] _largeFolios;
    private readonly FramePool _system;
    private readonly List<Device> _devices = [];
    private ulong _nextDeviceFrame;

    public PhysicalMemory(MemorySystemOptions options)
    {
        const ulong frameLimit = 1UL << 32;
        if (options.SystemFrameCount == 0 || options.SystemFrameCount > frameLimit - 2048)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options),
                options.SystemFrameCount,
                $"System memory takes from 1 to {frameLimit - 2048} frames, not {options.SystemFrameCount}.");
        }

        _system = new FramePool(1, options.SystemFrameCount);
        HugeZeroFrame = (uint)AlignToBlock(options.SystemFrameCount + 1);
        _nextDeviceFrame = HugeZeroFrame + PageTables.PagesPerBlock;
        _largeFolios = new LargeFolio[(HugeZeroFrame >> PageTables.BlockShift) + 1];
        _contents = options.TrackContent ? new ulong[]?[1 << (32 - ChunkShift)] : null;
        Swap = new SwapArea(options.SwapSlotCount, options.TrackContent);
        this[ZeroFrame].Flags = FrameFlags.InUse;
    }

    /// <summary>First of the huge zero page's 512 frames.</summary>
    public uint HugeZeroFrame { get; }

    public SwapArea Swap { get; }

    public FramePool System => _system;

    public IReadOnlyList<Device> Devices => _devices;

    /// <summary>True when contents are kept, so that a page can be seen to be zero-filled.</summary>
    public bool TracksContent => _contents is not null;

    public ref Frame this[uint pfn]
    {
        get
        {
            ref Frame[]? chunk = ref _frames[pfn >> ChunkShift];
            chunk ??= new Frame[1 << ChunkShift];
            return ref chunk[pfn & ChunkMask];
        }
    }

    public Device AddDevice(DeviceOptions options)
    {
        if (options.Kind == DeviceMemoryKind.Private && options.Owner == OwnerId.Null)
        {
            throw new ArgumentException($"Device '{options.Name}' has private memory, so its owner must not be NULL.", nameof(options));
        }

        ulong room = (1UL << 32) - _nextDeviceFrame;
        if (options.PageCount == 0 || options.PageCount > room)
        {
            throw new ArgumentException(
                $"Device '{options.Name}' asks for {options.PageCount} pages; it can have 1 to {room}, which the 32-bit frame space has left.",
                nameof(options));
        }

        Device device = new(new DeviceId(_devices.Count), options, new FramePool((uint)_nextDeviceFrame, options.PageCount));
        _devices.Add(device);
        _nextDeviceFrame = AlignToBlock(_nextDeviceFrame + options.PageCount);
        return device;
    }

    /// <summary>The device whose pagemap holds the frame, or null.</summary>
    public Device? DeviceOf(uint pfn)
    {
        if (pfn <= HugeZeroFrame)
        {
            return null;
        }

        foreach (Device device in _devices)
        {
            if (device.Pool.Contains(pfn))
            {
                return device;
            }
        }

        return null;
    }

    public bool IsDevicePrivate(uint pfn) => DeviceOf(pfn) is { Options.Kind: DeviceMemoryKind.Private };

    public bool IsHugeZero(uint pfn) => pfn - HugeZeroFrame < PageTables.PagesPerBlock;

    /// <summary>The first frame of the folio a frame belongs to.</summary>
    public uint HeadOf(uint pfn) => this[pfn].Has(FrameFlags.Large) ? pfn & ~511u : pfn;

    public ref LargeFolio LargeOf(uint pfn) => ref _largeFolios[pfn >> PageTables.BlockShift];

    public uint PagesInFolio(uint pfn) => this[pfn].Has(FrameFlags.Large) ? (uint)PageTables.PagesPerBlock : 1;

    /// <summary>The page's index in its object.</summary>
    public ulong IndexOf(uint pfn)
    {
        uint head = HeadOf(pfn);
        return this[head].Index + (pfn - head);
    }

    /// <summary>The lowest free system frame, with one reference and zero content.</summary>
    public bool TryAllocateSystem(out uint pfn) => TryAllocate(_system, out pfn);

    /// <summary>The lowest free page of a device, with one reference.</summary>
    public bool TryAllocateDevice(Device device, out uint pfn) => TryAllocate(device.Pool, out pfn);

    /// <summary>The lowest free aligned run of 512 system frames as one folio, with one reference and zero content.</summary>
    public bool TryAllocateLarge(out uint head)
    {
        if (!_system.TryTakeBlock(out head))
        {
            return false;
        }

        for (uint pfn = head; pfn < head + PageTables.PagesPerBlock; pfn++)
        {
            this[pfn] = new Frame { Flags = FrameFlags.InUse | FrameFlags.Large | FrameFlags.Lru };
            SetContent(pfn, 0);
        }

        this[head].RefCount = 1;
        LargeOf(head) = default;
        return true;
    }

    public ulong ContentOf(uint pfn) => _contents?[pfn >> ChunkShift]?[pfn & ChunkMask] ?? 0;

    public void SetContent(uint pfn, ulong tag)
    {
        if (_contents is null)
        {
            return;
        }

        ref ulong[]? chunk = ref _contents[pfn >> ChunkShift];
        if (chunk is null && tag == 0)
        {
            return;
        }

        chunk ??= new ulong[1 << ChunkShift];
        chunk[pfn & ChunkMask] = tag;
    }

    /// <summary>folio_mark_dirty of a file's page.</summary>
    public void MarkDirty(uint pfn) => this[pfn].Flags = (this[pfn].Flags | FrameFlags.Dirty) & ~FrameFlags.ReadAheadMark;

    /// <summary>Takes a reference on the folio.</summary>
    public void Get(uint pfn) => this[HeadOf(pfn)].RefCount++;

    /// <summary>Drops a reference; the last one frees the folio.</summary>
    public void Put(uint pfn)
    {
        uint head = HeadOf(pfn);
        if (--this[head].RefCount == 0)
        {
            FreeFolio(head);
        }
    }

    /// <summary>A page table entry begins to map the page.</summary>
    public void AddMapping(uint pfn)
    {
        ref Frame frame = ref this[pfn];
        frame.MapCount++;
        if (frame.Has(FrameFlags.Large))
        {
            LargeOf(pfn).TotalMapCount++;
        }
    }

    /// <summary>A page table entry stops mapping the page.</summary>
    public void RemoveMapping(uint pfn)
    {
        ref Frame frame = ref this[pfn];
        frame.MapCount--;
        if (frame.Has(FrameFlags.Large))
        {
            LargeOf(pfn).TotalMapCount--;
        }
    }

    /// <summary>Entries that map this page, 2 MiB ones among them (folio_precise_page_mapcount).</summary>
    public int MapCountOf(uint pfn)
    {
        ref Frame frame = ref this[pfn];
        return frame.MapCount + (frame.Has(FrameFlags.Large) ? LargeOf(pfn).EntireMapCount : 0);
    }

    /// <summary>Entries that map any page of the folio (folio_mapcount).</summary>
    public int FolioMapCount(uint pfn)
    {
        ref Frame frame = ref this[pfn];
        return frame.Has(FrameFlags.Large) ? LargeOf(pfn).TotalMapCount : frame.MapCount;
    }

    /// <summary>folio_likely_mapped_shared: exact for single pages, a guess from the first page for a folio mapped by its pages.</summary>
    public bool LooksShared(uint pfn)
    {
        int count = FolioMapCount(pfn);
        if (!this[pfn].Has(FrameFlags.Large) || count <= 1)
        {
            return count > 1;
        }

        return LargeOf(pfn).EntireMapCount > 0 || count > (int)PageTables.PagesPerBlock || this[HeadOf(pfn)].MapCount > 1;
    }

    /// <summary>References beyond mappings and caches are none (is_refcount_suitable).</summary>
    public bool HasOnlyKnownReferences(uint pfn)
    {
        uint head = HeadOf(pfn);
        ref Frame frame = ref this[head];
        int expected = FolioMapCount(head);
        if (!frame.Has(FrameFlags.Anonymous) || frame.SlotPlusOne != 0)
        {
            expected += (int)PagesInFolio(head);
        }

        return frame.RefCount == expected;
    }

    /// <summary>Takes the frame out of the swap cache if no entry refers to the slot any more (folio_free_swap).</summary>
    public bool TryFreeSwap(uint pfn)
    {
        ref Frame frame = ref this[pfn];
        if (frame.SlotPlusOne == 0 || Swap.EntryCount(frame.SlotPlusOne - 1) > 0)
        {
            return false;
        }

        DropFromSwapCache(pfn);
        this[pfn].Set(FrameFlags.Dirty, true);
        return true;
    }

    /// <summary>Puts the frame into the swap cache as its slot's copy.</summary>
    public void AddToSwapCache(uint pfn, uint slot)
    {
        this[pfn].SlotPlusOne = slot + 1;
        this[pfn].RefCount++;
        Swap.SetCached(slot, pfn);
    }

    /// <summary>Takes the frame out of the swap cache; the slot stays as long as entries refer to it.</summary>
    public void DropFromSwapCache(uint pfn)
    {
        uint slot = this[pfn].SlotPlusOne - 1;
        this[pfn].SlotPlusOne = 0;
        Swap.ClearCached(slot);
        Put(pfn);
    }

    /// <summary>An entry that referred to the slot is gone (free_swap_and_cache).</summary>
    public void FreeSwapEntry(uint slot)
    {
        Swap.RemoveEntry(slot);
        if (Swap.EntryCount(slot) == 0 && Swap.CachedFrame(slot) is uint cached && FolioMapCount(cached) == 0 && !this[cached].Has(FrameFlags.Locked))
        {
            TryFreeSwap(cached);
        }
    }

    /// <summary>A mapping is gone: when it was the last one, the swap cache lets go too (free_swap_cache).</summary>
    public void PutUnmapped(uint pfn)
    {
        if (this[pfn].SlotPlusOne != 0 && FolioMapCount(pfn) == 0)
        {
            TryFreeSwap(pfn);
        }

        Put(pfn);
    }

    private static ulong AlignToBlock(ulong frame) => (frame + PageTables.PagesPerBlock - 1) & ~(PageTables.PagesPerBlock - 1);

    private bool TryAllocate(FramePool pool, out uint pfn)
    {
        if (!pool.TryTake(out pfn))
        {
            return false;
        }

        this[pfn] = new Frame { Flags = FrameFlags.InUse, RefCount = 1 };
        SetContent(pfn, 0);
        return true;
    }

    private void FreeFolio(uint head)
    {
        if (this[head].Has(FrameFlags.Large))
        {
            for (uint pfn = head; pfn < head + PageTables.PagesPerBlock; pfn++)
            {
                this[pfn] = default;
                _system.Give(pfn);
            }

            return;
        }

        this[head] = default;
        Device? device = DeviceOf(head);
        (device?.Pool ?? _system).Give(head);
        device?.Options.Ops?.PageFreed(new Pfn(head));
    }
}
