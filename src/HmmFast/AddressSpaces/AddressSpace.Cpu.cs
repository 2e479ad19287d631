namespace HmmFast.AddressSpaces;

/// <content>CPU reads and writes.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>The CPU touches each page, going on after pages that fail.</summary>
    /// <param name="range">The pages.</param>
    /// <param name="write">The access.</param>
    /// <param name="tags">For reads: receives contents, or empty.</param>
    /// <param name="firstTag">For writes: content of the first page.</param>
    /// <param name="tagStride">For writes: what each later page adds.</param>
    /// <param name="results">Receives outcomes, or empty.</param>
    public CpuAccessResult CpuAccess(VpnRange range, bool write, Span<ulong> tags, ulong firstTag, ulong tagStride, Span<CpuAccessResult> results)
    {
        CpuAccessResult first = CpuAccessResult.Ok;
        ulong start = range.Start.Value;
        ulong at = start;
        ulong end = range.End.Value;
        while (at < end)
        {
            int index = _vmas.IndexFrom(at);
            Vma? vma = index < _vmas.Count && _vmas[index].Start <= at ? _vmas[index] : null;
            ulong to;
            CpuAccessResult denied = CpuAccessResult.Ok;
            if (vma is null)
            {
                to = index < _vmas.Count ? Math.Min(end, _vmas[index].Start) : end;
                denied = CpuAccessResult.SegvMapErr;
            }
            else
            {
                to = Math.Min(end, vma.End);
                if (write ? !vma.CanWrite : vma.Protection == Protection.None)
                {
                    denied = CpuAccessResult.SegvAccErr;
                }
            }

            if (denied != CpuAccessResult.Ok)
            {
                first = first == CpuAccessResult.Ok ? denied : first;
                Report(results, tags, at - start, to - at, denied);
                at = to;
                continue;
            }

            while (at < to)
            {
                ulong ready = MakeAccessible(vma!, at, to, write, out CpuAccessResult outcome);
                if (ready > 0)
                {
                    TouchContent(at, ready, write, tags, at - start, firstTag + ((at - start) * tagStride), tagStride);
                    Report(results, default, at - start, ready, CpuAccessResult.Ok);
                    at += ready;
                }

                if (outcome != CpuAccessResult.Ok && at < to)
                {
                    first = first == CpuAccessResult.Ok ? outcome : first;
                    Report(results, tags, at - start, 1, outcome);
                    at++;
                }
            }
        }

        return first;
    }

    private static void Report(Span<CpuAccessResult> results, Span<ulong> tags, ulong first, ulong count, CpuAccessResult outcome)
    {
        if (!results.IsEmpty)
        {
            results.Slice((int)first, (int)count).Fill(outcome);
        }

        if (!tags.IsEmpty)
        {
            tags.Slice((int)first, (int)count).Clear();
        }
    }

    /// <summary>Faults pages until the CPU can touch them. Returns how many from the first on it can; when that is not all, the outcome tells why or says Ok for "ask again".</summary>
    private ulong MakeAccessible(Vma vma, ulong from, ulong to, bool write, out CpuAccessResult outcome)
    {
        outcome = CpuAccessResult.Ok;
        ulong block = from / BlockPages;
        ulong blockEnd = Math.Min(to, (block + 1) * BlockPages);
        BlockDescriptor descriptor = _block[block];
        if (descriptor.Kind == BlockKind.Huge)
        {
            PageClass huge = _classes[descriptor.Class];
            if (!write || huge.IsWritable)
            {
                if (write && !huge.IsDirty)
                {
                    _block[block] = BlockDescriptor.Huge(_classes.Change(descriptor.Class, EntryBits.Dirty, EntryBits.None), descriptor.Frame);
                }

                return blockEnd - from;
            }
        }
        else if (descriptor.Kind == BlockKind.Table)
        {
            byte id = _class[from];
            PageClass pageClass = _classes[id];
            if (pageClass.IsPresent && (!write || pageClass.IsWritable))
            {
                ulong run = (ulong)RunOf(from, blockEnd);
                if (write && !pageClass.IsDirty)
                {
                    // The processor sets the entry's dirty bit; it knows nothing of soft-dirty, and no fault is taken.
                    FillEntries(from, run, _classes.Change(id, EntryBits.Dirty, EntryBits.None));
                }

                return run;
            }
        }

        if (descriptor.Kind == BlockKind.Table && vma.IsAnonymous)
        {
            ulong mixed = FaultMixed(vma, from, blockEnd, write, isTaken: false, out FaultOutcome mixedOutcome);
            outcome = mixedOutcome == FaultOutcome.Done ? CpuAccessResult.Ok : CpuAccessResult.OutOfMemory;
            if (mixed > 0 || outcome != CpuAccessResult.Ok)
            {
                return mixed;
            }
        }

        ulong empty = vma.IsAnonymous ? EmptyRun(vma, from, to) : 0;
        if (empty > 1)
        {
            ulong done = FaultEmptyRun(vma, from, empty, write);
            outcome = done == empty ? CpuAccessResult.Ok : CpuAccessResult.OutOfMemory;
            return done;
        }

        if (descriptor.Kind == BlockKind.Table)
        {
            ulong faulted = FaultAlikeRun(vma, from, blockEnd, write);
            if (faulted > 0)
            {
                return 0;
            }
        }

        FaultOutcome fault = HandleFault(vma, from, write, mayRetry: true);
        outcome = fault switch
        {
            FaultOutcome.Done => CpuAccessResult.Ok,
            FaultOutcome.OutOfMemory => CpuAccessResult.OutOfMemory,
            FaultOutcome.SigBus => CpuAccessResult.SigBus,
            _ => throw new InvalidOperationException($"Page 0x{from:x} is being migrated: no CPU may touch it between setup and finalize."),
        };
        return 0;
    }

    private void TouchContent(ulong from, ulong count, bool write, Span<ulong> tags, ulong tagAt, ulong tag, ulong stride)
    {
        if (!_physical.TracksContent)
        {
            if (!write && !tags.IsEmpty)
            {
                tags.Slice((int)tagAt, (int)count).Clear();
            }

            return;
        }

        if (!write && tags.IsEmpty)
        {
            return;
        }

        ulong* content = _frames.Content;
        for (ulong i = 0; i < count; i++)
        {
            PageClass pageClass = ClassAt(from + i, out uint frame);
            if (write)
            {
                content[frame] = tag;
                tag += stride;
            }
            else
            {
                tags[(int)(tagAt + i)] = (pageClass.Bits & EntryBits.Special) != 0 ? 0 : content[frame];
            }
        }
    }
}
