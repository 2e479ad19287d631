using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;

namespace HmmFast.Drivers.Devices;

/// <summary>A network card with on-demand paging: it registers a range and faults pieces of it when its hardware meets pages that it has no mapping for.</summary>
/// <remarks>
/// Stands for on-demand paging of RDMA cards: a memory region whose page faults each bring in one piece. It has no memory that pages could move to. Cost: a look at its table for each piece,
/// and a request to the importer for each piece with a page missing. Throws as <see cref="PageImporter"/> does. Not safe for concurrent calls.
/// </remarks>
public sealed class OnDemandNic : IDisposable
{
    private readonly int _chunkPageCount;

    /// <summary>Registers the card's memory region.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="fabric">The devices.</param>
    /// <param name="member">Which of them is the card.</param>
    /// <param name="dma">Its DMA API.</param>
    /// <param name="registration">The memory region.</param>
    /// <param name="chunkPageCount">Pages it faults at once; at least 1.</param>
    /// <param name="options">How it asks; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The piece has no pages, or the registration is none.</exception>
    /// <exception cref="NotSupportedException">The card would need bouncing or syncing.</exception>
    /// <exception cref="InsufficientMemoryException">No IOVA range is long enough.</exception>
    public OnDemandNic(IAddressSpace space, DeviceFabric fabric, int member, IDmaDevice dma, VpnRange registration, int chunkPageCount = 512, ImporterOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkPageCount);
        _chunkPageCount = chunkPageCount;
        Importer = new PageImporter(space, fabric, member, dma, registration, options);
    }

    /// <summary>Its mapping half.</summary>
    public PageImporter Importer { get; }

    /// <summary>Page faults of the hardware: pieces it had to ask for.</summary>
    public ulong Faults { get; private set; }

    /// <summary>Accesses a range: pieces with a page that is not mapped fault, one after the other, going on after one that fails.</summary>
    /// <param name="range">Inside the registration; empty is Ok.</param>
    /// <returns>The first status of <see cref="PageImporter.Resolve"/> that is not Ok, else Ok.</returns>
    public HmmStatus Access(VpnRange range)
    {
        HmmStatus result = HmmStatus.Ok;
        ulong base0 = Importer.Registration.Start.Value;
        Vpn next = range.Start;
        while (next < range.End)
        {
            // Pieces start at multiples of their size in the registration, as a hardware page table's do.
            ulong offset = next.Value - base0;
            ulong end = Math.Min(base0 + (((offset / (ulong)_chunkPageCount) + 1) * (ulong)_chunkPageCount), range.End.Value);
            VpnRange piece = VpnRange.FromBounds(next, new Vpn(end));
            if (!Importer.HoldsAll(piece))
            {
                Faults++;
                HmmStatus status = Importer.Resolve(piece);
                result = result == HmmStatus.Ok ? status : result;
            }

            next = piece.End;
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => Importer.Dispose();
}
