using System.Runtime.CompilerServices;
using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Faults over runs of pages: empty private memory at column speed, everything else page by page.</content>
internal sealed unsafe partial class AddressSpace
{
    // A run is filled through spans, whose lengths are ints.
    private const ulong MostRun = 1UL << 30;

    // Runs shorter than this are not worth the looking.
    private const int LeastRun = 8;

    /// <summary>
    /// Faults every page of a part of a VMA, in order, as one call a page would. The VMA allows the access.
    /// </summary>
    /// <param name="vma">The VMA.</param>
    /// <param name="from">First page.</param>
    /// <param name="to">The page after the last.</param>
    /// <param name="write">The access.</param>
    /// <param name="failed">The page that failed, when the outcome is not Done; pages before it are faulted.</param>
    internal FaultOutcome FaultPages(Vma vma, ulong from, ulong to, bool write, out ulong failed)
    {
        failed = from;
        while (from < to)
        {
            ulong block = from / BlockPages;
            BlockKind kind = _block[block].Kind;
            if (kind == BlockKind.Huge && (!write || _classes[_block[block].Class].IsWritable))
            {
                // Nothing to do for the rest of the block but to count the faults.
                ulong end = Math.Min(to, (block + 1) * BlockPages);
                MarkHugeWritten(block, write);
                _core.Counters.Faults += end - from;
                from = end;
                continue;
            }

            FaultOutcome outcome;
            if (kind == BlockKind.Table && vma.IsAnonymous)
            {
                ulong mixed = FaultMixed(vma, from, Math.Min(to, (block + 1) * BlockPages), write, isTaken: true, out outcome);
                from += mixed;
                if (outcome != FaultOutcome.Done)
                {
                    failed = from;
                    return outcome;
                }

                if (mixed > 0)
                {
                    continue;
                }
            }

            ulong empty = vma.IsAnonymous ? EmptyRun(vma, from, to) : 0;
            if (empty > 1)
            {
                ulong done = FaultEmptyRun(vma, from, empty, write);
                outcome = done == empty ? FaultOutcome.Done : FaultOutcome.OutOfMemory;
                from += done;
            }
            else
            {
                ulong same = kind == BlockKind.Table ? SatisfiedRun(from, to, write) : 0;
                if (same > 0)
                {
                    _core.Counters.Faults += same;
                    from += same;
                    continue;
                }

                same = kind == BlockKind.Table ? FaultAlikeRun(vma, from, to, write) : 0;
                if (same > 0)
                {
                    from += same;
                    continue;
                }

                outcome = HandleFault(vma, from, write);
                from += outcome == FaultOutcome.Done ? 1UL : 0;
            }

            if (outcome != FaultOutcome.Done)
            {
                failed = from;
                return outcome;
            }
        }

        return FaultOutcome.Done;
    }

    /// <summary>Empty pages from one on that are faulted as small pages: over tables and over holes that cannot have a 2 MiB page.</summary>
    private ulong EmptyRun(Vma vma, ulong from, ulong to)
    {
        ulong at = from;
        to = Math.Min(to, from + MostRun);
        while (at < to)
        {
            ulong block = at / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            BlockKind kind = _block[block].Kind;
            if (kind == BlockKind.Huge || (kind == BlockKind.Hole && vma.AllowsHuge(block)))
            {
                break;
            }

            if (kind == BlockKind.Table)
            {
                int used = new ReadOnlySpan<byte>(_class + at, (int)(end - at)).IndexOfAnyExcept((byte)0);
                if (used >= 0)
                {
                    return at + (ulong)used - from;
                }
            }

            at = end;
        }

        return at - from;
    }

    /// <summary>Pages from one on, in its block's table, whose entry needs nothing for the access.</summary>
    private ulong SatisfiedRun(ulong from, ulong to, bool write)
    {
        PageClass pageClass = _classes[_class[from]];
        bool isSatisfied = pageClass.IsPresent && (!write || (pageClass.IsWritable && pageClass.IsDirty && pageClass.IsSoftDirty));
        return isSatisfied ? (ulong)RunOf(from, Math.Min(to, ((from / BlockPages) + 1) * BlockPages)) : 0;
    }

    /// <summary>Faults a run of empty pages of private anonymous memory with small pages. Returns how many; fewer than asked when frames ran out.</summary>
    private ulong FaultEmptyRun(Vma vma, ulong from, ulong count, bool write)
    {
        _columns.AdviseHuge(from, from + count);
        if (!write)
        {
            byte zero = _classes.Present(EntryBits.Zero);
            EnsureTables(from, from + count);
            FillEntries(from, count, zero);
            new Span<uint>(_pfn + from, checked((int)count)).Clear();
            _core.Counters.Faults += count;
            _core.Counters.ZeroPageFaults += count;
            return count;
        }

        _vmas.PrepareAnon(vma);
        byte id = _classes.Present(Written);
        ulong done = 0;
        while (done < count && _physical.TryTakeMappedRun(Math.Min(count - done, int.MaxValue), vma.Anon!.Number, IndexOf(vma, from + done), out uint first, out ulong taken))
        {
            EnsureTables(from + done, from + done + taken);
            FillEntries(from + done, taken, id);
            _core.Kernels.CountUp(new Span<uint>(_pfn + from + done, (int)taken), first);
            done += taken;
        }

        if (done < count)
        {
            // The page that found no frame has got its (empty) page table.
            _columns.EnsureTable((from + done) / BlockPages);
            _core.Counters.Faults++;
        }

        _core.Counters.Faults += done;
        return done;
    }

    /// <summary>
    /// Faults a run of pages that all need the same: zero pages to be copied, or private pages of one device to be brought back. Only where no handler must be told
    /// page by page, so that nobody can tell the order inside the run. Answers how many were faulted; 0 leaves the first to the scalar path.
    /// </summary>
    private ulong FaultAlikeRun(Vma vma, ulong from, ulong to, bool write)
    {
        byte id = _class[from];
        PageClass pageClass = _classes[id];
        bool isZeroCopy = write && pageClass.IsPresent && pageClass.IsZero && !vma.IsShared;
        bool isForeign = pageClass.Kind == PageEntryKind.DevicePrivate;
        bool isProtected = write && pageClass is { IsPresent: true, HoldsFrame: true, IsWritable: false } && !vma.IsShared;
        if (!isZeroCopy && !isForeign && !isProtected)
        {
            return 0;
        }

        int run = RunOf(from, Math.Min(to, ((from / BlockPages) + 1) * BlockPages));
        if (run < LeastRun || Notifiers.HasPageHandler(new VpnRange(new Vpn(from), (ulong)run)))
        {
            return 0;
        }

        return isZeroCopy ? CopyZeroRun(vma, from, (ulong)run) : isForeign ? BringBackRun(vma, from, run) : UnprotectRun(vma, from, run);
    }

    /// <summary>Writes to write-protected private pages: those nobody else has are made writable in place, those shared with others are copied.</summary>
    private ulong UnprotectRun(Vma vma, ulong from, int run)
    {
        uint first = _pfn[from];
        run = _physical.PlainRun(first, Math.Min(run, PfnRun(from, from + (ulong)run)));
        if (run < LeastRun)
        {
            return 0;
        }

        PageClass old = _classes[_class[from]];
        if (_frames.MapCount[first] > 1)
        {
            return old.IsExclusive ? 0 : CopyRun(vma, from, first, (ulong)run);
        }

        byte id = _classes.Intern(Changed(old, Written, EntryBits.None));
        if (!old.IsExclusive)
        {
            uint anon = vma.Anon!.Number;
            foreach (ref RmapEntry entry in new Span<RmapEntry>(_frames.ReverseMap + first, run))
            {
                entry.Object = anon;
            }
        }

        FillEntries(from, (ulong)run, id);
        _core.Counters.Faults += (ulong)run;
        return (ulong)run;
    }

    /// <summary>Copies pages that others map too, so that letting the old ones go frees none and cannot change which frames are lowest.</summary>
    private ulong CopyRun(Vma vma, ulong from, uint old, ulong count)
    {
        byte id = _classes.Present(Written);
        _vmas.PrepareAnon(vma);
        if (!_physical.TryTakeMappedRun(count, vma.Anon!.Number, IndexOf(vma, from), out uint first, out ulong taken))
        {
            return 0;
        }

        if (_physical.TracksContent)
        {
            new Span<ulong>(_frames.Content + old, (int)taken).CopyTo(new Span<ulong>(_frames.Content + first, (int)taken));
        }

        InvalidateRun(from, taken, InvalidationEvent.Clear);
        _core.Counters.PagesCopied += taken;
        FillEntries(from, taken, id);
        _core.Kernels.CountUp(new Span<uint>(_pfn + from, (int)taken), first);
        _physical.DropMappings(old, taken);
        return taken;
    }

    /// <summary>Copies zero pages: new frames, one invalidation a page.</summary>
    private ulong CopyZeroRun(Vma vma, ulong from, ulong count)
    {
        _vmas.PrepareAnon(vma);
        byte id = _classes.Present(Written);
        if (!_physical.TryTakeMappedRun(count, vma.Anon!.Number, IndexOf(vma, from), out uint first, out ulong taken))
        {
            return 0;
        }

        InvalidateRun(from, taken, InvalidationEvent.Clear);
        _core.Counters.PagesCopied += taken;
        FillEntries(from, taken, id);
        _core.Kernels.CountUp(new Span<uint>(_pfn + from, (int)taken), first);
        return taken;
    }

    /// <summary>Brings private pages of one device back to system memory, where each is mapped here alone and their frames count up.</summary>
    private ulong BringBackRun(Vma vma, ulong from, int run)
    {
        uint first = _pfn[from];
        Pagemap pagemap = _physical.PagemapOf(first)!;
        if (vma.IsSpecial || pagemap.Ops is not null)
        {
            return 0;
        }

        int adjacent = PfnRun(from, from + (ulong)run);
        if (adjacent < LeastRun)
        {
            return BringBackScattered(vma, from, run, pagemap);
        }

        run = _physical.MovableRun(first, adjacent);
        if (run < LeastRun || !_physical.TryTakeSystemRun((ulong)run, out uint to, out ulong taken))
        {
            return 0;
        }

        int count = (int)taken;
        EntryBits bits = _classes[_class[from]].Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
        byte id = _classes.Present(bits);
        if (_physical.TracksContent)
        {
            new Span<ulong>(_frames.Content + first, count).CopyTo(new Span<ulong>(_frames.Content + to, count));
        }

        InvalidateRun(from, taken, InvalidationEvent.Migrate, pagemap.Owner);
        _core.Counters.PagesMigratedToSystem += taken;
        _core.Counters.MigrateToRamFaults += taken;
        _physical.MoveIdentities(first, to, count, PlaceOf(vma, from, count));
        FillEntries(from, taken, id);
        _core.Kernels.CountUp(new Span<uint>(_pfn + from, count), to);
        _physical.GiveMoved(first, count);
        return taken;
    }

    /// <summary>The same for frames in no order: those of one block at most.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong BringBackScattered(Vma vma, ulong from, int run, Pagemap pagemap)
    {
        uint* states = (uint*)_frames.State;
        RmapEntry* places = _frames.ReverseMap;
        uint* pfns = _pfn + from;
        RmapEntry? place = PlaceOf(vma, from, run);
        RmapEntry first = place.GetValueOrDefault();
        bool isKnown = place is not null;
        uint low = (uint)pagemap.Frames.First;
        uint length = (uint)pagemap.Frames.Count;
        int count = 0;
        while (count < run && pfns[count] - low < length && (states[pfns[count]] & ~PlainMayHave) == PlainAnonymous)
        {
            Fetch(states, places, pfns[Math.Min(count + FramesAhead, run - 1)], !isKnown);
            count++;
        }

        Span<uint> taken = stackalloc uint[(int)BlockPages];
        Span<MigratePfn> left = stackalloc MigratePfn[(int)BlockPages];
        count = _physical.TakeAnonymous(taken[..count], 0);
        if (count == 0)
        {
            return 0;
        }

        EntryBits bits = _classes[_class[from]].Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
        byte id = _classes.Present(bits);
        for (int i = 0; i < count; i++)
        {
            uint old = pfns[i];
            uint frame = taken[i];
            if (_physical.TracksContent)
            {
                _frames.Content[frame] = _frames.Content[old];
            }

            states[frame] = states[old];
            places[frame] = isKnown ? new RmapEntry(first.Object, first.Index + (uint)i) : places[old];
            states[old] -= FrameState.OneMapping;
            pfns[i] = frame;
            left[i] = MigratePfn.Of(new Pfn(old), migrating: true, writable: false);
        }

        InvalidateRun(from, (ulong)count, InvalidationEvent.Migrate, pagemap.Owner);
        _core.Counters.PagesMigratedToSystem += (ulong)count;
        _core.Counters.MigrateToRamFaults += (ulong)count;
        FillEntries(from, (ulong)count, id);
        _physical.GiveScattered(left[..count]);
        return (ulong)count;
    }

    /// <summary>A run's faults and the invalidation each of them sends, where <see cref="Notifiers.NotifierSet.HasPageHandler"/> is false.</summary>
    private void InvalidateRun(ulong from, ulong count, InvalidationEvent why, OwnerId owner = default)
    {
        _core.Counters.Faults += count;
        _core.Counters.Invalidations += count;
        Notifiers.InvalidateEach(new InvalidationInfo(new VpnRange(new Vpn(from), count), why, owner));
    }

    private void EnsureTables(ulong from, ulong to)
    {
        for (ulong block = from / BlockPages; block * BlockPages < to; block++)
        {
            _columns.EnsureTable(block);
        }
    }

    private void FillEntries(ulong from, ulong count, byte id) => new Span<byte>(_class + from, checked((int)count)).Fill(id);
}
