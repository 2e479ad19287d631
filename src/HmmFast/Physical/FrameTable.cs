using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>
/// The frame columns: 12 bytes a frame (state 2 + 2, reverse map 4 + 4), 8 more for the content tag where content is tracked. Reserved for
/// every frame number a pfn column can hold and committed as touched, so their addresses never change.
/// </summary>
/// <remarks>Bounds: callers index with frame numbers that an allocator or a page column gave them, which lie below <see cref="FrameLimit"/>.</remarks>
internal sealed unsafe class FrameTable : IDisposable
{
    /// <summary>Frame numbers are 32 bits.</summary>
    public const ulong FrameLimit = 1UL << 32;

    private const ulong AdviseFromFrames = 1UL << 19;
    private const int HugeBytes = 2 << 20;

    private readonly NativeColumn<uint> _state;
    private readonly NativeColumn<RmapEntry> _reverseMap;
    private readonly NativeColumn<uint> _folioMaps;
    private readonly NativeColumn<ushort> _folioEntries;
    private readonly NativeColumn<ushort> _taken;
    private readonly NativeColumn<ulong>? _content;

    public FrameTable(bool trackContent, NativeMemoryLedger ledger)
    {
        try
        {
            _state = new NativeColumn<uint>("frame state", LengthOf<uint>(), ledger, HugePagePolicy.SystemDefault);
            _reverseMap = new NativeColumn<RmapEntry>("frame reverse map", LengthOf<RmapEntry>(), ledger, HugePagePolicy.SystemDefault);
            _folioMaps = new NativeColumn<uint>("folio mapcount", (long)(FrameLimit / PageOrder.PagesPerBlock), ledger, HugePagePolicy.SystemDefault);
            _folioEntries = new NativeColumn<ushort>("folio 2 MiB entries", (long)(FrameLimit / PageOrder.PagesPerBlock), ledger, HugePagePolicy.SystemDefault);
            _taken = new NativeColumn<ushort>("frames taken", (long)(FrameLimit / PageOrder.PagesPerBlock), ledger, HugePagePolicy.SystemDefault);
            _content = trackContent ? new NativeColumn<ulong>("frame content", (long)FrameLimit, ledger, HugePagePolicy.SystemDefault) : null;
        }
        catch
        {
            Dispose();
            throw;
        }

        State = (FrameState*)Start(_state);
        ReverseMap = Start(_reverseMap);
        FolioMaps = _folioMaps.Pointer;
        FolioEntries = _folioEntries.Pointer;
        Taken = _taken.Pointer;
        Content = _content is null ? null : _content.Pointer;
    }

    /// <summary>Flags and mapcount of each frame.</summary>
    public FrameState* State { get; }

    /// <summary>Flags of each frame.</summary>
    public FlagView Flags => new(State);

    /// <summary>Page table entries that hold the frame, device-private and device-exclusive ones included; those of a 2 MiB entry count once a frame.</summary>
    public MapCountView MapCount => new(State);

    /// <summary>Where mappings of the frame are found.</summary>
    public RmapEntry* ReverseMap { get; }

    /// <summary>Mappings of all 512 pages of a 2 MiB folio together, by head frame / 512.</summary>
    public uint* FolioMaps { get; }

    /// <summary>2 MiB entries that map a folio, by head frame / 512; each counts 512 in <see cref="FolioMaps"/> too.</summary>
    public ushort* FolioEntries { get; }

    /// <summary>How many of each 512 frames are taken, by frame / 512: kept by <see cref="FrameRange"/>.</summary>
    public ushort* Taken { get; }

    /// <summary>Content tags; null when content is not tracked.</summary>
    public ulong* Content { get; }

    /// <summary>The states of a run as numbers (<see cref="FrameState.Word"/>).</summary>
    public Span<uint> States(uint first, int count) => new(State + first, count);

    /// <summary>Asks for huge pages where a part of the columns will be filled end to end.</summary>
    public void AdviseHuge(uint first, ulong count)
    {
        if (count >= AdviseFromFrames)
        {
            _state.AdviseHuge((uint*)State - _state.Pointer + first, (long)count);
            _reverseMap.AdviseHuge(ReverseMap - _reverseMap.Pointer + first, (long)count);
            _content?.AdviseHuge(first, (long)count);
        }
    }

    /// <summary>Frees the columns: those that there are, when the constructor fails half way.</summary>
    public void Dispose()
    {
        _state?.Dispose();
        _reverseMap?.Dispose();
        _folioMaps?.Dispose();
        _folioEntries?.Dispose();
        _taken?.Dispose();
        _content?.Dispose();
    }

    private static long LengthOf<T>()
        where T : unmanaged => (long)FrameLimit + (HugeBytes / sizeof(T));

    /// <summary>Where frame 0's element is put: so that frame 1, the first of system memory, begins a huge page, and a round number of frames fills whole ones.</summary>
    private static T* Start<T>(NativeColumn<T> column)
        where T : unmanaged => (T*)(((nuint)(column.Pointer + 1) + HugeBytes - 1) & ~(nuint)(HugeBytes - 1)) - 1;
}
