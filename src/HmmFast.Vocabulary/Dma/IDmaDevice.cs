using HmmFast.Policies;

namespace HmmFast.Dma;

/// <summary>An importing device's DMA API: it makes maps and holds the device's IOVA space. The engine and the reference both implement it.</summary>
public interface IDmaDevice
{
    /// <summary>The importer; what it reaches is read once at the start of each map or unmap call.</summary>
    HmmClient Client { get; }

    /// <summary>Its options.</summary>
    DmaDeviceOptions Options { get; }

    /// <summary>Makes a map (<c>hmm_dma_map_alloc</c>). With an IOMMU it takes the lowest free IOVA range that is long enough.</summary>
    /// <param name="pageCount">Entries; at least 1.</param>
    /// <param name="map">The map; null unless Ok.</param>
    /// <returns>Ok; NotSupported when the device would need syncing or bouncing; OutOfMemory when no IOVA range below its mask is free.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    HmmStatus TryCreateMap(int pageCount, out IHmmDmaMap? map);
}
