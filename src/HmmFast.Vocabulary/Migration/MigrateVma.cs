namespace HmmFast;

/// <summary>One migration in progress (<c>struct migrate_vma</c>): setup, the driver's allocation and copy, pages, finalize.</summary>
/// <remarks>Between setup and finalize no other call on the memory system may change the pages collected.</remarks>
public sealed class MigrateVma
{
    /// <summary>Makes a migration with its own arrays of <c>range.PageCount</c> entries.</summary>
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

    /// <summary>Filled by setup: what stands at each page.</summary>
    public MigratePfn[] Source { get; }

    /// <summary>Filled by the driver between setup and pages: where each page goes; <see cref="MigratePfn.None"/> leaves it.</summary>
    public MigratePfn[] Destination { get; }

    /// <summary>Entries with MIGRATE after setup (<c>cpages</c>).</summary>
    public ulong CollectedPageCount { get; set; }

    /// <summary>The implementation's own notes between the calls.</summary>
    public object? Context { get; set; }

    /// <summary>Reuses the arrays for another range of at most their length.</summary>
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
