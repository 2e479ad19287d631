namespace HmmFast;

/// <summary>How a memory system is made. Both implementations answer alike for equal options.</summary>
public sealed record MemorySystemOptions
{
    /// <summary>System frames that can be allocated (4 KiB each; the zero pages are not among them).</summary>
    public ulong SystemFrameCount { get; init; } = 1UL << 18;

    /// <summary>Swap slots; 0 means no swap (PAGEOUT then leaves anonymous pages alone).</summary>
    public ulong SwapSlotCount { get; init; } = 1UL << 16;

    /// <summary>The pages an address space may map. Columns for it are reserved, not committed.</summary>
    public VpnRange Window { get; init; } = new(new Vpn(0), 1UL << 28);

    /// <summary>Bits of result words.</summary>
    public HmmPfnLayout Layout { get; init; } = HmmPfnLayout.Linux616;

    /// <summary>True keeps an 8-byte content tag a frame, so that tests can see that no content is lost.</summary>
    public bool TrackContent { get; init; }
}
