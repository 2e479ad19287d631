namespace HmmFast.AddressSpaces;

/// <summary>What stands at a 2 MiB block's place in the page table.</summary>
internal enum BlockKind : byte
{
    /// <summary>Nothing: no page table.</summary>
    Hole = 0,

    /// <summary>A page table; its entries are in the class and pfn columns.</summary>
    Table = 1,

    /// <summary>A 2 MiB entry; the columns hold nothing.</summary>
    Huge = 2,
}

/// <summary>One 8-byte block descriptor: kind in bits 0-1, class of a 2 MiB entry in bits 8-15, its first frame in bits 32-63. 0 is a hole.</summary>
internal readonly record struct BlockDescriptor(ulong Raw)
{
    public static readonly BlockDescriptor Table = new((ulong)BlockKind.Table);

    public BlockKind Kind => (BlockKind)(Raw & 3);

    public byte Class => (byte)(Raw >> 8);

    public uint Frame => (uint)(Raw >> 32);

    /// <summary>The descriptor of an entry alike whose frames follow this one's.</summary>
    public BlockDescriptor Following => new(Raw + ((ulong)PageOrder.PagesPerBlock << 32));

    public static BlockDescriptor Huge(byte pageClass, uint frame) => new((ulong)BlockKind.Huge | ((ulong)pageClass << 8) | ((ulong)frame << 32));
}
