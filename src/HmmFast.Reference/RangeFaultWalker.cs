using HmmFast.Policies;
using HmmFast.Reference.Policies;

namespace HmmFast.Reference;

/// <summary>hmm_range_fault, in the kernel's order: one call, over the caller's array.</summary>
/// <remarks>
/// Walk upward; a fault ends the walk, and the next one starts where the fault's piece began, after the sequence was looked at again. So entries
/// below <see cref="_last"/> are final and the others hold their input whenever the call ends early.
/// </remarks>
internal ref struct RangeFaultWalker
{
    private readonly ReferenceAddressSpace _space;
    private readonly HmmRange _range;
    private readonly Span<HmmPfn> _hmmPfns;
    private readonly HmmPfnLayout _layout;
    private readonly ulong _rangeStart;
    private readonly ulong _rangeEnd;
    private readonly ClientReach _reach;

    // As they are when the call begins: one view for all of its pages.
    private readonly OwnerId[] _owners;
    private ulong _last;

    public RangeFaultWalker(ReferenceAddressSpace space, in HmmRange range, Span<HmmPfn> hmmPfns, HmmPfnLayout layout)
    {
        _space = space;
        _range = range;
        _hmmPfns = hmmPfns;
        _layout = layout;
        _reach = range.Client?.Reach ?? ClientReach.Nothing;
        _owners = [.. Enumerable.Range(0, space.Memory.DeviceCount).Select(index => space.Memory.OwnerOf(new DeviceId(index)))];
        _rangeStart = range.Range.Start.Value;
        _rangeEnd = range.Range.End.Value;
        _last = _rangeStart;
    }

    /// <summary>What one piece of the walk came to.</summary>
    private enum Step
    {
        /// <summary>Go on behind it.</summary>
        Next,

        /// <summary>Something was faulted in: walk again from <see cref="_last"/>.</summary>
        WalkAgain,

        /// <summary>The call fails.</summary>
        NotPermitted,
        Fault,
        OutOfMemory,

        /// <summary>A migration is in progress; waiting for it would have moved the sequence.</summary>
        Busy,
    }

    /// <summary>What a page's request makes necessary.</summary>
    [Flags]
    private enum Need
    {
        Nothing = 0,
        Fault = 1,
        WriteFault = 2,
    }

    /// <summary>The call.</summary>
    public HmmStatus Run()
    {
        while (true)
        {
            if (((IntervalNotifier)_range.Notifier).Sequence != _range.NotifierSequence)
            {
                return HmmStatus.Busy;
            }

            if (_range.Range.IsEmpty)
            {
                return HmmStatus.Invalid;
            }

            switch (Walk())
            {
                case Step.Next:
                    return HmmStatus.Ok;
                case Step.WalkAgain:
                    continue;
                case Step.NotPermitted:
                    return HmmStatus.NotPermitted;
                case Step.OutOfMemory:
                    return HmmStatus.OutOfMemory;
                case Step.Busy:
                    return HmmStatus.Busy;
                default:
                    return HmmStatus.Fault;
            }
        }
    }

    /// <summary>VMAs and the gaps between them, upward from where the last walk stopped.</summary>
    private Step Walk()
    {
        Step step = Step.Next;
        for (ulong at = _last; at < _rangeEnd && step == Step.Next;)
        {
            Vma? vma = _space.Areas.FindAtOrAfter(at);
            if (vma is null || vma.Start > at)
            {
                ulong gapEnd = Math.Min(_rangeEnd, vma?.Start ?? _rangeEnd);
                step = AnyNeed(at, gapEnd, cpuFlags: 0) != Need.Nothing ? Step.Fault : Fill(at, gapEnd, _layout.ErrorBit);
                at = gapEnd;
                continue;
            }

            ulong end = Math.Min(_rangeEnd, vma.End);
            if (vma.HasNoPages || !vma.CanRead)
            {
                step = AnyNeed(at, end, cpuFlags: 0) != Need.Nothing ? Step.Fault : Fill(at, end, _layout.ErrorBit);
            }
            else
            {
                step = WalkVma(vma, at, end);
            }

            at = end;
        }

        return step;
    }

    /// <summary>One VMA's part, piece by piece: as far as an upper level is empty, else 2 MiB block by block.</summary>
    private Step WalkVma(Vma vma, ulong start, ulong end)
    {
        Step step = Step.Next;
        for (ulong at = start; at < end && step == Step.Next;)
        {
            ulong next;
            if (_space.Tables.FindPudTable(at) is null)
            {
                next = Math.Min(end, PageTables.TopEnd(at));
                step = WalkHole(vma, at, next);
            }
            else if (_space.Tables.FindPmdTable(at) is not { } pmd)
            {
                next = Math.Min(end, PageTables.GibibyteEnd(at));
                step = WalkHole(vma, at, next);
            }
            else
            {
                next = Math.Min(end, PageTables.BlockEnd(at));
                ref PmdSlot slot = ref PageTables.SlotOf(pmd, at);
                step = slot.IsEmpty ? WalkHole(vma, at, next)
                    : slot.IsHuge ? WalkHuge(vma, at, next, slot.Huge)
                    : WalkTable(vma, at, next);
            }

            at = next;
        }

        return step;
    }

    /// <summary>No table: the piece is decided as a whole.</summary>
    private Step WalkHole(Vma vma, ulong start, ulong end)
    {
        Need need = AnyNeed(start, end, cpuFlags: 0);
        return need != Need.Nothing ? FaultPiece(vma, start, end, need, cpuFlags: 0) : Fill(start, end, 0);
    }

    /// <summary>A 2 MiB entry: decided as a whole too.</summary>
    private Step WalkHuge(Vma vma, ulong start, ulong end, PageEntry huge)
    {
        ulong cpuFlags = CpuFlags(huge) | _layout.Encode(PageOrder.Huge);
        Need need = AnyNeed(start, end, cpuFlags);
        if (need != Need.Nothing)
        {
            return FaultPiece(vma, start, end, need, cpuFlags);
        }

        for (ulong vpn = start; vpn < end; vpn++)
        {
            Store(vpn, (huge.Number + (ulong)PageTables.IndexInTable(vpn)) | cpuFlags);
        }

        return Step.Next;
    }

    /// <summary>Single entries, one after the other; a fault at one of them runs to the end of the piece.</summary>
    private Step WalkTable(Vma vma, ulong start, ulong end)
    {
        for (ulong vpn = start; vpn < end; vpn++)
        {
            PageEntry entry = _space.Tables.Read(vpn);
            if (entry.Kind == PageEntryKind.DevicePrivate && TryHandOut(vpn, entry, out ulong word))
            {
                // Handed out, even read-only to a request for writing.
                Store(vpn, word);
                continue;
            }

            ulong cpuFlags = entry.IsPresent ? CpuFlags(entry) : 0;
            Need need = NeedOf(vpn, cpuFlags);
            if (need == Need.Nothing && entry.IsSpecial)
            {
                // No struct page, and no fault that would give it one.
                if (NeedOf(vpn, cpuFlags: 0) != Need.Nothing)
                {
                    return Step.Fault;
                }

                Store(vpn, _layout.ErrorBit);
                continue;
            }

            if (need == Need.Nothing)
            {
                Store(vpn, entry.IsPresent ? entry.Number | cpuFlags : 0);
                continue;
            }

            if (entry.Kind == PageEntryKind.Migration)
            {
                _last = vpn;
                return Step.Busy;
            }

            if (entry.Kind == PageEntryKind.Marker)
            {
                return Step.Fault;
            }

            bool runForward = _range.FaultHabit == FaultHabit.RunForward;
            return FaultPiece(vma, vpn, runForward ? end : vpn + 1, need, cpuFlags);
        }

        return Step.Next;
    }

    /// <summary>Faults a piece: every page with the same access, or under the other habit each page that itself needs it with its own.</summary>
    private Step FaultPiece(Vma vma, ulong start, ulong end, Need need, ulong cpuFlags)
    {
        _last = start;
        bool alike = _range.FaultHabit == FaultHabit.RunForward;
        for (ulong vpn = start; vpn < end; vpn++)
        {
            Need own = alike ? need : NeedOf(vpn, cpuFlags);
            if (own == Need.Nothing)
            {
                continue;
            }

            bool write = (own & Need.WriteFault) != 0;
            if (write && !vma.CanWrite)
            {
                return Step.NotPermitted;
            }

            switch (_space.HandleFault(vma, vpn, write))
            {
                case FaultOutcome.SigBus:
                    return Step.Fault;
                case FaultOutcome.OutOfMemory:
                    return Step.OutOfMemory;
                case FaultOutcome.Wait:
                    return Step.Busy;
            }
        }

        return Step.WalkAgain;
    }

    /// <summary>Asks the policy about one device-private page.</summary>
    /// <returns>False when the page falls.</returns>
    private readonly bool TryHandOut(ulong vpn, PageEntry entry, out ulong word)
    {
        Pfn pfn = new(entry.Number);
        DeviceId provider = _space.Memory.DeviceOf(pfn)!.Value;
        ProviderReach pair = _reach.Of(provider);
        Pfn alias = Pfn.None;
        bool isOffered = pair.Window is { } window && window.TryGetAlias(pfn, out alias);
        HmmRequestFlags request = RequestOf(vpn);
        ForeignPageQuestion question = new()
        {
            Provider = provider,
            Client = _range.Client,
            ProviderOwner = provider.Index < _owners.Length ? _owners[provider.Index] : OwnerId.Null,
            RangeOwner = _range.Owner,
            AliasOffered = isOffered,
            Reach = pair,
            AllowP2p = (request & HmmRequestFlags.AllowP2p) != 0 && _layout.AllowP2pBit != 0,
            WriteAsked = request.HasFlag(HmmRequestFlags.Fault | HmmRequestFlags.Write),
            EntryIsWritable = entry.IsWritable,
        };
        bool isTyped = _range.Policy?.TypedOutput ?? false;
        switch (PolicyTables.Decide(_range.Policy, question))
        {
            case ForeignPageOutcome.Private:
                word = pfn.Value | CpuFlags(entry) | (isTyped ? _layout.TypePrivateBit : 0);
                return true;
            case ForeignPageOutcome.Alias when !isOffered:
                throw new InvalidOperationException($"Policy '{_range.Policy!.Name}' answered Alias for a page of device {provider.Index}, for which none is offered.");
            case ForeignPageOutcome.Alias:
                word = alias.Value | CpuFlags(entry) | (isTyped ? _layout.TypeP2pBit : 0);
                return true;
            default:
                word = 0;
                return false;
        }
    }

    private readonly ulong CpuFlags(PageEntry entry) => _layout.ValidBit | (entry.IsWritable ? _layout.WriteBit : 0);

    private readonly HmmRequestFlags RequestOf(ulong vpn) => _range.IgnoresWords
        ? _range.DefaultFlags
        : (_layout.DecodeRequest(_hmmPfns[(int)(vpn - _rangeStart)]) & _range.PfnFlagsMask) | _range.DefaultFlags;

    /// <summary>The request of one page against what its entry gives already.</summary>
    private readonly Need NeedOf(ulong vpn, ulong cpuFlags)
    {
        HmmRequestFlags request = RequestOf(vpn);
        if ((request & HmmRequestFlags.Fault) == 0)
        {
            return Need.Nothing;
        }

        if ((request & HmmRequestFlags.Write) != 0 && (cpuFlags & _layout.WriteBit) == 0)
        {
            return Need.Fault | Need.WriteFault;
        }

        return (cpuFlags & _layout.ValidBit) == 0 ? Need.Fault : Need.Nothing;
    }

    /// <summary>The union of what a piece's pages need.</summary>
    private readonly Need AnyNeed(ulong start, ulong end, ulong cpuFlags)
    {
        Need need = Need.Nothing;
        if (((_range.DefaultFlags | _range.PfnFlagsMask) & HmmRequestFlags.Fault) == 0)
        {
            return need;
        }

        for (ulong vpn = start; vpn < end && need != (Need.Fault | Need.WriteFault); vpn++)
        {
            need |= NeedOf(vpn, cpuFlags);
        }

        return need;
    }

    private readonly Step Fill(ulong start, ulong end, ulong word)
    {
        for (ulong vpn = start; vpn < end; vpn++)
        {
            Store(vpn, word);
        }

        return Step.Next;
    }

    /// <summary>Writes one result; sticky flags stay, unless the words are fresh.</summary>
    private readonly void Store(ulong vpn, ulong word)
    {
        ref HmmPfn output = ref _hmmPfns[(int)(vpn - _rangeStart)];
        output = new HmmPfn((_range.IgnoresWords ? 0 : output.Raw & _layout.StickyMask) | word);
    }
}
