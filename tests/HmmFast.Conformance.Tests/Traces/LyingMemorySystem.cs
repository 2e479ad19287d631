namespace HmmFast.Conformance.Tests.Traces;

/// <summary>Passes everything on to a real implementation, except for one lie.</summary>
internal sealed class LyingMemorySystem(IMemorySystem inner, Lie lie) : IMemorySystem
{
    private readonly List<IAddressSpace> _spaces = [];

    public MemorySystemOptions Options => inner.Options;

    public MemoryCounters Counters => inner.Counters;

    public IReadOnlyList<IAddressSpace> AddressSpaces => _spaces;

    public int DeviceCount => inner.DeviceCount;

    public ulong FreeSystemFrameCount => inner.FreeSystemFrameCount;

    public DeviceId AddDevice(DeviceOptions options) => inner.AddDevice(options);

    public (Pfn First, ulong Count) DeviceFrames(DeviceId device) => inner.DeviceFrames(device);

    public OwnerId OwnerOf(DeviceId device) => inner.OwnerOf(device);

    public DeviceMemoryKind KindOf(DeviceId device) => inner.KindOf(device);

    public void SetOwner(DeviceId device, OwnerId owner) => inner.SetOwner(device, owner);

    public HmmStatus RemoveDevice(DeviceId device) => inner.RemoveDevice(device);

    public DeviceId? DeviceOf(Pfn pfn) => inner.DeviceOf(pfn);

    public FileId CreateFile(FileOptions options) => inner.CreateFile(options);

    public IAddressSpace CreateAddressSpace() => Wrap(inner.CreateAddressSpace(), isChild: false);

    public HmmStatus TryAllocateDevicePage(DeviceId device, out Pfn pfn) => inner.TryAllocateDevicePage(device, out pfn);

    public HmmStatus TryAllocateSystemPage(out Pfn pfn) => inner.TryAllocateSystemPage(out pfn);

    public int AllocateDevicePages(DeviceId device, Span<Pfn> pages) => inner.AllocateDevicePages(device, pages);

    public int AllocateSystemPages(Span<Pfn> pages) => inner.AllocateSystemPages(pages);

    public void ReleasePage(Pfn pfn) => inner.ReleasePage(pfn);

    public ulong ReadContent(Pfn pfn) => inner.ReadContent(pfn);

    public void WriteContent(Pfn pfn, ulong tag) => inner.WriteContent(pfn, tag);

    public void Pin(Pfn pfn) => inner.Pin(pfn);

    public void Unpin(Pfn pfn) => inner.Unpin(pfn);

    public ulong FreeDevicePageCount(DeviceId device) => inner.FreeDevicePageCount(device);

    public FrameObservation ObserveFrame(Pfn pfn) => inner.ObserveFrame(pfn);

    public void Dispose() => inner.Dispose();

    internal IAddressSpace Wrap(IAddressSpace space, bool isChild)
    {
        LyingAddressSpace wrapped = new(this, space, lie, isChild);
        _spaces.Add(wrapped);
        return wrapped;
    }
}
