using HmmFast.Kernels;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Dma;

/// <summary>A DMA map that works on runs: words of one kind over one run of frames are mapped by one vector loop.</summary>
/// <remarks>Cost: one pass that looks for private pfns (none where no device has any), one that maps; 8 bytes a page read twice, 16 written. No allocation once the snapshot is known.</remarks>
internal sealed unsafe class HmmDmaMap : IHmmDmaMap
{
    /// <summary>Words from which on addresses are stored past the cache: fewer are faster in it, some more are even, and many would push everything else out.</summary>
    private const int StreamingThresholdWords = 1 << 18;

    /// <summary>A run behind a shorter one than this is stored plainly: its ends, which are not aligned, would cost more than the middle gains.</summary>
    private const int StreamingRunWords = 1024;

    private readonly DmaDevice _device;
    private readonly HmmPfnLayout _layout;
    private DmaSegments? _segments;
    private DmaMapCounters _counters;
    private bool _isDisposed;

    internal HmmDmaMap(DmaDevice device, int pageCount, DmaAddress iovaBase)
    {
        _device = device;
        _layout = device.Memory.Options.Layout;
        PageCount = pageCount;
        IovaBase = iovaBase;
    }

    public int PageCount { get; }

    public DmaAddress IovaBase { get; }

    public DmaMapCounters Counters => _counters;

    private ulong DmaFlags => _layout.DmaMappedBit | _layout.P2pDmaBit | _layout.P2pDmaBusBit;

    public HmmStatus Map(int first, Span<HmmPfn> hmmPfns, Span<DmaAddress> addresses)
    {
        CheckRange(first, hmmPfns.Length);
        if (addresses.Length != hmmPfns.Length)
        {
            throw new ArgumentException($"There are {addresses.Length} addresses for {hmmPfns.Length} words; the two go together.", nameof(addresses));
        }

        DmaSegments known = Segments();
        fixed (HmmPfn* pfnPointer = hmmPfns)
        fixed (DmaAddress* addressPointer = addresses)
        {
            RefusePrivate(known, (ulong*)pfnPointer, hmmPfns.Length);
            return MapWords(known, first, (ulong*)pfnPointer, (ulong*)addressPointer, hmmPfns.Length);
        }
    }

    public int Unmap(int first, Span<HmmPfn> hmmPfns)
    {
        CheckRange(first, hmmPfns.Length);
        if (_layout.DmaMappedBit == 0)
        {
            return 0;
        }

        fixed (HmmPfn* words = hmmPfns)
        {
            nint cleared = _device.Runs.ClearWhere((ulong*)words, hmmPfns.Length, _layout.ValidBit | _layout.DmaMappedBit, DmaFlags);
            _counters.Unmapped += (ulong)cleared;
            return (int)cleared;
        }
    }

    public HmmStatus MapProvider(int first, in P2pProvider provider, ulong physicalAddress, Span<DmaAddress> addresses)
    {
        CheckRange(first, addresses.Length);
        if (physicalAddress % PageOrder.PageSizeBytes != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(physicalAddress), physicalAddress, $"0x{physicalAddress:x} is not a multiple of {PageOrder.PageSizeBytes}.");
        }

        if (addresses.IsEmpty)
        {
            return HmmStatus.Ok;
        }

        _counters.P2pLookups++;
        ulong limit = _device.PfnLimit;
        ulong start;
        bool reachable;
        switch (provider.MapType)
        {
            case P2PdmaMapType.BusAddr:
                start = physicalAddress + (ulong)provider.BusOffsetBytes;
                reachable = true;
                break;
            case P2PdmaMapType.ThruHostBridge:
                start = _device.Options.UsesIommu
                    ? SlotAddress(first)
                    : physicalAddress + (ulong)_device.Options.OffsetBytes;
                reachable = (physicalAddress / PageOrder.PageSizeBytes) + (ulong)addresses.Length <= limit;
                break;
            default:
                start = 0;
                reachable = false;
                break;
        }

        if (!reachable)
        {
            addresses.Fill(DmaAddress.MappingError);
            _counters.Failed += (ulong)addresses.Length;
            return HmmStatus.Fault;
        }

        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = new DmaAddress(start + ((ulong)i * PageOrder.PageSizeBytes));
        }

        _counters.Mapped += (ulong)addresses.Length;
        _counters.MappedBus += provider.MapType == P2PdmaMapType.BusAddr ? (ulong)addresses.Length : 0;
        _counters.MappedThruHostBridge += provider.MapType == P2PdmaMapType.ThruHostBridge ? (ulong)addresses.Length : 0;
        return HmmStatus.Ok;
    }

    public int UnmapProvider(int first, Span<DmaAddress> addresses)
    {
        CheckRange(first, addresses.Length);
        int unmapped = addresses.Length - addresses.Count(DmaAddress.MappingError);
        addresses.Fill(DmaAddress.MappingError);
        _counters.Unmapped += (ulong)unmapped;
        return unmapped;
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _device.Return(IovaBase);
        }
    }

    private DmaSegments Segments()
    {
        ClientReach reach = _device.Client.Reach;
        if (_segments is null || !ReferenceEquals(_segments.Reach, reach) || _segments.DeviceCount != _device.Memory.DeviceCount)
        {
            _segments = new DmaSegments(_device.Memory, reach, _device.PfnLimit);
        }

        return _segments;
    }

    private void RefusePrivate(DmaSegments known, ulong* words, nint count)
    {
        nint i = known.PrivateCount == 0 ? count : 0;
        while ((i = _device.Runs.FindInside(words, i, count, ValidIn(known.PrivateFirst, known.PrivateCount))) < count)
        {
            ulong pfn = words[i] & _layout.PfnMask;
            ref readonly DmaSegment run = ref known.Find(pfn);
            if (run.Kind == DmaSegmentKind.Private)
            {
                throw new InvalidOperationException(
                    $"Word {i} holds the device-private {new Pfn(pfn)} of device {run.Pagemap}: it has no address that {_device.Client.Name} could use, and must not reach the DMA map.");
            }

            // A pagemap that lies between private ones: the words of its run are passed over.
            i = _device.Runs.FindOutside(words, i, count, ValidIn(run.First, run.End - run.First));
        }
    }

    private WordFilter ValidIn(ulong first, ulong frameCount) => new(_layout.ValidBit, _layout.ValidBit, _layout.PfnMask, first, frameCount);

    private HmmStatus MapWords(DmaSegments known, int first, ulong* words, ulong* addresses, nint count)
    {
        bool streaming = count >= StreamingThresholdWords;
        ulong deviceOffset = (ulong)_device.Options.OffsetBytes;
        bool failed = false;
        bool longRun = false;
        int lastP2pPagemap = -1;
        nint i = 0;
        while (i < count)
        {
            ulong word = words[i];
            if ((word & _layout.ValidBit) == 0)
            {
                addresses[i++] = DmaAddress.MappingError.Value;
                continue;
            }

            ref readonly DmaSegment run = ref known.Find(word & _layout.PfnMask);
            ulong state = word & (_layout.DmaMappedBit | _layout.P2pDmaBusBit);
            bool isKept = _layout.DmaMappedBit != 0 && state == _layout.DmaMappedBit;
            DmaSegmentKind kind = isKept ? DmaSegmentKind.Normal : run.Kind;
            if (!isKept && run.Kind != DmaSegmentKind.Normal && run.Pagemap != lastP2pPagemap)
            {
                lastP2pPagemap = run.Pagemap;
                _counters.P2pLookups++;
            }

            // All words alike from here on: valid, with the same state bits, over the same run of frames.
            WordFilter filter = new(
                _layout.ValidBit | _layout.DmaMappedBit | _layout.P2pDmaBusBit,
                _layout.ValidBit | state,
                _layout.PfnMask,
                run.First,
                run.End - run.First);
            nint start = i;
            if (kind == DmaSegmentKind.Unreachable)
            {
                for (; i < count && (words[i] & filter.TestMask) == filter.Wanted && (words[i] & filter.PfnMask) - filter.First < filter.Count; i++)
                {
                    words[i] &= ~DmaFlags;
                    addresses[i] = DmaAddress.MappingError.Value;
                }

                _counters.Failed += (ulong)(i - start);
                failed = true;
                continue;
            }

            bool isBus = kind == DmaSegmentKind.Bus;
            bool byPlace = _device.Options.UsesIommu && !isBus;
            ulong set = isKept
                ? 0
                : _layout.DmaMappedBit
                    | (isBus ? _layout.P2pDmaBusBit : 0)
                    | (kind == DmaSegmentKind.ThruHostBridge ? _layout.P2pDmaBit : 0);
            WordEffect effect = new(
                isKept ? 0 : DmaFlags,
                set,
                byPlace ? SlotAddress(first + (int)i) : isBus ? (ulong)run.BusOffsetBytes : deviceOffset,
                !byPlace);
            i = _device.Runs.Map(words, addresses, i, count, filter, effect, streaming && (start == 0 || longRun));
            longRun = i - start >= StreamingRunWords;
            Count((ulong)(i - start), (state & _layout.DmaMappedBit) != 0, kind);
        }

        return failed ? HmmStatus.Fault : HmmStatus.Ok;
    }

    private void Count(ulong wordCount, bool wasMapped, DmaSegmentKind kind)
    {
        if (wasMapped)
        {
            _counters.Kept += wordCount;
            return;
        }

        _counters.Mapped += wordCount;
        _counters.MappedBus += kind == DmaSegmentKind.Bus ? wordCount : 0;
        _counters.MappedThruHostBridge += kind == DmaSegmentKind.ThruHostBridge ? wordCount : 0;
    }

    private ulong SlotAddress(int entry) => IovaBase.Value + ((ulong)entry * PageOrder.PageSizeBytes);

    private void CheckRange(int first, int count)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (first < 0 || count > PageCount - first)
        {
            throw new ArgumentOutOfRangeException(nameof(first), first, $"{count} words from entry {first} do not fit a map of {PageCount} entries.");
        }
    }
}
