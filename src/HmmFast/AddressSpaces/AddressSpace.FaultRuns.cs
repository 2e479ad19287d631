using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Faults over runs of pages: empty private memory at column speed, everything else page by page.</content>
internal sealed unsafe partial class AddressSpace
{
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

            ulong empty = vma.IsAnonymous ? EmptyRun(vma, from, to) : 0;
            FaultOutcome outcome;
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

    private void EnsureTables(ulong from, ulong to)
    {
        for (ulong block = from / BlockPages; block * BlockPages < to; block++)
        {
            _columns.EnsureTable(block);
        }
    }

    private void FillEntries(ulong from, ulong count, byte id) => new Span<byte>(_class + from, checked((int)count)).Fill(id);
}
