using HmmFast.AddressSpaces;
using HmmFast.Kernels;

namespace HmmFast.Faulting;

/// <content>Answers in runs: the kernel writes to the caller's memory, and runs that meet at the end of a call become one.</content>
internal ref partial struct RangeWalk
{
    /// <summary>Adds a run unless it goes on where the last one ends. The caller has seen that there is room.</summary>
    private void Append(ulong start, ulong word)
    {
        if (!GoesOn(start, word))
        {
            _starts[_extentCount] = (uint)(start - _start);
            _firsts[_extentCount++] = word;
        }
    }

    /// <summary>True when a page has the word that the last run would give it.</summary>
    private readonly bool GoesOn(ulong vpn, ulong word)
    {
        if (_extentCount == 0)
        {
            return false;
        }

        ulong last = _firsts[_extentCount - 1];
        ulong distance = (last & _layout.ValidBit) != 0 ? vpn - _start - _starts[_extentCount - 1] : 0;
        return last + distance == word;
    }

    /// <summary>Page tables in runs: up to the first page that needs work, or as many runs as there is room for. The kernel writes to the caller's memory.</summary>
    private unsafe HmmStatus ExtendOverTable(Vma vma, int count)
    {
        Span<uint> starts = _starts[_extentCount..];
        Span<ulong> firsts = _firsts[_extentCount..];
        ExtentCount found = _table.HasAliases
            ? ExtendByWords(count, starts, firsts)
            : _kernels.Extents(
                new ReadOnlySpan<byte>(_space.Columns.Class + _at, count),
                new ReadOnlySpan<uint>(_space.Columns.Pfn + _at, count),
                _uniform,
                _format.KindShift,
                starts,
                firsts);
        TakeIn(found.Extents);
        ulong end = _at + (ulong)count;
        _at += (ulong)found.Pages;
        bool stoppedAtWork = found.Pages < count && (_uniform[_space.Columns.Class[_at]] & Resolution.WorkMask) != 0;
        return stoppedAtWork && !IsFull ? Work(vma, end) : HmmStatus.Ok;
    }

    /// <summary>Takes in runs that were written behind the last one, counted from the page the walk stands at.</summary>
    private void TakeIn(int count)
    {
        if (count == 0)
        {
            return;
        }

        Span<uint> starts = _starts.Slice(_extentCount, count);
        Span<ulong> firsts = _firsts.Slice(_extentCount, count);
        if (_at != _start)
        {
            _kernels.Add(starts, (uint)(_at - _start));
        }

        if (GoesOn(_at, firsts[0]))
        {
            // One run with the last: the others move up.
            starts[1..].CopyTo(starts);
            firsts[1..].CopyTo(firsts);
            count--;
        }

        _extentCount += count;
    }

    /// <summary>The same where a policy hands out aliases: the words are made first, since frame numbers change.</summary>
    private readonly unsafe ExtentCount ExtendByWords(int count, scoped Span<uint> starts, scoped Span<ulong> words)
    {
        const int Chunk = 512;
        Span<ulong> answers = stackalloc ulong[Chunk];
        count = Math.Min(count, Chunk);
        var classes = new ReadOnlySpan<byte>(_space.Columns.Class + _at, count);
        var pfns = new ReadOnlySpan<uint>(_space.Columns.Pfn + _at, count);
        int done = _kernels.Resolve(classes, pfns, _uniform, _format with { KeepMask = 0, ResultWords = 0 }, answers[..count]);
        ReplaceByAliases(classes[..done], pfns, answers);
        int runs = 0;
        for (int i = 0; i < done; i++)
        {
            ulong expected = i == 0 ? 0 : answers[i - 1] + ((answers[i - 1] & _layout.ValidBit) != 0 ? 1UL : 0);
            if (i > 0 && answers[i] == expected)
            {
                continue;
            }

            if (runs == starts.Length)
            {
                return new ExtentCount(runs, i);
            }

            starts[runs] = (uint)i;
            words[runs++] = answers[i];
        }

        return new ExtentCount(runs, done);
    }
}
