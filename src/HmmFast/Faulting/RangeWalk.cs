using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>
/// One call's walk. It stands at a page; everything before is answered for good. <see cref="Go"/> walks on until the end, an error, or a
/// fault that was taken, after which the caller checks the notifier and lets it walk again from the page it stands at.
/// </summary>
internal ref partial struct RangeWalk
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    // A kernel call at most: a span's length is an int.
    private const ulong MostPages = 1UL << 30;

    // Behind a page that needed work the walk looks one block ahead, then two, then four: looking at all of a large range after every stop would take time that
    // grows with its square.
    private const ulong FirstAhead = BlockPages;

    private readonly MemoryCore _core;
    private readonly DecisionCache _cache;
    private readonly AddressSpace _space;
    private readonly KernelSet _kernels;
    private readonly HmmPfnLayout _layout;
    private readonly Span<ulong> _words;
    private readonly ulong _start;
    private readonly ulong _end;
    private readonly bool _onlyAsked;
    private readonly bool _isPerPage;
    private readonly PageAsk _default;
    private readonly PageRequest _request;
    private readonly WordFormat _format;
    private readonly DecisionKey _key;
    private readonly bool _asExtents;
    private readonly Span<uint> _starts;
    private readonly Span<ulong> _firsts;
    private int _extentCount;
    private DecisionTable _table;
    private ByteTable _uniform;
    private ulong _at;
    private ulong _ahead = MostPages;
    private bool _faulted;

    /// <summary>A walk that answers in runs.</summary>
    public RangeWalk(MemoryCore core, DecisionCache cache, AddressSpace space, in HmmRange range, Span<uint> starts, Span<ulong> firsts)
        : this(core, cache, space, range, default(Span<ulong>))
    {
        _asExtents = true;
        _starts = starts;
        _firsts = firsts;
    }

    /// <summary>A walk that answers one word a page.</summary>
    public RangeWalk(MemoryCore core, DecisionCache cache, AddressSpace space, in HmmRange range, Span<ulong> words)
    {
        _core = core;
        _cache = cache;
        _space = space;
        _kernels = core.Kernels;
        _layout = core.Options.Layout;
        _words = words;
        _start = range.Range.Start.Value;
        _end = range.Range.End.Value;
        _at = _start;
        _onlyAsked = range.FaultHabit == FaultHabit.OnlyAsked;
        HmmRequestFlags defaults = range.DefaultFlags;
        HmmRequestFlags mask = range.IgnoresWords ? HmmRequestFlags.None : range.PfnFlagsMask;
        _default = AskOf(defaults);
        _isPerPage = (mask & ~defaults & HmmRequestFlags.All) != 0;
        if (_isPerPage)
        {
            int allowBit = _layout.AllowP2pBit == 0 ? 0 : System.Numerics.BitOperations.TrailingZeroCount(_layout.AllowP2pBit);
            _request = new PageRequest(_layout.Encode(mask), _layout.Encode(defaults), allowBit);
        }

        bool isTyped = range.Policy?.TypedOutput ?? false;
        _format = new WordFormat(range.IgnoresWords ? 0 : _layout.StickyMask, isTyped ? System.Numerics.BitOperations.TrailingZeroCount(_layout.TypeP2pBit) : 0)
        {
            ResultWords = words.Length,
        };
        _key = new DecisionKey(range.Policy, range.Client, range.Client?.Reach, range.Owner, core.Owners, core.Classes.Count);
        _table = cache.Get(_key, core.Classes);
        _uniform = _table.Of(_default);
    }

    /// <summary>Pages answered from the start.</summary>
    public readonly ulong Answered => _at - _start;

    /// <summary>Runs written.</summary>
    public readonly int ExtentCount => _extentCount;

    /// <summary>True when there is no room for another run.</summary>
    private readonly bool IsFull => _asExtents && _extentCount == _starts.Length;

    /// <summary>True when the last <see cref="Go"/> ended because it faulted; answering it forgets it.</summary>
    public bool IsAgain()
    {
        bool again = _faulted;
        _faulted = false;
        return again;
    }

    /// <summary>Walks on.</summary>
    /// <returns>Ok at the end; Busy after a fault (see <see cref="IsAgain"/>) or when a page is being migrated; else the error.</returns>
    public HmmStatus Go()
    {
        if (_core.Classes.Count != _table.Key.ClassCount)
        {
            // Faults made new classes.
            _table = _cache.Get(_key with { ClassCount = _core.Classes.Count }, _core.Classes);
            _uniform = _table.Of(_default);
        }

        VmaList vmas = _space.VmaList;
        int index = vmas.IndexFrom(_at);
        while (_at < _end && !IsFull)
        {
            HmmStatus status;
            Vma? vma = index < vmas.Count ? vmas[index] : null;
            if (vma is null || vma.Start > _at)
            {
                status = Unanswerable(vma is null ? _end : Math.Min(_end, vma.Start));
            }
            else
            {
                ulong to = Math.Min(_end, vma.End);
                status = vma.IsUnfaultable || !vma.CanRead ? Unanswerable(to) : Mapped(vma, to);
                index++;
            }

            if (status != HmmStatus.Ok)
            {
                return status;
            }
        }

        return HmmStatus.Ok;
    }

    private PageAsk AskOf(HmmRequestFlags flags) =>
        new((flags & HmmRequestFlags.Fault) != 0, (flags & HmmRequestFlags.Write) != 0, (flags & HmmRequestFlags.AllowP2p) != 0 && _layout.AllowP2pBit != 0);

    private readonly Span<ulong> Words(ulong from, ulong to) => _words.Slice((int)(from - _start), (int)(to - from));

    /// <summary>Answers pages up to one with words that count up by a step: 1 for frames, 0 for none.</summary>
    private void Answer(ulong to, ulong word, ulong step)
    {
        if (_asExtents)
        {
            Append(_at, word);
        }
        else
        {
            _kernels.FillWords(Words(_at, to), word, step, _format.KeepMask);
        }

        _at = to;
    }

    /// <summary>What one page's word asks for.</summary>
    private readonly PageAsk AskAt(ulong vpn)
    {
        if (!_isPerPage)
        {
            return _default;
        }

        ulong word = (_words[(int)(vpn - _start)] & _request.Mask) | _request.Default;
        return new PageAsk((word & _layout.ValidBit) != 0, (word & _layout.WriteBit) != 0, (word & _layout.AllowP2pBit) != 0);
    }

    /// <summary>The union of what pages ask for (fault and write only).</summary>
    private readonly PageAsk AskOfAll(ulong from, ulong to)
    {
        if (!_isPerPage)
        {
            return _default;
        }

        ulong fault = 0;
        ulong write = 0;
        ulong mask = _request.Mask;
        ulong defaults = _request.Default;
        foreach (ulong raw in Words(from, to))
        {
            // Write counts only beside fault: bit 62 moved under bit 63.
            ulong word = (raw & mask) | defaults;
            fault |= word;
            write |= word & (word << 1);
        }

        return new PageAsk((fault & _layout.ValidBit) != 0, (write & _layout.ValidBit) != 0, false);
    }

    /// <summary>Pages that HMM never gives: no VMA, or one that it may not read. An error word each, or EFAULT when one of them is asked for.</summary>
    private HmmStatus Unanswerable(ulong to)
    {
        if (AskOfAll(_at, to).Fault)
        {
            return HmmStatus.Fault;
        }

        Answer(to, _layout.ErrorBit, 0);
        return HmmStatus.Ok;
    }

    /// <summary>The part of a VMA that the range covers, block by block; runs of page tables go as one.</summary>
    private unsafe HmmStatus Mapped(Vma vma, ulong to)
    {
        BlockDescriptor* blocks = _space.Columns.Block;
        while (_at < to && !IsFull)
        {
            ulong block = _at / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            HmmStatus status;
            switch (blocks[block].Kind)
            {
                case BlockKind.Hole:
                    status = Hole(vma, to);
                    break;
                case BlockKind.Huge:
                    status = Huge(vma, end, to);
                    break;
                default:
                    ulong reach = Math.Min(to, _at + _ahead);
                    while (end < reach && blocks[end / BlockPages].Kind == BlockKind.Table)
                    {
                        end = Math.Min(to, end + BlockPages);
                    }

                    _ahead = Math.Min(_ahead * 2, MostPages);
                    status = Table(vma, end);
                    break;
            }

            if (status != HmmStatus.Ok)
            {
                return status;
            }
        }

        return HmmStatus.Ok;
    }

    /// <summary>A hole is decided as a whole: one page that asks has all of it faulted, with the union of what is asked. Holes that nobody asks for are answered together.</summary>
    private unsafe HmmStatus Hole(Vma vma, ulong limit)
    {
        PageColumns columns = _space.Columns;
        ulong end = columns.HoleEnd(_at, limit);
        PageAsk ask = AskOfAll(_at, end);
        if (ask.Fault)
        {
            return FaultPiece(vma, end, ask.Write, isThere: false, isWritable: false);
        }

        while (!_isPerPage && end < limit && columns.Block[end / BlockPages].Kind == BlockKind.Hole)
        {
            end = columns.HoleEnd(end, limit);
        }

        Answer(end, 0, 0);
        return HmmStatus.Ok;
    }

    /// <summary>A 2 MiB entry is decided as a whole as well, for the part inside the range. Entries behind it that go on in frames are answered with it.</summary>
    private unsafe HmmStatus Huge(Vma vma, ulong end, ulong limit)
    {
        BlockDescriptor* blocks = _space.Columns.Block;
        BlockDescriptor block = blocks[_at / BlockPages];
        PageAsk ask = AskOfAll(_at, end);
        byte code = _table.Of(ask)[block.Class];
        if ((code & Resolution.WorkMask) != 0)
        {
            return FaultPiece(vma, end, ask.Write, isThere: true, _core.Classes[block.Class].IsWritable);
        }

        // Where every page has a request of its own, each entry has its own union of them.
        BlockDescriptor next = block.Following;
        while (!_isPerPage && end < limit && blocks[end / BlockPages] == next)
        {
            end = Math.Min(limit, end + BlockPages);
            next = next.Following;
        }

        ulong word = ((ulong)(code & ~Resolution.KindMask) << 56) | _layout.Encode(PageOrder.Huge) | (block.Frame + (_at % BlockPages));
        Answer(end, word, 1);
        return HmmStatus.Ok;
    }

    /// <summary>Page tables: one look-up a page, up to the first page that needs work.</summary>
    private unsafe HmmStatus Table(Vma vma, ulong end)
    {
        while (_at < end && !IsFull)
        {
            int count = (int)Math.Min(end - _at, MostPages);
            if (_asExtents)
            {
                HmmStatus extended = ExtendOverTable(vma, count);
                if (extended != HmmStatus.Ok)
                {
                    return extended;
                }

                continue;
            }

            var classes = new ReadOnlySpan<byte>(_space.Columns.Class + _at, count);
            var pfns = new ReadOnlySpan<uint>(_space.Columns.Pfn + _at, count);
            Span<ulong> words = Words(_at, _at + (ulong)count);
            if (_table.HasAliases)
            {
                // Frame numbers are replaced while the answers are still in cache.
                count = Math.Min(count, AliasPages);
                words = words[..count];
                classes = classes[..count];
                pfns = pfns[..count];
            }

            int done;
            if (!_isPerPage)
            {
                done = _kernels.Resolve(classes, pfns, _uniform, _format, words);
                if (_table.HasAliases)
                {
                    ReplaceByAliases(classes[..done], pfns, words);
                }
            }
            else if (_table.HasAliases)
            {
                done = ResolveAsked(classes, pfns, words);
            }
            else
            {
                done = _kernels.ResolvePerPage(classes, pfns, _table.Requests, _request, _format, words);
            }

            _at += (ulong)done;
            if (done < count)
            {
                HmmStatus status = Work(vma, end);
                if (status != HmmStatus.Ok)
                {
                    return status;
                }
            }
        }

        return HmmStatus.Ok;
    }

    /// <summary>The page the walk stands at cannot be answered by its class.</summary>
    private unsafe HmmStatus Work(Vma vma, ulong tableEnd)
    {
        _ahead = FirstAhead;
        PageAsk ask = AskAt(_at);
        byte id = _space.Columns.Class[_at];
        byte code = _table.Of(ask)[id];
        if ((code & Resolution.WorkMask) == Decision.Special)
        {
            PageClass pageClass = _core.Classes[id];
            switch (pageClass.Kind)
            {
                case PageEntryKind.DevicePrivate:
                    code = AnswerByOffer(tableEnd);
                    if ((code & Resolution.WorkMask) == 0)
                    {
                        return HmmStatus.Ok;
                    }

                    break;
                case PageEntryKind.Migration:
                    return HmmStatus.Busy;
                default:
                    return HmmStatus.Fault;
            }
        }

        bool write = (code & Resolution.WorkMask) == Decision.WriteFault;
        ulong pieceEnd = _onlyAsked ? _at + 1 : Math.Min(Math.Min(_end, vma.End), ((_at / BlockPages) + 1) * BlockPages);
        return FaultAlike(vma, _at, pieceEnd, write);
    }

    /// <summary>Faults a hole or 2 MiB entry: all of it alike, or under the other habit each page that itself asks with what it asks.</summary>
    /// <param name="vma">The VMA.</param>
    /// <param name="to">End of the piece.</param>
    /// <param name="write">The union of what is asked includes write.</param>
    /// <param name="isWritable">What stands there allows writing.</param>
    /// <param name="isThere">Something stands there.</param>
    private HmmStatus FaultPiece(Vma vma, ulong to, bool write, bool isThere, bool isWritable)
    {
        if (!_onlyAsked)
        {
            return FaultAlike(vma, _at, to, write);
        }

        for (ulong vpn = _at; vpn < to; vpn++)
        {
            PageAsk ask = AskAt(vpn);
            bool forWrite = ask is { Fault: true, Write: true } && !isWritable;
            if (!forWrite && (!ask.Fault || isThere))
            {
                continue;
            }

            HmmStatus status = FaultOne(vma, vpn, forWrite);
            if (status != HmmStatus.Ok)
            {
                return status;
            }
        }

        return Again();
    }

    private HmmStatus FaultOne(Vma vma, ulong vpn, bool write) =>
        write && !vma.CanWrite ? HmmStatus.NotPermitted : AddressSpace.StatusOf(_space.HandleFault(vma, vpn, write));

    /// <summary>Faults pages, asked or not, with one access, and has the walk look again from where it stands.</summary>
    private HmmStatus FaultAlike(Vma vma, ulong from, ulong to, bool write)
    {
        if (write && !vma.CanWrite)
        {
            return HmmStatus.NotPermitted;
        }

        HmmStatus status = AddressSpace.StatusOf(_space.FaultPages(vma, from, to, write, out _));
        return status == HmmStatus.Ok ? Again() : status;
    }

    private HmmStatus Again()
    {
        _faulted = true;
        return HmmStatus.Busy;
    }
}
