using HmmFast.Memory;

namespace HmmFast.AddressSpaces;

/// <summary>
/// The page table of one address space as columns: class (1 byte a page), pfn or swap slot (4 bytes a page), block descriptor (8 bytes a 2 MiB block), and notes
/// which upper tables exist. Reserved for the whole window, committed as touched. The pointers are biased: they are indexed by absolute page or block number.
/// </summary>
/// <remarks>
/// Bounds: every caller stays inside the window, which the public edge checks. The columns begin at a 1 GiB border, so a block never lies half outside.
/// Entries of blocks that are no table hold class 0.
/// </remarks>
internal sealed unsafe class PageColumns : IDisposable
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;
    private const ulong GibibytePages = PageOrder.PagesPerGibibyte;

    // One entry of the top table spans 512 GiB.
    private const ulong TopPages = GibibytePages * 512;

    // One huge page of the pfn column; the class column needs four times as many pages for its first.
    private const ulong AdviseFromPages = 1UL << 19;

    // 2 MiB blocks whose frame numbers, or classes, fill one huge page of their column.
    private const ulong PfnSpanBlocks = NativeColumn<uint>.HugeBytes / sizeof(uint) / BlockPages;
    private const ulong ClassSpanBlocks = NativeColumn<byte>.HugeBytes / BlockPages;

    private readonly ulong _columnFirst;
    private readonly NativeColumn<byte> _class;
    private readonly NativeColumn<uint> _pfn;
    private readonly NativeColumn<ulong> _block;
    private readonly NativeColumn<byte> _gibibyte;
    private readonly NativeColumn<byte> _top;

    public PageColumns(VpnRange window, NativeMemoryLedger ledger)
    {
        // Slack behind the end lets kernels read whole vectors.
        ulong first = window.Start.Value & ~(TopPages - 1);
        ulong columnFirst = window.Start.Value & ~(GibibytePages - 1);
        _columnFirst = columnFirst;
        ulong end = (window.End.Value + GibibytePages - 1) & ~(GibibytePages - 1);
        ulong count = Math.Max(end - columnFirst, GibibytePages);
        try
        {
            _class = new NativeColumn<byte>("page class", (long)count, ledger, HugePagePolicy.SystemDefault);
            _pfn = new NativeColumn<uint>("page pfn", (long)count, ledger, HugePagePolicy.SystemDefault);
            _block = new NativeColumn<ulong>("block descriptor", (long)(count / BlockPages), ledger);
            _gibibyte = new NativeColumn<byte>("gibibyte note", (long)(count / GibibytePages), ledger);
            _top = new NativeColumn<byte>("top table note", (long)((end - first + TopPages - 1) / TopPages), ledger);
        }
        catch
        {
            Dispose();
            throw;
        }

        Class = _class.Pointer - columnFirst;
        Pfn = _pfn.Pointer - columnFirst;
        Block = (BlockDescriptor*)(_block.Pointer - (columnFirst / BlockPages));
        Gibibyte = _gibibyte.Pointer - (columnFirst / GibibytePages);
        Top = _top.Pointer - (first / TopPages);
    }

    /// <summary>Class of each page.</summary>
    public byte* Class { get; }

    /// <summary>Frame or swap slot of each page.</summary>
    public uint* Pfn { get; }

    /// <summary>Descriptor of each 2 MiB block.</summary>
    public BlockDescriptor* Block { get; }

    /// <summary>1 where a 1 GiB entry has a table of blocks (PMD table).</summary>
    public byte* Gibibyte { get; }

    /// <summary>1 where a 512 GiB entry has a table of gibibytes (PUD table).</summary>
    public byte* Top { get; }

    /// <summary>Asks for huge pages where a part of the columns will be filled end to end; short parts stay as they are, so that sparse windows cost what they use.</summary>
    public void AdviseHuge(ulong from, ulong to)
    {
        if (to - from >= AdviseFromPages)
        {
            _class.AdviseHuge((long)(from - _columnFirst), (long)(to - from));
            _pfn.AdviseHuge((long)(from - _columnFirst), (long)(to - from));
        }
    }

    /// <summary>What one page holds, whatever its block is.</summary>
    public byte EntryAt(ulong vpn, out uint number)
    {
        BlockDescriptor block = Block[vpn / BlockPages];
        switch (block.Kind)
        {
            case BlockKind.Table:
                number = Pfn[vpn];
                return Class[vpn];
            case BlockKind.Huge:
                number = block.Frame + (uint)(vpn % BlockPages);
                return block.Class;
            default:
                number = 0;
                return 0;
        }
    }

    /// <summary>Gives a block without one an empty page table, and the tables above it.</summary>
    public void EnsureTable(ulong block)
    {
        if (Block[block].Kind == BlockKind.Hole)
        {
            Block[block] = BlockDescriptor.Table;
            NoteUpper(block);
            ulong behind = block + 1 - (_columnFirst / BlockPages);
            if (behind % PfnSpanBlocks == 0)
            {
                GatherSpan(behind);
            }
        }
    }

    /// <summary>Gives a block the tables above it, as any fault does before it knows how it will end.</summary>
    public void EnsureUpper(ulong block) => NoteUpper(block);

    /// <summary>Puts a 2 MiB entry where a block has nothing.</summary>
    public void SetHuge(ulong block, byte pageClass, uint frame)
    {
        Block[block] = BlockDescriptor.Huge(pageClass, frame);
        NoteUpper(block);
    }

    /// <summary>Where the hole that page lies in ends: at its block's end, or further where upper tables are missing too. Never past <paramref name="limit"/>.</summary>
    public ulong HoleEnd(ulong vpn, ulong limit)
    {
        ulong span = Gibibyte[vpn / GibibytePages] != 0 ? BlockPages : Top[vpn / TopPages] != 0 ? GibibytePages : TopPages;
        return Math.Min(limit, (vpn | (span - 1)) + 1);
    }

    /// <summary>
    /// Frees the tables that unmapping a range left empty: those it touched that lie wholly between its neighbours.
    /// </summary>
    /// <param name="from">First page unmapped.</param>
    /// <param name="to">The page after the last.</param>
    /// <param name="floor">End of the mapping before, or 0.</param>
    /// <param name="ceiling">Start of the mapping behind, or the largest number.</param>
    public void FreeTables(ulong from, ulong to, ulong floor, ulong ceiling)
    {
        for (ulong block = from / BlockPages; block * BlockPages < to; block++)
        {
            if (Gibibyte[block * BlockPages / GibibytePages] == 0)
            {
                // Nothing below a missing upper table: on to the next gibibyte.
                block |= (GibibytePages / BlockPages) - 1;
                continue;
            }

            if (block * BlockPages >= floor && (block + 1) * BlockPages <= ceiling)
            {
                Block[block] = default;
            }
        }

        for (ulong gib = from / GibibytePages; gib * GibibytePages < to; gib++)
        {
            if (gib * GibibytePages >= floor && (gib + 1) * GibibytePages <= ceiling)
            {
                Gibibyte[gib] = 0;
            }
        }

        for (ulong top = from / TopPages; top * TopPages < to; top++)
        {
            if (top * TopPages >= floor && (top + 1) * TopPages <= ceiling)
            {
                Top[top] = 0;
            }
        }
    }

    /// <summary>Frees the columns: those that there are, when the constructor fails half way.</summary>
    public void Dispose()
    {
        _class?.Dispose();
        _pfn?.Dispose();
        _block?.Dispose();
        _gibibyte?.Dispose();
        _top?.Dispose();
    }

    /// <summary>
    /// Memory that is filled piece by piece ends up in small system pages. Where the last block of a huge page's worth got its table and all blocks before it have theirs,
    /// every small page of that stretch is in use or about to be: it becomes a huge page, which costs nothing and spares the scan most of its address translation.
    /// </summary>
    /// <param name="behind">The block behind the stretch, counted from the columns' start.</param>
    private void GatherSpan(ulong behind)
    {
        if (AreTables(behind - PfnSpanBlocks, behind))
        {
            _pfn.GatherHuge((long)((behind - PfnSpanBlocks) * BlockPages), (long)(PfnSpanBlocks * BlockPages));
            if (behind % ClassSpanBlocks == 0 && AreTables(behind - ClassSpanBlocks, behind))
            {
                _class.GatherHuge((long)((behind - ClassSpanBlocks) * BlockPages), (long)(ClassSpanBlocks * BlockPages));
            }
        }
    }

    private bool AreTables(ulong from, ulong to)
    {
        BlockDescriptor* blocks = (BlockDescriptor*)_block.Pointer;
        while (from < to && blocks[from].Kind == BlockKind.Table)
        {
            from++;
        }

        return from == to;
    }

    private void NoteUpper(ulong block)
    {
        ulong vpn = block * BlockPages;
        Gibibyte[vpn / GibibytePages] = 1;
        Top[vpn / TopPages] = 1;
    }
}
