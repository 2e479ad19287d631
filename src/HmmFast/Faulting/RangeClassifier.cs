using HmmFast.AddressSpaces;
using HmmFast.Kernels;

namespace HmmFast.Faulting;

/// <summary>Counts what a range fault would meet without answering it.</summary>
internal ref struct RangeClassifier
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;
    private const int ScratchWords = 64;

    private readonly AddressSpace _space;
    private readonly KernelSet _kernels;
    private readonly ByteTable _table;
    private readonly bool _fault;
    private readonly bool _write;
    private readonly ulong _start;
    private readonly Span<ulong> _work;
    private HmmClassification _counts;

    // Words of the bitmap up to here say something; those behind are still as the caller left them. Whole words of page tables are written without being cleared before.
    private int _said;

    public RangeClassifier(AddressSpace space, DecisionTable table, PageAsk ask, ulong start, Span<ulong> work)
    {
        _space = space;
        _kernels = space.Core.Kernels;
        _table = table.Of(ask);
        _fault = ask.Fault;
        _write = ask.Write;
        _start = start;
        _work = work;
    }

    public HmmClassification Count(ulong end)
    {
        VmaList vmas = _space.VmaList;
        ulong at = _start;
        for (int index = vmas.IndexFrom(at); at < end; index++)
        {
            Vma? vma = index < vmas.Count ? vmas[index] : null;
            ulong from = vma is null ? end : Math.Min(end, Math.Max(at, vma.Start));
            _counts.Error += (long)(from - at);
            at = vma is null ? end : Math.Min(end, vma.End);
            if (at == from)
            {
                continue;
            }

            if (vma!.IsUnfaultable || !vma.CanRead)
            {
                _counts.Error += (long)(at - from);
            }
            else
            {
                Count(from, at);
            }
        }

        ClearUpTo(_work.Length);
        return _counts;
    }

    private unsafe void Count(ulong at, ulong to)
    {
        BlockDescriptor* blocks = _space.Columns.Block;
        while (at < to)
        {
            ulong end = Math.Min(to, ((at / BlockPages) + 1) * BlockPages);
            BlockDescriptor block = blocks[at / BlockPages];
            switch (block.Kind)
            {
                case BlockKind.Hole:
                    end = _space.Columns.HoleEnd(at, to);
                    CountAlike(at, end, _fault ? _write ? Decision.WriteFault : Decision.ReadFault : Resolution.Nothing);
                    break;
                case BlockKind.Huge:
                    CountAlike(at, end, _table[block.Class]);
                    break;
                default:
                    while (end < to && blocks[end / BlockPages].Kind == BlockKind.Table)
                    {
                        end = Math.Min(to, end + BlockPages);
                    }

                    CountTable(at, end);
                    break;
            }

            at = end;
        }
    }

    private void CountAlike(ulong from, ulong to, byte code)
    {
        long pages = (long)(to - from);
        switch (code & Resolution.WorkMask)
        {
            case Decision.ReadFault:
                _counts.ReadFaults += pages;
                break;
            case Decision.WriteFault:
                _counts.WriteFaults += pages;
                break;
            case Decision.Special:
                _counts.Special += pages;
                break;
            default:
                _counts.Valid += (code & Resolution.Valid) != 0 ? pages : 0;
                _counts.Error += (code & Resolution.Error) != 0 ? pages : 0;
                _counts.Empty += code == Resolution.Nothing ? pages : 0;
                return;
        }

        if (!_work.IsEmpty)
        {
            ClearUpTo((int)((to - _start + 63) / 64));
            for (ulong bit = from - _start; bit < to - _start;)
            {
                ulong count = Math.Min(64 - (bit % 64), to - _start - bit);
                _work[(int)(bit / 64)] |= (count == 64 ? ulong.MaxValue : (1UL << (int)count) - 1) << (int)(bit % 64);
                bit += count;
            }
        }
    }

    private unsafe void CountTable(ulong from, ulong to)
    {
        Span<ulong> scratch = stackalloc ulong[ScratchWords];
        while (from < to)
        {
            ulong bit = from - _start;
            bool isAligned = bit % 64 == 0;
            int count = (int)Math.Min(to - from, _work.IsEmpty || isAligned ? 1UL << 30 : ScratchWords * 64);
            var classes = new ReadOnlySpan<byte>(_space.Columns.Class + from, count);
            int words = (count + 63) / 64;
            ClassCounts found;
            if (_work.IsEmpty)
            {
                found = _kernels.Classify(classes, _table, default);
            }
            else if (isAligned)
            {
                // The last word may be shared with the next piece, which or-s its bits in; nothing of it is set yet.
                int first = (int)(bit / 64);
                ClearUpTo(first);
                found = _kernels.Classify(classes, _table, _work.Slice(first, words));
                _said = Math.Max(_said, first + words);
            }
            else
            {
                found = _kernels.Classify(classes, _table, scratch[..words]);
                Place(scratch[..words], bit);
            }

            _counts.Valid += found.Valid;
            _counts.Error += found.Error;
            _counts.ReadFaults += found.Work1;
            _counts.WriteFaults += found.Work2;
            _counts.Special += found.Work3;
            _counts.Empty += count - found.Valid - found.Error - found.Work;
            from += (ulong)count;
        }
    }

    /// <summary>Or-s a bitmap into the result at a bit position that is no multiple of 64.</summary>
    private void Place(scoped ReadOnlySpan<ulong> bits, ulong at)
    {
        int word = (int)(at / 64);
        int shift = (int)(at % 64);
        ClearUpTo(Math.Min(_work.Length, word + bits.Length + 1));
        for (int i = 0; i < bits.Length; i++)
        {
            _work[word + i] |= bits[i] << shift;
            if (word + i + 1 < _work.Length)
            {
                _work[word + i + 1] |= bits[i] >> (64 - shift);
            }
        }
    }

    private void ClearUpTo(int word)
    {
        if (word > _said)
        {
            _work[_said..word].Clear();
            _said = word;
        }
    }
}
