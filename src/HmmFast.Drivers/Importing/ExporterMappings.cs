using System.Buffers;
using System.Runtime.InteropServices;
using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Policies;

namespace HmmFast.Drivers.Importing;

/// <summary>The private pages that exporters have mapped for one importer: a DMA map of the importer's device, and each page's address in it.</summary>
/// <remarks>Which entries count is said by the outcomes beside them. Cost: 8 bytes a page of the registration, touched where exporters map.</remarks>
internal sealed class ExporterMappings : IDisposable
{
    private readonly IHmmDmaMap _map;
    private readonly DeviceFabric _fabric;
    private readonly IMemorySystem _memory;
    private readonly HmmPfnLayout _layout;
    private DmaAddress[] _addresses;

    public ExporterMappings(IHmmDmaMap map, DeviceFabric fabric, IMemorySystem memory)
    {
        _map = map;
        _fabric = fabric;
        _memory = memory;
        _layout = memory.Options.Layout;
        _addresses = ArrayPool<DmaAddress>.Shared.Rent(map.PageCount);
    }

    public DmaMapCounters Counters => _map.Counters;

    public DmaAddress AddressOf(int entry) => _addresses[entry];

    /// <summary>Has a pagemap's exporter map pages, run by run of frames.</summary>
    /// <returns>Pages that have an address; the others are unusable.</returns>
    public int Map(int first, DeviceId device, ClientReach reach, ReadOnlySpan<HmmPfn> words, Span<PageOutcome> outcomes, Span<DmaAddress> addresses)
    {
        if (_fabric.ExporterOf(device) is not { } exporter)
        {
            outcomes.Fill(PageOutcome.Unusable);
            return 0;
        }

        int mapped = 0;
        for (int i = 0; i < words.Length;)
        {
            Pfn page = _layout.PfnOf(words[i]);
            int end = i + 1;
            while (end < words.Length && _layout.PfnOf(words[end]).Value - page.Value == (ulong)(end - i))
            {
                end++;
            }

            HmmStatus status = exporter.DmaMap(_map, first + i, reach, page, addresses[i..end]);
            outcomes[i..end].Fill(PageOutcome.PrivateExporterMapped);
            mapped += end - i;
            for (; status != HmmStatus.Ok && i < end; i++)
            {
                if (addresses[i].IsError)
                {
                    outcomes[i] = PageOutcome.Unusable;
                    mapped--;
                }
            }

            i = end;
        }

        return mapped;
    }

    /// <summary>Remembers the addresses of entries that enter the importer's table.</summary>
    public void Keep(int first, ReadOnlySpan<DmaAddress> addresses) => addresses.CopyTo(_addresses.AsSpan(first));

    /// <summary>Has exporters unmap what the table holds of some pages.</summary>
    public void Unmap(ImportTable table, int first, int count)
    {
        if (table.MayHold(first, count))
        {
            Unmap(first, table.Words.Slice(first, count), table.OutcomesOf(first, count), _addresses.AsSpan(first, count));
        }
    }

    /// <summary>Has exporters unmap some pages; those are nothing from then on.</summary>
    public void Unmap(int first, ReadOnlySpan<HmmPfn> words, Span<PageOutcome> outcomes, Span<DmaAddress> addresses)
    {
        const byte Mapped = (byte)PageOutcome.PrivateExporterMapped;
        ReadOnlySpan<byte> kinds = MemoryMarshal.Cast<PageOutcome, byte>(outcomes);
        for (int i = kinds.IndexOf(Mapped); i >= 0 && i < kinds.Length;)
        {
            int length = kinds[i..].IndexOfAnyExcept(Mapped);
            int end = length < 0 ? kinds.Length : i + length;
            outcomes[i..end].Clear();
            while (i < end)
            {
                // A run of one pagemap: exporters unmap what is theirs.
                DeviceId device = _memory.DeviceOf(_layout.PfnOf(words[i]))!.Value;
                (Pfn frame, ulong frames) = _memory.DeviceFrames(device);
                int here = i + 1;
                while (here < end && _layout.PfnOf(words[here]).Value - frame.Value < frames)
                {
                    here++;
                }

                _fabric.ExporterOf(device)!.DmaUnmap(_map, first + i, addresses[i..here]);
                i = here;
            }

            int next = kinds[end..].IndexOf(Mapped);
            i = next < 0 ? -1 : end + next;
        }
    }

    public void Dispose()
    {
        _map.Dispose();
        ArrayPool<DmaAddress>.Shared.Return(_addresses);
        _addresses = [];
    }
}
