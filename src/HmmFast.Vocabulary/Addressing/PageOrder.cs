namespace HmmFast;

/// <summary>The size of a mapping as a power of two of pages: 0 is 4 KiB, 9 is 2 MiB.</summary>
/// <param name="Value">log2 of the page count.</param>
public readonly record struct PageOrder(byte Value)
{
    /// <summary>One 4 KiB page.</summary>
    public static readonly PageOrder Page = new(0);

    /// <summary>One 2 MiB block: 512 pages under one PMD entry.</summary>
    public static readonly PageOrder Huge = new(9);

    /// <summary>Pages in a 2 MiB block.</summary>
    public const int PagesPerBlock = 512;

    /// <summary>Pages under one 1 GiB (PUD) entry.</summary>
    public const int PagesPerGibibyte = 512 * 512;

    /// <summary>Bytes in a page.</summary>
    public const int PageSizeBytes = 4096;

    /// <summary>Pages of this order.</summary>
    public ulong PageCount => 1UL << Value;
}
