using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Dma;

/// <summary>An importing device's DMA API over the engine: makes <see cref="HmmDmaMap"/>s and holds the device's IOVA space.</summary>
/// <remarks>
/// Source: <c>hmm_dma_map_alloc</c> of Linux 6.16 and later. Without an IOMMU an address is the physical one plus the device's offset in bytes, and a device whose mask does not reach every
/// system frame is refused, as bouncing would be needed. Maps work on runs of frames, at the speed of memory. Works over any memory system; the vector width is the engine's.
/// </remarks>
public sealed class DmaDevice : IDmaDevice
{
    private readonly IovaSpace? _iovas;

    /// <summary>Makes it.</summary>
    /// <param name="memory">Whose pages it maps.</param>
    /// <param name="client">The importer.</param>
    /// <param name="options">What the DMA API knows of it; null: an IOMMU, 64 bits, coherent.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its bounds.</exception>
    public DmaDevice(IMemorySystem memory, HmmClient client, DmaDeviceOptions? options = null)
        : this(memory, client, options, memory is IKernelUser engine ? WordRuns.OfWidth(engine.Kernels.WidthBits) : WordRuns.Best)
    {
    }

    internal DmaDevice(IMemorySystem memory, HmmClient client, DmaDeviceOptions? options, WordRuns runs)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(client);
        Options = options ?? new DmaDeviceOptions();
        Options.Validate();
        Memory = memory;
        Client = client;
        Runs = runs;
        _iovas = Options.UsesIommu ? new IovaSpace(Options) : null;
    }

    /// <summary>Whose pages it maps.</summary>
    public IMemorySystem Memory { get; }

    /// <inheritdoc/>
    public HmmClient Client { get; }

    /// <inheritdoc/>
    public DmaDeviceOptions Options { get; }

    internal WordRuns Runs { get; }

    /// <summary>Frames from here on have addresses that the device cannot drive; no limit with an IOMMU.</summary>
    internal ulong PfnLimit
    {
        get
        {
            if (Options.UsesIommu)
            {
                return ulong.MaxValue;
            }

            // A frame's last byte, pfn * 4096 + 4095 + offset, must not lie above the mask.
            Int128 last = (Int128)Options.Mask - Options.OffsetBytes - (PageOrder.PageSizeBytes - 1);
            return last < 0 ? 0 : (ulong)Int128.Min((last / PageOrder.PageSizeBytes) + 1, ulong.MaxValue);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Cost: one step for each IOVA range that is taken; the map itself holds no page.</remarks>
    public HmmStatus TryCreateMap(int pageCount, out IHmmDmaMap? map)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pageCount);
        map = null;

        // Highest system frame: the zero page is frame 0, so the count is also the last number.
        if (Options.NeedsSync || PfnLimit <= Memory.Options.SystemFrameCount)
        {
            return HmmStatus.NotSupported;
        }

        DmaAddress iovaBase = default;
        if (_iovas is not null && !_iovas.TryTake((ulong)pageCount, out iovaBase))
        {
            return HmmStatus.OutOfMemory;
        }

        map = new HmmDmaMap(this, pageCount, iovaBase);
        return HmmStatus.Ok;
    }

    internal void Return(DmaAddress iovaBase) => _iovas?.Return(iovaBase);
}
