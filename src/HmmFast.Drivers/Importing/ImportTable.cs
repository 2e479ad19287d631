using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using HmmFast.Dma;

namespace HmmFast.Drivers.Importing;

/// <summary>An importer's table: one word and one outcome a page, and for each 512 pages whether any word may be set, so that empty parts are not read.</summary>
/// <remarks>Importers come and go with registrations of one size: their memory is used again, which costs less than fresh memory.</remarks>
internal sealed class ImportTable : IDisposable
{
    private const int BlockPages = PageOrder.PagesPerBlock;

    private readonly int _count;
    private readonly bool[] _mayHold;
    private HmmPfn[] _words;
    private PageOutcome[] _outcomes;

    public ImportTable(int count)
    {
        _count = count;
        _mayHold = new bool[((count - 1) / BlockPages) + 1];
        _words = ArrayPool<HmmPfn>.Shared.Rent(count);
        _outcomes = ArrayPool<PageOutcome>.Shared.Rent(count);
        _words.AsSpan(0, count).Clear();
        _outcomes.AsSpan(0, count).Clear();
    }

    public bool IsDisposed => _words.Length == 0;

    /// <summary>All words; none once disposed.</summary>
    public ReadOnlySpan<HmmPfn> Words => _words.AsSpan(0, IsDisposed ? 0 : _count);

    /// <summary>All outcomes; none once disposed.</summary>
    public ReadOnlySpan<PageOutcome> Outcomes => _outcomes.AsSpan(0, IsDisposed ? 0 : _count);

    /// <summary>Some pages' outcomes, to be changed.</summary>
    public Span<PageOutcome> OutcomesOf(int first, int count) => _outcomes.AsSpan(first, count);

    /// <summary>True when every page has a word.</summary>
    public bool HoldsAll(int first, int count) => !Raw(first, count).Contains(0UL);

    /// <summary>False when no page has a word; true when one may have.</summary>
    public bool MayHold(int first, int count) => Blocks(first, count).Contains(true);

    /// <summary>Pages that have a word.</summary>
    public int CountHeld(int first, int count) => MayHold(first, count) ? count - Raw(first, count).Count(0UL) : 0;

    /// <summary>What sticks to each word, without the rest.</summary>
    public void CopySticky(int first, Span<HmmPfn> to, ulong stickyMask)
    {
        if (!MayHold(first, to.Length))
        {
            to.Clear();
            return;
        }

        ReadOnlySpan<HmmPfn> from = _words.AsSpan(first, to.Length);
        ReadOnlySpan<Vector<ulong>> sources = MemoryMarshal.Cast<HmmPfn, Vector<ulong>>(from);
        Span<Vector<ulong>> targets = MemoryMarshal.Cast<HmmPfn, Vector<ulong>>(to);
        var sticky = new Vector<ulong>(stickyMask);
        for (int i = 0; i < sources.Length; i++)
        {
            targets[i] = sources[i] & sticky;
        }

        for (int i = sources.Length * Vector<ulong>.Count; i < from.Length; i++)
        {
            to[i] = new HmmPfn(from[i].Raw & stickyMask);
        }
    }

    /// <summary>Enters pages.</summary>
    public void Write(int first, ReadOnlySpan<HmmPfn> words, ReadOnlySpan<PageOutcome> outcomes)
    {
        Blocks(first, words.Length).Fill(true);
        words.CopyTo(_words.AsSpan(first));
        outcomes.CopyTo(_outcomes.AsSpan(first));
    }

    /// <summary>Sets what pages ended as, and nothing else.</summary>
    public void Fill(int first, int count, PageOutcome outcome) => _outcomes.AsSpan(first, count).Fill(outcome);

    /// <summary>Empties pages.</summary>
    public void Clear(int first, int count)
    {
        _outcomes.AsSpan(first, count).Clear();
        if (MayHold(first, count))
        {
            Raw(first, count).Clear();
            int whole = (first + BlockPages - 1) / BlockPages;
            int end = first + count == _count ? _mayHold.Length : (first + count) / BlockPages;
            _mayHold.AsSpan(whole, Math.Max(0, end - whole)).Clear();
        }
    }

    /// <summary>Unmaps what is mapped of some pages.</summary>
    public void Unmap(IHmmDmaMap map, int first, int count)
    {
        int end = first + count;
        while (first < end)
        {
            // Stretches that may hold something.
            int block = first / BlockPages;
            int next = Math.Min(end, (block + 1) * BlockPages);
            while (next < end && _mayHold[next / BlockPages] == _mayHold[block])
            {
                next = Math.Min(end, next + BlockPages);
            }

            if (_mayHold[block])
            {
                _ = map.Unmap(first, _words.AsSpan(first, next - first));
            }

            first = next;
        }
    }

    public void Dispose()
    {
        if (!IsDisposed)
        {
            ArrayPool<HmmPfn>.Shared.Return(_words);
            ArrayPool<PageOutcome>.Shared.Return(_outcomes);
            _words = [];
            _outcomes = [];
        }
    }

    private Span<bool> Blocks(int first, int count) =>
        count == 0 ? [] : _mayHold.AsSpan(first / BlockPages, ((first + count - 1) / BlockPages) - (first / BlockPages) + 1);

    // As plain numbers, which the framework searches at vector width.
    private Span<ulong> Raw(int first, int count) => MemoryMarshal.Cast<HmmPfn, ulong>(_words.AsSpan(first, count));
}
