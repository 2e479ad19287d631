using HmmFast.Dma;
using HmmFast.Policies;

namespace HmmFast.Reference.Dma;

/// <summary>An importing device's DMA API, one page at a time.</summary>
public sealed class ReferenceDmaDevice : IDmaDevice
{
    private readonly SortedDictionary<ulong, ulong> _takenPages = [];

    /// <summary>Makes it.</summary>
    /// <param name="memory">Whose pages it maps.</param>
    /// <param name="client">The importer.</param>
    /// <param name="options">What the DMA API knows of it; null: an IOMMU, 64 bits, coherent.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its bounds.</exception>
    public ReferenceDmaDevice(IMemorySystem memory, HmmClient client, DmaDeviceOptions? options = null)
    {
        Memory = memory;
        Client = client;
        Options = options ?? new DmaDeviceOptions();
        Options.Validate();
    }

    /// <summary>Whose pages it maps.</summary>
    public IMemorySystem Memory { get; }

    /// <inheritdoc/>
    public HmmClient Client { get; }

    /// <inheritdoc/>
    public DmaDeviceOptions Options { get; }

    /// <inheritdoc/>
    public HmmStatus TryCreateMap(int pageCount, out IHmmDmaMap? map)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pageCount);
        map = null;
        if (Options.NeedsSync)
        {
            return HmmStatus.NotSupported;
        }

        if (!Options.UsesIommu)
        {
            // Every system frame must be reachable as it is: nothing is bounced.
            if (!CanDrive(Memory.Options.SystemFrameCount * 4096))
            {
                return HmmStatus.NotSupported;
            }

            map = new ReferenceDmaMap(this, pageCount, new DmaAddress(0));
            return HmmStatus.Ok;
        }

        ulong start = Options.IovaStart;
        foreach ((ulong from, ulong count) in _takenPages)
        {
            if (from - start >= (ulong)pageCount * 4096)
            {
                break;
            }

            start = from + (count * 4096);
        }

        UInt128 last = (UInt128)start + ((UInt128)(ulong)pageCount * 4096) - 1;
        if (last > Options.Mask || last >= ulong.MaxValue - 4095)
        {
            return HmmStatus.OutOfMemory;
        }

        _takenPages.Add(start, (ulong)pageCount);
        map = new ReferenceDmaMap(this, pageCount, new DmaAddress(start));
        return HmmStatus.Ok;
    }

    internal void Return(DmaAddress iovaBase)
    {
        if (Options.UsesIommu)
        {
            _takenPages.Remove(iovaBase.Value);
        }
    }

    internal bool CanDrive(ulong physicalAddress)
    {
        Int128 last = (Int128)physicalAddress + Options.OffsetBytes + 4095;
        return last <= Options.Mask;
    }
}
