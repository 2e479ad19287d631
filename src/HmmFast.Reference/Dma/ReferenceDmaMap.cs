using HmmFast.Dma;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Reference.Dma;

/// <summary>A DMA map, one page at a time: the rules of <c>hmm_dma_map_pfn</c> as they read.</summary>
internal sealed class ReferenceDmaMap : IHmmDmaMap
{
    private readonly ReferenceDmaDevice _device;
    private readonly HmmPfnLayout _layout;
    private DmaMapCounters _counters;
    private bool _isDisposed;

    internal ReferenceDmaMap(ReferenceDmaDevice device, int pageCount, DmaAddress iovaBase)
    {
        _device = device;
        _layout = device.Memory.Options.Layout;
        PageCount = pageCount;
        IovaBase = iovaBase;
    }

    public int PageCount { get; }

    public DmaAddress IovaBase { get; }

    public DmaMapCounters Counters => _counters;

    public HmmStatus Map(int first, Span<HmmPfn> hmmPfns, Span<DmaAddress> addresses)
    {
        Check(first, hmmPfns.Length);
        if (addresses.Length != hmmPfns.Length)
        {
            throw new ArgumentException($"{addresses.Length} addresses for {hmmPfns.Length} words.", nameof(addresses));
        }

        for (int i = 0; i < hmmPfns.Length; i++)
        {
            if (_layout.IsValid(hmmPfns[i]) && KindOf(_layout.PfnOf(hmmPfns[i])) == DeviceMemoryKind.Private)
            {
                throw new InvalidOperationException($"Word {i} holds the device-private {_layout.PfnOf(hmmPfns[i])}, which has no address.");
            }
        }

        ClientReach reach = _device.Client.Reach;
        DeviceId? lastPagemap = null;
        bool failed = false;
        for (int i = 0; i < hmmPfns.Length; i++)
        {
            addresses[i] = MapOne(reach, first + i, ref hmmPfns[i], ref lastPagemap);
            failed |= addresses[i].IsError && _layout.IsValid(hmmPfns[i]);
        }

        return failed ? HmmStatus.Fault : HmmStatus.Ok;
    }

    public int Unmap(int first, Span<HmmPfn> hmmPfns)
    {
        Check(first, hmmPfns.Length);
        int unmapped = 0;
        foreach (ref HmmPfn word in hmmPfns)
        {
            if (_layout.IsValid(word) && (word.Raw & _layout.DmaMappedBit) != 0)
            {
                word = new HmmPfn(word.Raw & ~_layout.StickyMask);
                unmapped++;
            }
        }

        _counters.Unmapped += (ulong)unmapped;
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

        _counters.P2pLookups++;
        ulong lastPage = physicalAddress + ((ulong)(addresses.Length - 1) * 4096);
        bool reachable = provider.MapType == P2PdmaMapType.BusAddr
            || (provider.MapType == P2PdmaMapType.ThruHostBridge && (_device.Options.UsesIommu || _device.CanDrive(lastPage)));
        for (int i = 0; i < addresses.Length; i++)
        {
            ulong physical = physicalAddress + ((ulong)i * 4096);
            if (!reachable)
            {
                addresses[i] = DmaAddress.MappingError;
                _counters.Failed++;
            }
            else if (provider.MapType == P2PdmaMapType.BusAddr)
            {
                addresses[i] = new DmaAddress(physical + (ulong)provider.BusOffsetBytes);
                _counters.Mapped++;
                _counters.MappedBus++;
            }
            else
            {
                addresses[i] = Ordinary(first + i, physical);
                _counters.Mapped++;
                _counters.MappedThruHostBridge++;
            }
        }

        return reachable ? HmmStatus.Ok : HmmStatus.Fault;
    }

    public int UnmapProvider(int first, Span<DmaAddress> addresses)
    {
        Check(first, addresses.Length);
        int unmapped = 0;
        foreach (ref DmaAddress address in addresses)
        {
            if (!address.IsError)
            {
                address = DmaAddress.MappingError;
                unmapped++;
            }
        }

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

    private DmaAddress MapOne(ClientReach reach, int entry, ref HmmPfn word, ref DeviceId? lastPagemap)
    {
        if (!_layout.IsValid(word))
        {
            return DmaAddress.MappingError;
        }

        Pfn pfn = _layout.PfnOf(word);
        ulong physical = pfn.Value * 4096;
        bool isMapped = (word.Raw & _layout.DmaMappedBit) != 0;
        if (isMapped && (word.Raw & _layout.P2pDmaBusBit) == 0)
        {
            _counters.Kept++;
            return Ordinary(entry, physical);
        }

        P2PdmaMapType type = P2PdmaMapType.None;
        long busOffset = 0;
        if (KindOf(pfn) == DeviceMemoryKind.PciP2pdma)
        {
            DeviceId pagemap = _device.Memory.DeviceOf(pfn)!.Value;
            if (lastPagemap != pagemap)
            {
                _counters.P2pLookups++;
                lastPagemap = pagemap;
            }

            type = P2PdmaMapType.NotSupported;
            if (reach.TryFindAlias(pfn, out DeviceId provider))
            {
                type = reach.Of(provider).MapType;
                busOffset = reach.Of(provider).Window!.BusOffsetBytes;
            }
        }

        ulong bare = word.Raw & ~_layout.StickyMask;
        switch (type)
        {
            case P2PdmaMapType.None:
                word = new HmmPfn(bare | _layout.DmaMappedBit);
                Count(isMapped, P2PdmaMapType.None);
                return Ordinary(entry, physical);
            case P2PdmaMapType.BusAddr:
                word = new HmmPfn(bare | _layout.DmaMappedBit | _layout.P2pDmaBusBit);
                Count(isMapped, P2PdmaMapType.BusAddr);
                return new DmaAddress(physical + (ulong)busOffset);
            case P2PdmaMapType.ThruHostBridge when _device.Options.UsesIommu || _device.CanDrive(physical):
                word = new HmmPfn(bare | _layout.DmaMappedBit | _layout.P2pDmaBit);
                Count(isMapped, P2PdmaMapType.ThruHostBridge);
                return Ordinary(entry, physical);
            default:
                word = new HmmPfn(bare);
                _counters.Failed++;
                return DmaAddress.MappingError;
        }
    }

    private void Count(bool wasMapped, P2PdmaMapType type)
    {
        if (wasMapped)
        {
            _counters.Kept++;
            return;
        }

        _counters.Mapped++;
        _counters.MappedBus += type == P2PdmaMapType.BusAddr ? 1UL : 0;
        _counters.MappedThruHostBridge += type == P2PdmaMapType.ThruHostBridge ? 1UL : 0;
    }

    private DmaAddress Ordinary(int entry, ulong physical) => _device.Options.UsesIommu
        ? new DmaAddress(IovaBase.Value + ((ulong)entry * 4096))
        : new DmaAddress(physical + (ulong)_device.Options.OffsetBytes);

    private DeviceMemoryKind? KindOf(Pfn pfn) =>
        _device.Memory.DeviceOf(pfn) is { } owner ? _device.Memory.KindOf(owner) : null;

    private void Check(int first, int count)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (first < 0 || count > PageCount - first)
        {
            throw new ArgumentOutOfRangeException(nameof(first), first, $"{count} words from entry {first} do not fit a map of {PageCount} entries.");
        }
    }
}
