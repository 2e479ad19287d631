using System.Runtime.InteropServices;
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
    private readonly ulong[] _sources;
    private readonly ulong[] _destinations;
    private NativeColumn<byte>? _freshClasses;
    private NativeColumn<uint>? _freshPfns;

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
        _sources = new ulong[_count];
        _destinations = new ulong[_count];
    }

    /// <summary>Writes an entry (5 bytes), a frame (12) and a result word (8) a page, with ordinary stores and with such that go past the caches.</summary>
    public Contender[] WriteFaultedColumns() =>
    [
        new("write of entry, frame and word columns", (ulong)_count, () => WriteFaulted(nonTemporal: false), ClearFaulted),
        new("write of entry, frame and word columns, non-temporal", (ulong)_count, () => WriteFaulted(nonTemporal: true), ClearFaulted),
    ];

    /// <summary>
    /// What moving a page to another frame must at least read and write: its entry (5 bytes) twice, since it is held in between, both frames (12 bytes each), and the
    /// caller's source and destination words (8 bytes each), which are managed arrays as a migration's are.
    /// </summary>
    public Contender MoveColumns() => new("copy of the columns that a migration touches", (ulong)_count, () => Move(null), TouchAll);

    /// <summary>The same, the frames one by one in the order of a shuffle.</summary>
    /// <param name="order">Which frame each page's goes to.</param>
    public Contender MoveShuffledColumns(int[] order) => new("copy of the same columns, frames in the shuffled order", (ulong)_count, () => Move(order), TouchAll);

    /// <summary>Copies both page table columns (5 bytes a page) to memory that the system has yet to give, as a child's is. Giving it back is not in the time.</summary>
    public Contender CopyToFreshColumns() => new(
        "copy of both columns into fresh memory",
        (ulong)_count,
        () =>
        {
            _freshClasses = new NativeColumn<byte>("copied classes", _count, _ledger, HugePagePolicy.Prefer);
            _freshPfns = new NativeColumn<uint>("copied frame numbers", _count, _ledger, HugePagePolicy.Prefer);
            _classes[0].Span(0, _count).CopyTo(_freshClasses.Span(0, _count));
            _pfns[0].Span(0, _count).CopyTo(_freshPfns.Span(0, _count));
        },
        () =>
        {
            DropFresh();
            TouchAll();
        });

    /// <summary>Copies both page table columns (5 bytes a page).</summary>
    public Contender CopyColumns() => new(
        "copy of both columns",
        (ulong)_count,
        () =>
        {
            _classes[0].Span(0, _count).CopyTo(_classes[1].Span(0, _count));
            _pfns[0].Span(0, _count).CopyTo(_pfns[1].Span(0, _count));
        },
        TouchAll);

    public void Dispose()
    {
        DropFresh();
        foreach (IDisposable owned in _owned)
        {
            owned.Dispose();
        }

        _ledger.ThrowIfUnbalanced();
    }

    private unsafe void WriteFaulted(bool nonTemporal)
    {
        // Block by block, as a call that also answers would.
        const int Block = 1 << 14;
        for (int at = 0; at < _count; at += Block)
        {
            int count = Math.Min(Block, _count - at);
            Fill(_classes[0].Span(at, count), (byte)7, nonTemporal);
            Fill(_pfns[0].Span(at, count), 7U, nonTemporal);
            Fill(_flags[0].Span(at, count), (ushort)7, nonTemporal);
            Fill(_mapCounts[0].Span(at, count), (ushort)1, nonTemporal);
            Fill(_objects[0].Span(at, count), 7U, nonTemporal);
            Fill(_indexes[0].Span(at, count), 7U, nonTemporal);
            Fill(_words[0].Span(at, count), 7UL, nonTemporal);
        }
    }

    private static unsafe void Fill<T>(Span<T> column, T value, bool nonTemporal)
        where T : unmanaged
    {
        if (!nonTemporal)
        {
            column.Fill(value);
            return;
        }

        // Parts begin on 64-byte borders and hold whole words.
        Span<T> word = stackalloc T[sizeof(ulong) / sizeof(T)];
        word.Fill(value);
        fixed (T* to = column)
        {
            MemoryLimits.FillLines((byte*)to, (ulong)column.Length * (ulong)sizeof(T), MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(word)), nonTemporal: true);
        }
    }

    // As emptying the engine's memory leaves it: the same columns written before.
    private void ClearFaulted()
    {
        _classes[0].Span(0, _count).Clear();
        _pfns[0].Span(0, _count).Clear();
        _flags[0].Span(0, _count).Clear();
        _mapCounts[0].Span(0, _count).Clear();
        _objects[0].Span(0, _count).Clear();
        _indexes[0].Span(0, _count).Clear();
    }

    // As the engine's preparations do, which write everything and take its destinations.
    private void TouchAll()
    {
        _classes[0].Span(0, _count).Fill(7);
        _pfns[0].Span(0, _count).Fill(7);
        _flags[0].Span(0, _count).Fill(7);
        _mapCounts[0].Span(0, _count).Fill(1);
        _sources.AsSpan().Fill(7);
    }

    private void Move(int[]? order)
    {
        // Collected ...
        _classes[0].Span(0, _count).CopyTo(_classes[1].Span(0, _count));
        _pfns[0].Span(0, _count).CopyTo(_pfns[1].Span(0, _count));
        _sources.CopyTo(_destinations, 0);

        // ... moved ...
        if (order is null)
        {
            _flags[0].Span(0, _count).CopyTo(_flags[1].Span(0, _count));
            _mapCounts[0].Span(0, _count).CopyTo(_mapCounts[1].Span(0, _count));
            _objects[0].Span(0, _count).CopyTo(_objects[1].Span(0, _count));
            _indexes[0].Span(0, _count).CopyTo(_indexes[1].Span(0, _count));
        }
        else
        {
            CopyTo(order, _flags);
            CopyTo(order, _mapCounts);
            CopyTo(order, _objects);
            CopyTo(order, _indexes);
        }

        // ... and mapped again, the old frames free.
        _classes[1].Span(0, _count).CopyTo(_classes[0].Span(0, _count));
        _pfns[1].Span(0, _count).CopyTo(_pfns[0].Span(0, _count));
        _flags[0].Span(0, _count).Clear();
        _mapCounts[0].Span(0, _count).Clear();
    }

    private static void CopyTo<T>(int[] order, NativeColumn<T>[] columns)
        where T : unmanaged
    {
        Span<T> from = columns[0].Span(0, order.Length);
        Span<T> to = columns[1].Span(0, order.Length);
        for (int i = 0; i < order.Length; i++)
        {
            to[order[i]] = from[i];
        }
    }

    private void DropFresh()
    {
        _freshClasses?.Dispose();
        _freshPfns?.Dispose();
        (_freshClasses, _freshPfns) = (null, null);
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
