namespace HmmFast;

/// <summary>A file that VMAs can map.</summary>
public sealed record FileOptions
{
    /// <summary>tmpfs or disk.</summary>
    public required FileKind Kind { get; init; }

    /// <summary>Size in pages; access past it ends in SIGBUS.</summary>
    public required ulong PageCount { get; init; }

    /// <summary>What a page holds before anything writes it, as a content tag; 0 means a hole of the file. Null: all holes.</summary>
    /// <remarks>Non-zero pages are in the page cache from the start, lowest page first (the file was just written); holes get a page on first use.</remarks>
    public Func<ulong, ulong>? InitialTag { get; init; }
}
