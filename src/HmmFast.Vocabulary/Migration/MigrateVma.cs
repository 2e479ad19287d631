namespace HmmFast;

/// <summary>One migration in progress (<c>struct migrate_vma</c>): setup, the driver's allocation and copy, pages, finalize.</summary>
/// <remarks>
/// <para>Setup looks at each page of one VMA. A system page, an empty entry of an anonymous VMA and a zero page are collected with SelectSystem, a device page when its kind is selected
/// and its pagemap's owner is <see cref="PagemapOwner"/>; 2 MiB entries are split first; swap and everything else is left out, and a page with references beyond its mappings is put
/// back. Notifiers hear of one Migrate event with the owner, and of another before empty places are filled.</para>
/// <para>Between setup and finalize no other call on the memory system may change the pages collected. An object can be used again after <see cref="Reset"/>. Its two arrays are 16
/// bytes a page. Source: <c>migrate_vma_setup</c>, <c>migrate_vma_pages</c> and <c>migrate_vma_finalize</c>, as in core.jsonl.gz, coh.jsonl.gz, thp.jsonl.gz and matrix_small.jsonl.gz.</para>
/// </remarks>
public sealed class MigrateVma
{
    /// <summary>Makes a migration with its own arrays of <c>range.PageCount</c> entries.</summary>
    /// <param name="range">The pages, inside one VMA.</param>
    /// <param name="flags">What is collected.</param>
    /// <param name="pagemapOwner">Whose device pages are collected, and who the events say does it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is too long for an array.</exception>
    public MigrateVma(VpnRange range, MigrateVmaFlags flags, OwnerId pagemapOwner)
    {
        if (range.PageCount > (ulong)Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(range), range, $"A migration takes at most {Array.MaxLength} pages, not {range.PageCount}.");
        }

        Range = range;
        Flags = flags;
        PagemapOwner = pagemapOwner;
        Source = new MigratePfn[range.PageCount];
        Destination = new MigratePfn[range.PageCount];
    }

    /// <summary>The pages, inside one VMA.</summary>
    public VpnRange Range { get; private set; }

    /// <summary>What is collected.</summary>
    public MigrateVmaFlags Flags { get; private set; }

    /// <summary>Owner whose device pages are collected, carried by the Migrate event.</summary>
    public OwnerId PagemapOwner { get; private set; }

    /// <summary>Filled by setup: what stands at each page, one entry a page of <see cref="Range"/>; entries that did not move have no MIGRATE after pages.</summary>
    public MigratePfn[] Source { get; }

    /// <summary>Filled by the driver between setup and pages: where each page goes; <see cref="MigratePfn.None"/> leaves it.</summary>
    public MigratePfn[] Destination { get; }

    /// <summary>Entries with MIGRATE after setup (<c>cpages</c>).</summary>
    public ulong CollectedPageCount { get; set; }

    /// <summary>The implementation's own notes between the calls.</summary>
    public object? Context { get; set; }

    /// <summary>Reuses the arrays for another range of at most their length. Cost: 16 bytes cleared a page of the old range.</summary>
    /// <param name="range">The pages, inside one VMA.</param>
    /// <param name="flags">What is collected.</param>
    /// <param name="pagemapOwner">Whose device pages are collected.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is longer than the arrays.</exception>
    public void Reset(VpnRange range, MigrateVmaFlags flags, OwnerId pagemapOwner)
    {
        if (range.PageCount > (ulong)Source.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(range), range, $"The arrays hold {Source.Length} pages, not {range.PageCount}.");
        }

        // Behind the old range nothing was written; setup clears that too.
        Source.AsSpan(0, (int)Range.PageCount).Clear();
        Destination.AsSpan(0, (int)Range.PageCount).Clear();
        Range = range;
        Flags = flags;
        PagemapOwner = pagemapOwner;
        CollectedPageCount = 0;
        Context = null;
    }
}
