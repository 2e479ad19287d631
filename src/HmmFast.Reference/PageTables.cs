namespace HmmFast.Reference;

/// <summary>The lowest level: 512 entries, 2 MiB.</summary>
internal sealed class PageTable
{
    public readonly PageEntry[] Entries = new PageEntry[PageTables.EntriesPerTable];
}

/// <summary>One PMD entry: nothing, a table of pages, or a 2 MiB leaf.</summary>
internal struct PmdSlot
{
    public PageTable? Table;
    public PageEntry Huge;

    public readonly bool IsEmpty => Table is null && Huge.IsNone;

    public readonly bool IsHuge => Huge.IsPresent;
}

/// <summary>The second level: 512 PMD entries, 1 GiB.</summary>
internal sealed class PmdTable
{
    public readonly PmdSlot[] Slots = new PmdSlot[PageTables.EntriesPerTable];
}

/// <summary>The third level: 512 PUD entries, 512 GiB.</summary>
internal sealed class PudTable
{
    public readonly PmdTable?[] Tables = new PmdTable?[PageTables.EntriesPerTable];
}

/// <summary>The page tables of one address space, as a plain radix tree. Which tables exist matters: a range fault decides holes by the table.</summary>
/// <remarks>
/// Four levels: pages, 2 MiB blocks (PMD entries), 1 GiB (PUD entries), 512 GiB (PGD entries). The topmost level is a dictionary, so that any address fits.
/// Numbers here are virtual page numbers.
/// </remarks>
internal sealed class PageTables
{
    public const int EntriesPerTable = 512;
    public const int BlockShift = 9;
    public const int GibibyteShift = 18;
    public const int TopShift = 27;
    public const ulong PagesPerBlock = 1UL << BlockShift;

    private readonly Dictionary<ulong, PudTable> _top = [];

    /// <summary>The first page after the 2 MiB block of a page.</summary>
    public static ulong BlockEnd(ulong vpn) => ((vpn >> BlockShift) + 1) << BlockShift;

    /// <summary>The first page after the 1 GiB of a page.</summary>
    public static ulong GibibyteEnd(ulong vpn) => ((vpn >> GibibyteShift) + 1) << GibibyteShift;

    /// <summary>The first page after the 512 GiB of a page.</summary>
    public static ulong TopEnd(ulong vpn) => ((vpn >> TopShift) + 1) << TopShift;

    public static int IndexInTable(ulong vpn) => (int)(vpn & (EntriesPerTable - 1));

    public PudTable? FindPudTable(ulong vpn) => _top.GetValueOrDefault(vpn >> TopShift);

    public PmdTable? FindPmdTable(ulong vpn) => FindPudTable(vpn)?.Tables[(int)((vpn >> GibibyteShift) & (EntriesPerTable - 1))];

    /// <summary>The PMD entry's place in its table.</summary>
    public static ref PmdSlot SlotOf(PmdTable table, ulong vpn) => ref table.Slots[(int)((vpn >> BlockShift) & (EntriesPerTable - 1))];

    /// <summary>The table of pages over a page, or null when there is none (nothing there, or a 2 MiB entry).</summary>
    public PageTable? FindTable(ulong vpn)
    {
        PmdTable? pmd = FindPmdTable(vpn);
        return pmd is null ? null : SlotOf(pmd, vpn).Table;
    }

    /// <summary>True and the entry's kind of mapping when the page lies under a 2 MiB entry.</summary>
    public bool IsHuge(ulong vpn)
    {
        PmdTable? pmd = FindPmdTable(vpn);
        return pmd is not null && SlotOf(pmd, vpn).IsHuge;
    }

    /// <summary>What a page's entry holds; a 2 MiB entry is shown as the page's part of it.</summary>
    public PageEntry Read(ulong vpn)
    {
        PmdTable? pmd = FindPmdTable(vpn);
        if (pmd is null)
        {
            return default;
        }

        ref PmdSlot slot = ref SlotOf(pmd, vpn);
        if (slot.Table is not null)
        {
            return slot.Table.Entries[IndexInTable(vpn)];
        }

        PageEntry entry = slot.Huge;
        entry.Number += entry.IsPresent ? (uint)IndexInTable(vpn) : 0;
        return entry;
    }

    /// <summary>Makes the levels above a PMD entry.</summary>
    public PmdTable EnsurePmdTable(ulong vpn)
    {
        if (!_top.TryGetValue(vpn >> TopShift, out PudTable? pud))
        {
            pud = new PudTable();
            _top.Add(vpn >> TopShift, pud);
        }

        ref PmdTable? pmd = ref pud.Tables[(int)((vpn >> GibibyteShift) & (EntriesPerTable - 1))];
        return pmd ??= new PmdTable();
    }

    /// <summary>Makes the table of pages; the caller knows that no 2 MiB entry stands there.</summary>
    public PageTable EnsureTable(ulong vpn)
    {
        ref PmdSlot slot = ref SlotOf(EnsurePmdTable(vpn), vpn);
        if (slot.IsHuge)
        {
            throw new InvalidOperationException($"Page 0x{vpn:x} is mapped by a 2 MiB entry; it has no table of pages.");
        }

        return slot.Table ??= new PageTable();
    }

    /// <summary>
    /// Frees the tables under an unmapped stretch, as far as no neighbour uses them: <paramref name="floor"/> is the end of the VMA in front of it
    /// (0: none), <paramref name="ceiling"/> the start of the VMA behind it (<see cref="ulong.MaxValue"/>: none).
    /// </summary>
    public void Free(ulong start, ulong end, ulong floor, ulong ceiling)
    {
        ulong from = start & ~(PagesPerBlock - 1);
        if (from < floor)
        {
            from += PagesPerBlock;
        }

        // The last block goes only when the VMA behind begins in a later one.
        ulong to = BlockEnd(end - 1) <= ceiling ? BlockEnd(end - 1) : (end - 1) & ~(PagesPerBlock - 1);
        for (ulong vpn = from; vpn < to;)
        {
            ulong next = Math.Min(to, GibibyteEnd(vpn));
            PmdTable? pmd = FindPmdTable(vpn);
            if (pmd is not null)
            {
                for (ulong block = vpn; block < next; block += PagesPerBlock)
                {
                    SlotOf(pmd, block).Table = null;
                }

                FreeUpperLevels(vpn, floor, ceiling);
            }

            vpn = next;
        }
    }

    /// <summary>Drops everything, as exit does.</summary>
    public void Clear() => _top.Clear();

    private void FreeUpperLevels(ulong vpn, ulong floor, ulong ceiling)
    {
        ulong gibibyte = (vpn >> GibibyteShift) << GibibyteShift;
        if (gibibyte < floor || GibibyteEnd(vpn) > ceiling)
        {
            return;
        }

        PudTable pud = _top[vpn >> TopShift];
        pud.Tables[(int)((vpn >> GibibyteShift) & (EntriesPerTable - 1))] = null;
        ulong topStart = (vpn >> TopShift) << TopShift;
        if (topStart >= floor && TopEnd(vpn) <= ceiling && Array.TrueForAll(pud.Tables, table => table is null))
        {
            _top.Remove(vpn >> TopShift);
        }
    }
}
