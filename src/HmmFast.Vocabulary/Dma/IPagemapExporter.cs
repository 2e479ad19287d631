using HmmFast.Policies;

namespace HmmFast.Dma;

/// <summary>The mapping half of a pagemap's driver: it maps its private pages for an importer, who has no address for them.</summary>
/// <remarks>
/// Stands for <c>dma_map</c> and <c>dma_unmap</c> beside <c>devmem_allowed</c> in <c>dev_pagemap_ops</c>, proposed in January 2025. Apart from <see cref="IDevicePagemapOps"/>, since a
/// pagemap whose driver only exports is not told of each page that leaves it. The map is the importer's, so that its IOMMU, its mask and its offset hold.
/// </remarks>
public interface IPagemapExporter
{
    /// <summary>Maps private pages that follow one another (<c>dma_map</c>).</summary>
    /// <param name="map">A map of the importer's device.</param>
    /// <param name="first">Map entry of the first page.</param>
    /// <param name="reach">What the importer reaches, from the snapshot its request rests on.</param>
    /// <param name="devicePage">The first page; one of the pagemap's.</param>
    /// <param name="addresses">Receives an address a page, an error where the importer cannot be given one.</param>
    /// <returns>Ok, or Fault when some page has no address.</returns>
    HmmStatus DmaMap(IHmmDmaMap map, int first, ClientReach reach, Pfn devicePage, Span<DmaAddress> addresses);

    /// <summary>Unmaps what <see cref="DmaMap"/> mapped (<c>dma_unmap</c>).</summary>
    /// <param name="map">The same map.</param>
    /// <param name="first">Map entry of the first page.</param>
    /// <param name="addresses">What the entries were mapped to; errors from then on.</param>
    void DmaUnmap(IHmmDmaMap map, int first, Span<DmaAddress> addresses);
}
