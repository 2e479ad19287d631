namespace HmmFast.Simulation.Captures;

/// <summary>Totals of a capture, in 4 KiB pages.</summary>
public sealed record CaptureSummary
{
    /// <summary>Pages that VMAs cover.</summary>
    public ulong MappedPages { get; internal set; }

    /// <summary>Pages in memory.</summary>
    public ulong PresentPages { get; internal set; }

    /// <summary>Pages swapped out.</summary>
    public ulong SwappedPages { get; internal set; }

    /// <summary>Present pages of anonymous memory (private, not of a file, not the zero page).</summary>
    public ulong AnonymousPages { get; internal set; }

    /// <summary>Present pages of files and shared memory.</summary>
    public ulong FileOrSharedPages { get; internal set; }

    /// <summary>Present pages that are the zero page.</summary>
    public ulong ZeroPages { get; internal set; }

    /// <summary>Present pages under 2 MiB entries.</summary>
    public ulong HugePages { get; internal set; }

    /// <summary>Present pages that no other page table has.</summary>
    public ulong ExclusivePages { get; internal set; }

    /// <summary>Present anonymous pages that another page table has too.</summary>
    public ulong SharedAnonymousPages { get; internal set; }

    /// <summary>Pages soft-dirty.</summary>
    public ulong SoftDirtyPages { get; internal set; }

    /// <summary>Pages that hold something.</summary>
    public ulong PopulatedPages => PresentPages + SwappedPages;

    internal void Add(PageRun run, MappingKind kind)
    {
        PageState state = run.State;
        ulong pages = run.PageCount;
        SoftDirtyPages += Has(PageState.SoftDirty);
        if ((state & PageState.Swapped) != 0)
        {
            SwappedPages += pages;
            return;
        }

        PresentPages += pages;
        HugePages += Has(PageState.Huge);
        ExclusivePages += Has(PageState.Exclusive);
        if ((state & PageState.Zero) != 0)
        {
            ZeroPages += pages;
        }
        else if ((state & PageState.FileOrShared) != 0 || kind is MappingKind.SharedAnonymous or MappingKind.SharedFile)
        {
            FileOrSharedPages += pages;
        }
        else
        {
            AnonymousPages += pages;
            SharedAnonymousPages += (state & PageState.Exclusive) == 0 ? pages : 0;
        }

        ulong Has(PageState flag) => (state & flag) != 0 ? pages : 0;
    }
}
