using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>What shared pages come from: a file, or the nameless shmem object behind shared anonymous memory. Holds the page cache.</summary>
internal sealed unsafe class FileObject : IDisposable
{
    /// <summary>Set in reverse map objects that are files, so that they never equal a family's number.</summary>
    public const uint ObjectBit = 0x8000_0000;

    private readonly NativeColumn<uint> _cacheColumn;
    private readonly Func<ulong, ulong>? _initialTag;

    // Written tmpfs pages that reclaim put into swap.
    private readonly Dictionary<ulong, uint> _swapped = [];

    public FileObject(uint number, FileKind kind, ulong pageCount, Func<ulong, ulong>? initialTag, bool isNameless, NativeMemoryLedger ledger)
    {
        Object = number | ObjectBit;
        Kind = kind;
        PageCount = pageCount;
        IsNameless = isNameless;
        _initialTag = initialTag;
        _cacheColumn = new NativeColumn<uint>("page cache", (long)Math.Max(pageCount, 1), ledger);
        Cache = _cacheColumn.Pointer;
    }

    /// <summary>The reverse map object of its pages.</summary>
    public uint Object { get; }

    public FileKind Kind { get; }

    public ulong PageCount { get; }

    /// <summary>Shared anonymous memory: goes when its last VMA goes.</summary>
    public bool IsNameless { get; }

    /// <summary>The last read-ahead: its first page.</summary>
    public ulong ReadAheadStart { get; set; }

    /// <summary>Its pages.</summary>
    public ulong ReadAheadSize { get; set; }

    /// <summary>How many pages before its end the mark was set.</summary>
    public ulong ReadAheadAsyncSize { get; set; }

    /// <summary>VMAs that map it.</summary>
    public int VmaCount { get; set; }

    /// <summary>Frame of each page; 0 where the page is not in the cache.</summary>
    public uint* Cache { get; }

    /// <summary>What a page holds that is in neither cache nor swap: what it held from the start, since a written page leaves the cache only for swap.</summary>
    public ulong InitialTagOf(ulong page) => _initialTag?.Invoke(page) ?? 0;

    public bool TryGetSlot(ulong page, out uint slot) => _swapped.TryGetValue(page, out slot);

    public void SetSlot(ulong page, uint slot) => _swapped.Add(page, slot);

    public void ClearSlot(ulong page) => _swapped.Remove(page);

    /// <summary>Swap slots of all pages that are in swap.</summary>
    public IEnumerable<uint> Slots => _swapped.Values;

    public void Dispose() => _cacheColumn.Dispose();
}
