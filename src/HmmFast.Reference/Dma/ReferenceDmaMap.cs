using HmmFast.Dma;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Reference.Dma;

/// <summary>A DMA map, one page at a time: SEMANTICS section 8 as it reads.</summary>
internal sealed class ReferenceDmaMap : IHmmDmaMap
{
    private readonly ReferenceDmaDevice device;
    private readonly HmmPfnLayout layout;
    private DmaMapCounters counters;
    private bool isDisposed;

    internal ReferenceDmaMap(ReferenceDmaDevice device, int pageCount, DmaAddress iovaBase)
    {
        this.device = device;
        layout = device.Memory.Options.Layout;
        PageCount = pageCount;
        IovaBase = iovaBase;
    }

    public int PageCount { get; }

    public DmaAddress IovaBase { get; }

    public DmaMapCounters Counters => counters;

    public HmmStatus Map(int first, Span<HmmPfn> hmmPfns, Span<DmaAddress> addresses)
    {
        Check(first, hmmPfns.Length);
        if (addresses.Length != hmmPfns.Length)
        {
            throw new ArgumentException($"{addresses.Length} addresses for {hmmPfns.Length} words.", nameof(addresses));
        }

        for (int i = 0; i < hmmPfns.Length; i++)
        {
            if (layout.IsValid(hmmPfns[i]) && KindOf(layout.PfnOf(hmmPfns[i])) == DeviceMemoryKind.Private)
            {
                throw new InvalidOperationException($"Word {i} holds the device-private {layout.PfnOf(hmmPfns[i])}, which has no address.");
            }
        }

        ClientReach reach = device.Client.Reach;
        DeviceId? lastPagemap = null;
        bool failed = false;
        for (int i = 0; i < hmmPfns.Length; i++)
        {
            addresses[i] = MapOne(reach, first + i, ref hmmPfns[i], ref lastPagemap);
            failed |= addresses[i].IsError && layout.IsValid(hmmPfns[i]);
        }

        return failed ? HmmStatus.Fault : HmmStatus.Ok;
    }

    public int Unmap(int first, Span<HmmPfn> hmmPfns)
    {
        Check(first, hmmPfns.Length);
        int unmapped = 0;
        foreach (ref HmmPfn word in hmmPfns)
        {
            if (layout.IsValid(word) && (word.Raw & layout.DmaMappedBit) != 0)
            {
                word = new HmmPfn(word.Raw & ~layout.StickyMask);
                unmapped++;
            }
        }

        counters.Unmapped += (ulong)unmapped;
        return unmapped;
    }

    public HmmStatus MapProvider(int first, in P2pProvider provider, ulong physicalAddress, Span<DmaAddress> addresses)
    {
        Check(first, addresses.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(physicalAddress % 4096, 0UL, nameof(physicalAddress));
        if (addresses.Length == 0)
        {
            return HmmStatus.Ok;
        }

        counters.P2pLookups++;
        ulong lastPage = physicalAddress + ((ulong)(addresses.Length - 1) * 4096);
        bool reachable = provider.MapType == P2PdmaMapType.BusAddr
            || (provider.MapType == P2PdmaMapType.ThruHostBridge && (device.Options.UsesIommu || device.CanDrive(lastPage)));
        for (int i = 0; i < addresses.Length; i++)
        {
            ulong physical = physicalAddress + ((ulong)i * 4096);
            if (!reachable)
            {
                addresses[i] = DmaAddress.MappingError;
                counters.Failed++;
            }
            else if (provider.MapType == P2PdmaMapType.BusAddr)
            {
                addresses[i] = new DmaAddress(physical + (ulong)provider.BusOffsetBytes);
                counters.Mapped++;
                counters.MappedBus++;
            }
            else
            {
                addresses[i] = Ordinary(first + i, physical);
                counters.Mapped++;
                counters.MappedThruHostBridge++;
            }
        }

        return reachable ? HmmStatus.Ok : HmmStatus.Fault;
    }

    public void Dispose()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            device.Return(IovaBase);
        }
    }

    private DmaAddress MapOne(ClientReach reach, int entry, ref HmmPfn word, ref DeviceId? lastPagemap)
    {
        if (!layout.IsValid(word))
        {
            return DmaAddress.MappingError;
        }

        Pfn pfn = layout.PfnOf(word);
        ulong physical = pfn.Value * 4096;
        bool isMapped = (word.Raw & layout.DmaMappedBit) != 0;
        if (isMapped && (word.Raw & layout.P2pDmaBusBit) == 0)
        {
            counters.Kept++;
            return Ordinary(entry, physical);
        }

        P2PdmaMapType type = P2PdmaMapType.None;
        long busOffset = 0;
        if (KindOf(pfn) == DeviceMemoryKind.PciP2pdma)
        {
            DeviceId pagemap = device.Memory.DeviceOf(pfn)!.Value;
            if (lastPagemap != pagemap)
            {
                counters.P2pLookups++;
                lastPagemap = pagemap;
            }

            type = P2PdmaMapType.NotSupported;
            if (reach.TryFindAlias(pfn, out DeviceId provider))
            {
                type = reach.Of(provider).MapType;
                busOffset = reach.Of(provider).Window!.BusOffsetBytes;
            }
        }

        ulong bare = word.Raw & ~layout.StickyMask;
        switch (type)
        {
            case P2PdmaMapType.None:
                word = new HmmPfn(bare | layout.DmaMappedBit);
                Count(isMapped, P2PdmaMapType.None);
                return Ordinary(entry, physical);
            case P2PdmaMapType.BusAddr:
                word = new HmmPfn(bare | layout.DmaMappedBit | layout.P2pDmaBusBit);
                Count(isMapped, P2PdmaMapType.BusAddr);
                return new DmaAddress(physical + (ulong)busOffset);
            case P2PdmaMapType.ThruHostBridge when device.Options.UsesIommu || device.CanDrive(physical):
                word = new HmmPfn(bare | layout.DmaMappedBit | layout.P2pDmaBit);
                Count(isMapped, P2PdmaMapType.ThruHostBridge);
                return Ordinary(entry, physical);
            default:
                word = new HmmPfn(bare);
                counters.Failed++;
                return DmaAddress.MappingError;
        }
    }

    private void Count(bool wasMapped, P2PdmaMapType type)
    {
        if (wasMapped)
        {
            counters.Kept++;
            return;
        }

        counters.Mapped++;
        counters.MappedBus += type == P2PdmaMapType.BusAddr ? 1UL : 0;
        counters.MappedThruHostBridge += type == P2PdmaMapType.ThruHostBridge ? 1UL : 0;
    }

    private DmaAddress Ordinary(int entry, ulong physical) => device.Options.UsesIommu
        ? new DmaAddress(IovaBase.Value + ((ulong)entry * 4096))
        : new DmaAddress(physical + (ulong)device.Options.OffsetBytes);

    private DeviceMemoryKind? KindOf(Pfn pfn) =>
        device.Memory.DeviceOf(pfn) is { } owner ? device.Memory.KindOf(owner) : null;

    private void Check(int first, int count)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (first < 0 || count > PageCount - first)
        {
            throw new ArgumentOutOfRangeException(nameof(first), first, $"{count} words from entry {first} do not fit a map of {PageCount} entries.");
        }
    }
}
