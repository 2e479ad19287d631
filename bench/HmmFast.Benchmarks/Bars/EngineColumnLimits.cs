using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Loops without logic over the columns that faults, migrations and forks must touch: vector fills and copies, one column after the other, as a memory limit would have it.</summary>
internal sealed class EngineColumnLimits : IDisposable
{
    private readonly NativeMemoryLedger _ledger = new();
    private readonly List<IDisposable> _owned = [];
    private readonly int _count;
    private readonly NativeColumn<byte>[] _classes;
    private readonly NativeColumn<uint>[] _pfns;
    private readonly NativeColumn<ushort>[] _flags;
    private readonly NativeColumn<ushort>[] _mapCounts;
    private readonly NativeColumn<uint>[] _objects;
    private readonly NativeColumn<uint>[] _indexes;
    private readonly NativeColumn<ulong>[] _words;

    public EngineColumnLimits(ulong pageCount)
    {
        _count = (int)pageCount;
        _classes = Two<byte>();
        _pfns = Two<uint>();
        _flags = Two<ushort>();
        _mapCounts = Two<ushort>();
        _objects = Two<uint>();
        _indexes = Two<uint>();
        _words = Two<ulong>();
    }

    /// <summary>Writes an entry (5 bytes), a frame (12) and a result word (8) a page.</summary>
    public Contender WriteFaultedColumns() => new("write of entry, frame and word columns", (ulong)_count, () =>
    {
        // Block by block, as a call that also answers would.
        const int Block = 1 << 14;
        for (int at = 0; at < _count; at += Block)
        {
            int count = Math.Min(Block, _count - at);
            _classes[0].Span(at, count).Fill(7);
            _pfns[0].Span(at, count).Fill(7);
            _flags[0].Span(at, count).Fill(7);
            _mapCounts[0].Span(at, count).Fill(1);
            _objects[0].Span(at, count).Fill(7);
            _indexes[0].Span(at, count).Fill(7);
            _words[0].Span(at, count).Fill(7);
        }
    });

    /// <summary>
    /// What moving a page to another frame must at least read and write: its entry (5 bytes) twice, since it is held in between, both frames (12 bytes each), and the
    /// caller's source and destination words (8 bytes each).
    /// </summary>
    public Contender MoveColumns() => new("copy of the columns that a migration touches", (ulong)_count, () =>
    {
        // Collected ...
        _classes[0].Span(0, _count).CopyTo(_classes[1].Span(0, _count));
        _pfns[0].Span(0, _count).CopyTo(_pfns[1].Span(0, _count));
        _words[0].Span(0, _count).CopyTo(_words[1].Span(0, _count));

        // ... moved ...
        _flags[0].Span(0, _count).CopyTo(_flags[1].Span(0, _count));
        _mapCounts[0].Span(0, _count).CopyTo(_mapCounts[1].Span(0, _count));
        _objects[0].Span(0, _count).CopyTo(_objects[1].Span(0, _count));
        _indexes[0].Span(0, _count).CopyTo(_indexes[1].Span(0, _count));

        // ... and mapped again, the old frames free.
        _classes[1].Span(0, _count).CopyTo(_classes[0].Span(0, _count));
        _pfns[1].Span(0, _count).CopyTo(_pfns[0].Span(0, _count));
        _flags[0].Span(0, _count).Clear();
        _mapCounts[0].Span(0, _count).Clear();
    });

    /// <summary>Copies both page table columns (5 bytes a page) to memory that the system has yet to give, as a child's is.</summary>
    public Contender CopyToFreshColumns() => new("copy of both columns into fresh memory", (ulong)_count, () =>
    {
        using var classes = new NativeColumn<byte>("copied classes", _count, _ledger, HugePagePolicy.Prefer);
        using var pfns = new NativeColumn<uint>("copied frame numbers", _count, _ledger, HugePagePolicy.Prefer);
        _classes[0].Span(0, _count).CopyTo(classes.Span(0, _count));
        _pfns[0].Span(0, _count).CopyTo(pfns.Span(0, _count));
    });

    /// <summary>Copies both page table columns (5 bytes a page).</summary>
    public Contender CopyColumns() => new("copy of both columns", (ulong)_count, () =>
    {
        _classes[0].Span(0, _count).CopyTo(_classes[1].Span(0, _count));
        _pfns[0].Span(0, _count).CopyTo(_pfns[1].Span(0, _count));
    });

    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
        {
            owned.Dispose();
        }

        _ledger.ThrowIfUnbalanced();
    }

    private NativeColumn<T>[] Two<T>()
        where T : unmanaged
    {
        var columns = new NativeColumn<T>[2];
        for (int i = 0; i < 2; i++)
        {
            columns[i] = new NativeColumn<T>("limit", _count, _ledger, HugePagePolicy.Prefer);
            columns[i].Span(0, _count).Clear();
            _owned.Add(columns[i]);
        }

        return columns;
    }
}
