namespace HmmFast.Dma;

/// <summary>
/// One importer's DMA map over a range (<c>struct hmm_dma_map</c>): the result words of a range fault and the bus address of each page.
/// Disposing it gives its IOVA range back; what is still mapped is unmapped.
/// </summary>
/// <remarks>
/// With an IOMMU entry i has slot i of one contiguous IOVA range; pages mapped by bus address leave theirs unused. Not safe for concurrent
/// calls. Addresses are bytes, entries pages of 4 KiB. Source: <c>hmm_dma_map_pfn</c> and <c>hmm_dma_unmap_pfn</c> of Linux 6.16 and later, with the map types of
/// <c>pci_p2pdma_state</c>: a bus address is physical plus the provider's offset and never unmapped, memory through the host bridge is mapped as system memory is, what
/// cannot be reached is an error.
/// </remarks>
public interface IHmmDmaMap : IDisposable
{
    /// <summary>Entries of the map.</summary>
    int PageCount { get; }

    /// <summary>First address of the IOVA range; 0 without an IOMMU.</summary>
    DmaAddress IovaBase { get; }

    /// <summary>What has been done.</summary>
    DmaMapCounters Counters { get; }

    /// <summary>
    /// Maps entries that are valid (<c>hmm_dma_map_pfn</c> for each). An entry that is DMA_MAPPED and not by bus address keeps its address;
    /// an entry that is not valid, or cannot be mapped, gets <see cref="DmaAddress.MappingError"/>.
    /// </summary>
    /// <remarks>
    /// The map type is looked up once a run of pages of one pagemap; <see cref="DmaMapCounters.P2pLookups"/> counts. Cost: 8 bytes read and 16 written a page at the speed of memory (0.75 ns a
    /// page at 16 Mi pages where memcpy of the words takes 0.49); the words are read once more where a device has private memory. Allocates only when the client's reach changed.
    /// </remarks>
    /// <param name="first">Map entry of the first word.</param>
    /// <param name="hmmPfns">Result words; receive DMA_MAPPED, P2PDMA and P2PDMA_BUS.</param>
    /// <param name="addresses">Receives the addresses; as long as <paramref name="hmmPfns"/>.</param>
    /// <returns>Ok; Fault when a valid entry could not be mapped (the others are mapped).</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The entries reach past <see cref="PageCount"/>.</exception>
    /// <exception cref="InvalidOperationException">A word holds a device-private pfn, which has no address: nothing was mapped.</exception>
    HmmStatus Map(int first, Span<HmmPfn> hmmPfns, Span<DmaAddress> addresses);

    /// <summary>Unmaps entries that are VALID and DMA_MAPPED (<c>hmm_dma_unmap_pfn</c> for each) and clears their three flags.</summary>
    /// <remarks>Nothing where the layout has no DMA flags. Cost: one pass over the words.</remarks>
    /// <param name="first">Map entry of the first word.</param>
    /// <param name="hmmPfns">Result words.</param>
    /// <returns>Entries unmapped.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The entries reach past <see cref="PageCount"/>.</exception>
    int Unmap(int first, Span<HmmPfn> hmmPfns);

    /// <summary>Maps memory that has no struct page, from its physical address, over the provider's P2P path. One look-up for the run. Cost: 8 bytes written a page.</summary>
    /// <param name="first">Map entry of the first page.</param>
    /// <param name="provider">Whose memory it is.</param>
    /// <param name="physicalAddress">Of the first page, in bytes; a multiple of 4096. The pages follow one another.</param>
    /// <param name="addresses">Receives the addresses.</param>
    /// <returns>Ok, or Fault when the provider cannot be reached (all addresses are errors).</returns>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page-aligned, or the entries reach past <see cref="PageCount"/>.</exception>
    HmmStatus MapProvider(int first, in P2pProvider provider, ulong physicalAddress, Span<DmaAddress> addresses);

    /// <summary>Unmaps entries that <see cref="MapProvider"/> mapped: every address that is no error becomes one. Cost: 8 bytes read and written a page.</summary>
    /// <param name="first">Map entry of the first page.</param>
    /// <param name="addresses">What the entries were mapped to.</param>
    /// <returns>Entries unmapped.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The entries reach past <see cref="PageCount"/>.</exception>
    int UnmapProvider(int first, Span<DmaAddress> addresses);
}
