namespace HmmFast.Reference;

/// <summary>One page of a file as its page cache knows it.</summary>
internal enum CachedPageKind : byte
{
    /// <summary>Not in memory: a hole, or on disk.</summary>
    Absent,

    /// <summary>In the page cache.</summary>
    InMemory,

    /// <summary>A shmem page in a swap slot.</summary>
    Swapped,
}

/// <summary>One page cache entry.</summary>
/// <param name="Kind">Where the page is.</param>
/// <param name="Number">The frame, or the slot.</param>
internal readonly record struct CachedPage(CachedPageKind Kind, uint Number);

/// <summary>A file, memfd, or the nameless object behind shared anonymous memory, with its page cache.</summary>
internal sealed class PageFile
{
    private const int ChunkShift = 9;

    private readonly CachedPage[]?[] _chunks;

    public PageFile(FileId id, FileKind kind, ulong pageCount, Func<ulong, ulong>? initialTag)
    {
        Id = id;
        Kind = kind;
        PageCount = pageCount;
        InitialTag = initialTag;
        _chunks = new CachedPage[]?[(pageCount >> ChunkShift) + 1];
    }

    /// <summary>None for nameless objects.</summary>
    public FileId Id { get; }

    public FileKind Kind { get; }

    public ulong PageCount { get; }

    public Func<ulong, ulong>? InitialTag { get; }

    /// <summary>The last read-ahead: its first page.</summary>
    public ulong ReadAheadStart { get; set; }

    /// <summary>Its pages.</summary>
    public ulong ReadAheadSize { get; set; }

    /// <summary>How many pages before its end the mark was set.</summary>
    public ulong ReadAheadAsyncSize { get; set; }

    /// <summary>Position in the memory system's table of all files.</summary>
    public required int TableIndex { get; init; }

    public CachedPage this[ulong index]
    {
        get => index < PageCount && _chunks[index >> ChunkShift] is { } chunk ? chunk[index & ((1 << ChunkShift) - 1)] : default;
        set => (_chunks[index >> ChunkShift] ??= new CachedPage[1 << ChunkShift])[index & ((1 << ChunkShift) - 1)] = value;
    }

    /// <summary>What the disk holds: pages that were written stay in memory, so it is what the file was made with.</summary>
    public ulong DiskTagOf(ulong index) => InitialTag!(index);

    /// <summary>The pages that are in memory or swapped.</summary>
    public IEnumerable<(ulong Index, CachedPage Page)> Pages()
    {
        for (ulong chunk = 0; chunk < (ulong)_chunks.Length; chunk++)
        {
            for (ulong i = 0; _chunks[chunk] is { } pages && i < (ulong)pages.Length; i++)
            {
                if (pages[i].Kind != CachedPageKind.Absent)
                {
                    yield return ((chunk << ChunkShift) + i, pages[i]);
                }
            }
        }
    }
}
