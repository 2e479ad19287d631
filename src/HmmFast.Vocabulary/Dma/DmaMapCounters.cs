namespace HmmFast.Dma;

/// <summary>What a DMA map has done since it was made.</summary>
public record struct DmaMapCounters
{
    /// <summary>Entries newly mapped.</summary>
    public ulong Mapped { get; set; }

    /// <summary>Of those, by bus address.</summary>
    public ulong MappedBus { get; set; }

    /// <summary>Of those, peer memory through the host bridge.</summary>
    public ulong MappedThruHostBridge { get; set; }

    /// <summary>Entries that were mapped already and kept their address.</summary>
    public ulong Kept { get; set; }

    /// <summary>Entries refused with DMA_MAPPING_ERROR.</summary>
    public ulong Failed { get; set; }

    /// <summary>Entries unmapped.</summary>
    public ulong Unmapped { get; set; }

    /// <summary>P2P map type look-ups: one for every run of pages of one P2P pagemap.</summary>
    public ulong P2pLookups { get; set; }
}
