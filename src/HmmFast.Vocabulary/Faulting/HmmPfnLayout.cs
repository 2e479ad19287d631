namespace HmmFast;

/// <summary>Where the flags of an <see cref="HmmPfn"/> lie. The code never hard-codes a bit: kernels of different ages differ.</summary>
/// <remarks>
/// Source: <c>enum hmm_pfn_flags</c> of 6.12 and of 6.16; the bits of the proposals are placed by us, since the posted ALLOW_P2P (bit 57) lies inside the order field of 6.16.
/// The kernel's flags lie above <see cref="OrderShift"/>, the proposed ones directly below it, the pfn below those. Immutable; every member costs an operation or two.
/// </remarks>
public sealed class HmmPfnLayout
{
    private HmmPfnLayout(string name, int orderShift)
    {
        Name = name;
        OrderShift = orderShift;
    }

    /// <summary>Linux 6.12: no sticky flags, order field from bit 56.</summary>
    public static HmmPfnLayout Linux612 { get; } = new("6.12", 56);

    /// <summary>Linux 6.16 and later, the default: DMA_MAPPED, P2PDMA and P2PDMA_BUS are sticky, order field from bit 53.</summary>
    public static HmmPfnLayout Linux616 { get; } = new("6.16", 53)
    {
        DmaMappedBit = 1UL << 60,
        P2pDmaBit = 1UL << 59,
        P2pDmaBusBit = 1UL << 58,
    };

    /// <summary>6.16 with the proposed ALLOW_P2P request bit, placed so that nothing overlaps (below the order field).</summary>
    public static HmmPfnLayout Linux616AllowP2p { get; } = new("6.16+allow-p2p", 53)
    {
        DmaMappedBit = 1UL << 60,
        P2pDmaBit = 1UL << 59,
        P2pDmaBusBit = 1UL << 58,
        AllowP2pBit = 1UL << 52,
    };

    /// <summary>6.16 with ALLOW_P2P and typed output: PRIVATE and P2P bits in the result (neither: a normal page).</summary>
    public static HmmPfnLayout Linux616Typed { get; } = new("6.16+typed", 53)
    {
        DmaMappedBit = 1UL << 60,
        P2pDmaBit = 1UL << 59,
        P2pDmaBusBit = 1UL << 58,
        AllowP2pBit = 1UL << 52,
        TypePrivateBit = 1UL << 51,
        TypeP2pBit = 1UL << 50,
    };

    /// <summary>Every layout, oldest first.</summary>
    public static IReadOnlyList<HmmPfnLayout> All { get; } = [Linux612, Linux616, Linux616AllowP2p, Linux616Typed];

    /// <summary>The layout's name.</summary>
    public string Name { get; }

    /// <summary>HMM_PFN_VALID, and as a request HMM_PFN_REQ_FAULT.</summary>
    public ulong ValidBit { get; } = 1UL << 63;

    /// <summary>HMM_PFN_WRITE, and as a request HMM_PFN_REQ_WRITE.</summary>
    public ulong WriteBit { get; } = 1UL << 62;

    /// <summary>HMM_PFN_ERROR.</summary>
    public ulong ErrorBit { get; } = 1UL << 61;

    /// <summary>HMM_PFN_DMA_MAPPED, or 0 where the layout has none.</summary>
    public ulong DmaMappedBit { get; private init; }

    /// <summary>HMM_PFN_P2PDMA, or 0.</summary>
    public ulong P2pDmaBit { get; private init; }

    /// <summary>HMM_PFN_P2PDMA_BUS, or 0.</summary>
    public ulong P2pDmaBusBit { get; private init; }

    /// <summary>The proposed HMM_PFN_ALLOW_P2P request bit, or 0.</summary>
    public ulong AllowP2pBit { get; private init; }

    /// <summary>The proposed typed output's PRIVATE bit, or 0.</summary>
    public ulong TypePrivateBit { get; private init; }

    /// <summary>The proposed typed output's P2P bit, or 0.</summary>
    public ulong TypeP2pBit { get; private init; }

    /// <summary>Flags that survive a re-fault of the entry.</summary>
    public ulong StickyMask => DmaMappedBit | P2pDmaBit | P2pDmaBusBit;

    /// <summary>Lowest bit of the five-bit order field.</summary>
    public int OrderShift { get; }

    /// <summary>Bits that hold the pfn: the 50 lowest, free of flags in every layout.</summary>
    public ulong PfnMask { get; } = (1UL << 50) - 1;

    /// <summary>The request word of some flags; a flag that the layout has no bit for leaves none.</summary>
    public ulong Encode(HmmRequestFlags request) =>
        ((request & HmmRequestFlags.Fault) != 0 ? ValidBit : 0)
        | ((request & HmmRequestFlags.Write) != 0 ? WriteBit : 0)
        | ((request & HmmRequestFlags.AllowP2p) != 0 ? AllowP2pBit : 0);

    /// <summary>The request flags of a word.</summary>
    public HmmRequestFlags DecodeRequest(HmmPfn word) =>
        ((word.Raw & ValidBit) != 0 ? HmmRequestFlags.Fault : 0)
        | ((word.Raw & WriteBit) != 0 ? HmmRequestFlags.Write : 0)
        | ((word.Raw & AllowP2pBit) != 0 ? HmmRequestFlags.AllowP2p : 0);

    /// <summary>The order field's bits for an order: 0 for 4 KiB, 9 for 2 MiB.</summary>
    public ulong Encode(PageOrder order) => (ulong)order.Value << OrderShift;

    /// <summary>The pfn of a result word; means something only where the word is valid.</summary>
    public Pfn PfnOf(HmmPfn word) => new(word.Raw & PfnMask);

    /// <summary>The mapping order of a result word.</summary>
    public PageOrder OrderOf(HmmPfn word) => new((byte)((word.Raw >> OrderShift) & 0x1f));

    /// <summary>True when the word says readable.</summary>
    public bool IsValid(HmmPfn word) => (word.Raw & ValidBit) != 0;

    /// <summary>True when the word says writable.</summary>
    public bool IsWritable(HmmPfn word) => (word.Raw & WriteBit) != 0;

    /// <summary>True when the word says that no page can ever be given.</summary>
    public bool IsError(HmmPfn word) => (word.Raw & ErrorBit) != 0;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
