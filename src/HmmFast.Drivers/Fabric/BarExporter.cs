using HmmFast.Dma;
using HmmFast.Policies;

namespace HmmFast.Drivers.Fabric;

/// <summary>An exporter that maps its private pages through its BAR: what the window shows has a physical address there, and needs no struct page for it.</summary>
/// <remarks>Cost: one <see cref="IHmmDmaMap.MapProvider"/> for each run of pages that the window shows one after the other. Source: <c>dma_map</c> of the pagemap methods proposed in
/// January 2025, over a p2p provider as Linux 6.16 and later map memory without struct pages.</remarks>
public sealed class BarExporter : IPagemapExporter
{
    private readonly DeviceId _device;

    /// <summary>Makes the exporter of a pagemap.</summary>
    /// <param name="device">The pagemap.</param>
    public BarExporter(DeviceId device) => _device = device;

    /// <summary>Pages it has mapped.</summary>
    public ulong MappedPages { get; private set; }

    /// <summary>Of those, pages it has unmapped.</summary>
    public ulong UnmappedPages { get; private set; }

    /// <inheritdoc/>
    public HmmStatus DmaMap(IHmmDmaMap map, int first, ClientReach reach, Pfn devicePage, Span<DmaAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(reach);
        ProviderReach pair = reach.Of(_device);
        HmmStatus result = HmmStatus.Ok;
        for (int i = 0; i < addresses.Length;)
        {
            Pfn alias = Pfn.None;
            int run = addresses.Length - i;
            if (pair.P2pIsAllowed && pair.Window is { } window)
            {
                run = (int)Math.Min((ulong)run, window.RunAt(devicePage + (ulong)i, out alias));
            }

            Span<DmaAddress> here = addresses.Slice(i, run);
            if (!alias.IsFrame)
            {
                here.Fill(DmaAddress.MappingError);
                result = HmmStatus.Fault;
            }
            else if (MapShown(map, first + i, pair, alias, here) != HmmStatus.Ok)
            {
                result = HmmStatus.Fault;
            }

            MappedPages += (ulong)(run - here.Count(DmaAddress.MappingError));
            i += run;
        }

        return result;
    }

    /// <inheritdoc/>
    public void DmaUnmap(IHmmDmaMap map, int first, Span<DmaAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(map);
        UnmappedPages += (ulong)map.UnmapProvider(first, addresses);
    }

    private HmmStatus MapShown(IHmmDmaMap map, int first, in ProviderReach pair, Pfn alias, Span<DmaAddress> addresses)
    {
        P2pProvider provider = new(_device, pair.MapType, pair.Window!.BusOffsetBytes);
        HmmStatus status = map.MapProvider(first, provider, alias.Value * PageOrder.PageSizeBytes, addresses);
        for (int i = 0; status != HmmStatus.Ok && addresses.Length > 1 && i < addresses.Length; i++)
        {
            // The run reaches past what the importer can drive: its front may not.
            _ = map.MapProvider(first + i, provider, (alias.Value + (ulong)i) * PageOrder.PageSizeBytes, addresses.Slice(i, 1));
        }

        return status;
    }
}
