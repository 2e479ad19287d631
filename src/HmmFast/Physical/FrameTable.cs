using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>
/// The frame columns: 12 bytes a frame (flags 2, mapcount 2, reverse map 4 + 4), 8 more for the content tag where content is tracked. Reserved for
/// every frame number a pfn column can hold and committed as touched, so their addresses never change.
/// </summary>
/// <remarks>Bounds: callers index with frame numbers that an allocator or a page column gave them, which lie below <see cref="FrameLimit"/>.</remarks>
internal sealed unsafe class FrameTable : IDisposable
{
    /// <summary>Frame numbers are 32 bits.</summary>
    public const ulong FrameLimit = 1UL << 32;

    private const ulong AdviseFromFrames = 1UL << 19;

    private readonly NativeColumn<ushort> _flags;
    private readonly NativeColumn<ushort> _mapCount;
    private readonly NativeColumn<RmapEntry> _reverseMap;
    private readonly NativeColumn<uint> _folioMaps;
    private readonly NativeColumn<ushort> _folioEntries;
    private readonly NativeColumn<ulong>? _content;

    public FrameTable(bool trackContent, NativeMemoryLedger ledger)
    {
        try
        {
            _flags = new NativeColumn<ushort>("frame flags", (long)FrameLimit, ledger, HugePagePolicy.SystemDefault);
            _mapCount = new NativeColumn<ushort>("frame mapcount", (long)FrameLimit, ledger, HugePagePolicy.SystemDefault);
            _reverseMap = new NativeColumn<RmapEntry>("frame reverse map", (long)FrameLimit, ledger, HugePagePolicy.SystemDefault);
            _folioMaps = new NativeColumn<uint>("folio mapcount", (long)(FrameLimit / PageOrder.PagesPerBlock), ledger, HugePagePolicy.SystemDefault);
            _folioEntries = new NativeColumn<ushort>("folio 2 MiB entries", (long)(FrameLimit / PageOrder.PagesPerBlock), ledger, HugePagePolicy.SystemDefault);
            _content = trackContent ? new NativeColumn<ulong>("frame content", (long)FrameLimit, ledger, HugePagePolicy.SystemDefault) : null;
        }
        catch
        {
            Dispose();
            throw;
        }

        Flags = (FrameFlags*)_flags.Pointer;
        MapCount = _mapCount.Pointer;
        ReverseMap = _reverseMap.Pointer;
        FolioMaps = _folioMaps.Pointer;
        FolioEntries = _folioEntries.Pointer;
        Content = _content is null ? null : _content.Pointer;
    }

    /// <summary>Flags of each frame.</summary>
    public FrameFlags* Flags { get; }

    /// <summary>Page table entries that hold the frame, device-private and device-exclusive ones included; those of a 2 MiB entry count once a frame.</summary>
    public ushort* MapCount { get; }

    /// <summary>Where mappings of the frame are found.</summary>
    public RmapEntry* ReverseMap { get; }

    /// <summary>Mappings of all 512 pages of a 2 MiB folio together, by head frame / 512.</summary>
    public uint* FolioMaps { get; }

    /// <summary>2 MiB entries that map a folio, by head frame / 512; each counts 512 in <see cref="FolioMaps"/> too.</summary>
    public ushort* FolioEntries { get; }

    /// <summary>Content tags; null when content is not tracked.</summary>
    public ulong* Content { get; }

    /// <summary>Asks for huge pages where a part of the columns will be filled end to end.</summary>
    public void AdviseHuge(uint first, ulong count)
    {
        if (count >= AdviseFromFrames)
        {
            _flags.AdviseHuge(first, (long)count);
            _mapCount.AdviseHuge(first, (long)count);
            _reverseMap.AdviseHuge(first, (long)count);
            _content?.AdviseHuge(first, (long)count);
        }
    }

    /// <summary>Frees the columns: those that there are, when the constructor fails half way.</summary>
    public void Dispose()
    {
        _flags?.Dispose();
        _mapCount?.Dispose();
        _reverseMap?.Dispose();
        _folioMaps?.Dispose();
        _folioEntries?.Dispose();
        _content?.Dispose();
    }
}
