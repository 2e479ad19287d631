using HmmFast.Policies;

namespace HmmFast.Dma;

/// <summary>An importing device's DMA API: it makes maps and holds the device's IOVA space. The engine and the reference both implement it.</summary>
/// <remarks>Source: <c>hmm_dma_map_alloc</c> of Linux 6.16 and later. It refuses a device that would need bouncing or syncing, since the CPU and the device use the memory at once.</remarks>
public interface IDmaDevice
{
    /// <summary>The importer; what it reaches is read once at the start of each map or unmap call.</summary>
    HmmClient Client { get; }

    /// <summary>Its options.</summary>
    DmaDeviceOptions Options { get; }

    /// <summary>Makes a map (<c>hmm_dma_map_alloc</c>). With an IOMMU it takes the lowest free IOVA range that is long enough.</summary>
    /// <param name="pageCount">Entries; at least 1.</param>
    /// <param name="map">The map; null unless Ok.</param>
    /// <remarks>Cost: one step for each range of the device that is taken.</remarks>
    /// <returns>Ok; NotSupported when the device would need syncing or bouncing; OutOfMemory when no IOVA range below its mask is free.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    HmmStatus TryCreateMap(int pageCount, out IHmmDmaMap? map);
}
