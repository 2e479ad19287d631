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

    private readonly DmaDevice device;
    private readonly HmmPfnLayout layout;
    private DmaSegments? segments;
    private DmaMapCounters counters;
    private bool isDisposed;

    internal HmmDmaMap(DmaDevice device, int pageCount, DmaAddress iovaBase)
    {
        this.device = device;
        layout = device.Memory.Options.Layout;
        PageCount = pageCount;
        IovaBase = iovaBase;
    }

    public int PageCount { get; }

    public DmaAddress IovaBase { get; }

    public DmaMapCounters Counters => counters;

    private ulong DmaFlags => layout.DmaMappedBit | layout.P2pDmaBit | layout.P2pDmaBusBit;

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
        if (layout.DmaMappedBit == 0)
        {
            return 0;
        }

        fixed (HmmPfn* words = hmmPfns)
        {
            nint cleared = device.Runs.ClearWhere((ulong*)words, hmmPfns.Length, layout.ValidBit | layout.DmaMappedBit, DmaFlags);
            counters.Unmapped += (ulong)cleared;
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

        counters.P2pLookups++;
        ulong limit = device.PfnLimit;
        ulong start;
        bool reachable;
        switch (provider.MapType)
        {
            case P2PdmaMapType.BusAddr:
                start = physicalAddress + (ulong)provider.BusOffsetBytes;
                reachable = true;
                break;
            case P2PdmaMapType.ThruHostBridge:
                start = device.Options.UsesIommu
                    ? SlotAddress(first)
                    : physicalAddress + (ulong)device.Options.OffsetBytes;
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
            counters.Failed += (ulong)addresses.Length;
            return HmmStatus.Fault;
        }

        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = new DmaAddress(start + ((ulong)i * PageOrder.PageSizeBytes));
        }

        counters.Mapped += (ulong)addresses.Length;
        counters.MappedBus += provider.MapType == P2PdmaMapType.BusAddr ? (ulong)addresses.Length : 0;
        counters.MappedThruHostBridge += provider.MapType == P2PdmaMapType.ThruHostBridge ? (ulong)addresses.Length : 0;
        return HmmStatus.Ok;
    }

    public void Dispose()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            device.Return(IovaBase);
        }
    }

    private DmaSegments Segments()
    {
        ClientReach reach = device.Client.Reach;
        if (segments is null || !ReferenceEquals(segments.Reach, reach) || segments.DeviceCount != device.Memory.DeviceCount)
        {
            segments = new DmaSegments(device.Memory, reach, device.PfnLimit);
        }

        return segments;
    }

    private void RefusePrivate(DmaSegments known, ulong* words, nint count)
    {
        nint i = known.PrivateCount == 0 ? count : 0;
        while ((i = device.Runs.FindInside(words, i, count, ValidIn(known.PrivateFirst, known.PrivateCount))) < count)
        {
            ulong pfn = words[i] & layout.PfnMask;
            ref readonly DmaSegment run = ref known.Find(pfn);
            if (run.Kind == DmaSegmentKind.Private)
            {
                throw new InvalidOperationException(
                    $"Word {i} holds the device-private {new Pfn(pfn)} of device {run.Pagemap}: it has no address that {device.Client.Name} could use, and must not reach the DMA map.");
            }

            // A pagemap that lies between private ones: the words of its run are passed over.
            i = device.Runs.FindOutside(words, i, count, ValidIn(run.First, run.End - run.First));
        }
    }

    private WordFilter ValidIn(ulong first, ulong frameCount) => new(layout.ValidBit, layout.ValidBit, layout.PfnMask, first, frameCount);

    private HmmStatus MapWords(DmaSegments known, int first, ulong* words, ulong* addresses, nint count)
    {
        bool streaming = count >= StreamingThresholdWords;
        ulong deviceOffset = (ulong)device.Options.OffsetBytes;
        bool failed = false;
        bool longRun = false;
        int lastP2pPagemap = -1;
        nint i = 0;
        while (i < count)
        {
            ulong word = words[i];
            if ((word & layout.ValidBit) == 0)
            {
                addresses[i++] = DmaAddress.MappingError.Value;
                continue;
            }

            ref readonly DmaSegment run = ref known.Find(word & layout.PfnMask);
            ulong state = word & (layout.DmaMappedBit | layout.P2pDmaBusBit);
            bool isKept = layout.DmaMappedBit != 0 && state == layout.DmaMappedBit;
            DmaSegmentKind kind = isKept ? DmaSegmentKind.Normal : run.Kind;
            if (!isKept && run.Kind != DmaSegmentKind.Normal && run.Pagemap != lastP2pPagemap)
            {
                lastP2pPagemap = run.Pagemap;
                counters.P2pLookups++;
            }

            // All words alike from here on: valid, with the same state bits, over the same run of frames.
            WordFilter filter = new(
                layout.ValidBit | layout.DmaMappedBit | layout.P2pDmaBusBit,
                layout.ValidBit | state,
                layout.PfnMask,
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

                counters.Failed += (ulong)(i - start);
                failed = true;
                continue;
            }

            bool isBus = kind == DmaSegmentKind.Bus;
            bool byPlace = device.Options.UsesIommu && !isBus;
            ulong set = isKept
                ? 0
                : layout.DmaMappedBit
                    | (isBus ? layout.P2pDmaBusBit : 0)
                    | (kind == DmaSegmentKind.ThruHostBridge ? layout.P2pDmaBit : 0);
            WordEffect effect = new(
                isKept ? 0 : DmaFlags,
                set,
                byPlace ? SlotAddress(first + (int)i) : isBus ? (ulong)run.BusOffsetBytes : deviceOffset,
                !byPlace);
            i = device.Runs.Map(words, addresses, i, count, filter, effect, streaming && (start == 0 || longRun));
            longRun = i - start >= StreamingRunWords;
            Count((ulong)(i - start), (state & layout.DmaMappedBit) != 0, kind);
        }

        return failed ? HmmStatus.Fault : HmmStatus.Ok;
    }

    private void Count(ulong wordCount, bool wasMapped, DmaSegmentKind kind)
    {
        if (wasMapped)
        {
            counters.Kept += wordCount;
            return;
        }

        counters.Mapped += wordCount;
        counters.MappedBus += kind == DmaSegmentKind.Bus ? wordCount : 0;
        counters.MappedThruHostBridge += kind == DmaSegmentKind.ThruHostBridge ? wordCount : 0;
    }

    private ulong SlotAddress(int entry) => IovaBase.Value + ((ulong)entry * PageOrder.PageSizeBytes);

    private void CheckRange(int first, int count)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (first < 0 || count > PageCount - first)
        {
            throw new ArgumentOutOfRangeException(nameof(first), first, $"{count} words from entry {first} do not fit a map of {PageCount} entries.");
        }
    }
}
