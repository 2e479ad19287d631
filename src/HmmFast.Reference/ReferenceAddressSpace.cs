namespace HmmFast.Reference;

/// <summary>One process's memory, page by page. This file: the calls and what they check; the other parts: what the kernel does inside.</summary>
internal sealed partial class ReferenceAddressSpace : IAddressSpace
{
    private readonly ReferenceMemorySystem _memory;
    private readonly PhysicalMemory _physical;
    private readonly VmaList _vmas;
    private readonly PageTables _tables = new();
    private readonly List<IntervalNotifier> _notifiers = [];
    private bool _exited;

    public ReferenceAddressSpace(ReferenceMemorySystem memory)
    {
        _memory = memory;
        _physical = memory.Physical;
        _vmas = new VmaList(memory.Anons, SplitHugeAcross);
    }

    public IMemorySystem Memory => _memory;

    /// <summary>The VMAs as the model keeps them.</summary>
    public VmaList Areas => _vmas;

    public PageTables Tables => _tables;

    public IReadOnlyList<VmaInfo> Vmas
    {
        get
        {
            ThrowIfExited();
            VmaInfo[] infos = new VmaInfo[_vmas.Items.Count];
            for (int i = 0; i < infos.Length; i++)
            {
                Vma vma = _vmas.Items[i];
                VpnRange range = new(new Vpn(vma.Start), vma.PageCount);
                infos[i] = new VmaInfo(range, vma.Protection, vma.Kind, vma.File?.Id ?? FileId.None, vma.IsAnonymous ? 0 : vma.PageOffset);
            }

            return infos;
        }
    }

    public HmmStatus Map(VpnRange range, Protection protection, MappingKind kind, FileId file, ulong pageOffset)
    {
        CheckRange(range);
        if (range.IsEmpty)
        {
            return HmmStatus.Invalid;
        }

        bool wantsFile = kind is MappingKind.PrivateFile or MappingKind.SharedFile;
        if (wantsFile == (file == FileId.None))
        {
            throw new ArgumentException($"A mapping of kind {kind} {(wantsFile ? "needs a" : "takes no")} file.", nameof(file));
        }

        return MapRange(range.Start.Value, range.End.Value, protection, kind, wantsFile ? _memory.FileAt(file) : null, pageOffset);
    }

    public HmmStatus Unmap(VpnRange range)
    {
        CheckRange(range);
        if (range.IsEmpty)
        {
            return HmmStatus.Invalid;
        }

        UnmapRange(range.Start.Value, range.End.Value);
        return HmmStatus.Ok;
    }

    public HmmStatus Protect(VpnRange range, Protection protection)
    {
        CheckRange(range);
        return ProtectRange(range.Start.Value, range.End.Value, protection);
    }

    public HmmStatus Advise(VpnRange range, Advice advice)
    {
        CheckRange(range);
        return AdviseRange(range.Start.Value, range.End.Value, advice);
    }

    public HmmStatus Remap(VpnRange range, Vpn to)
    {
        CheckRange(range);
        CheckRange(new VpnRange(to, range.PageCount));
        return RemapRange(range.Start.Value, range.End.Value, to.Value);
    }

    public IAddressSpace Fork()
    {
        ThrowIfExited();
        return ForkInto();
    }

    public void ClearSoftDirty()
    {
        ThrowIfExited();
        ClearSoftDirtyBits();
    }

    public CpuAccessResult CpuRead(VpnRange range, Span<ulong> tags, Span<CpuAccessResult> results)
    {
        CheckRange(range);
        CheckLength(tags.Length, range, nameof(tags));
        CheckLength(results.Length, range, nameof(results));
        CpuAccessResult first = CpuAccessResult.Ok;
        for (ulong i = 0; i < range.PageCount; i++)
        {
            CpuAccessResult result = Touch(range.Start.Value + i, write: false, 0, out ulong tag);
            if (!tags.IsEmpty)
            {
                tags[(int)i] = tag;
            }

            if (!results.IsEmpty)
            {
                results[(int)i] = result;
            }

            first = first == CpuAccessResult.Ok ? result : first;
        }

        return first;
    }

    public CpuAccessResult CpuWrite(VpnRange range, ulong firstTag, ulong tagStride, Span<CpuAccessResult> results)
    {
        CheckRange(range);
        CheckLength(results.Length, range, nameof(results));
        CpuAccessResult first = CpuAccessResult.Ok;
        for (ulong i = 0; i < range.PageCount; i++)
        {
            CpuAccessResult result = Touch(range.Start.Value + i, write: true, unchecked(firstTag + (i * tagStride)), out _);
            if (!results.IsEmpty)
            {
                results[(int)i] = result;
            }

            first = first == CpuAccessResult.Ok ? result : first;
        }

        return first;
    }

    public HmmStatus RangeFault(in HmmRange range, Span<HmmPfn> hmmPfns)
    {
        CheckRange(range.Range);
        if ((ulong)hmmPfns.Length != range.Range.PageCount)
        {
            throw new ArgumentException($"{nameof(hmmPfns)} has {hmmPfns.Length} entries for the {range.Range.PageCount} pages of {range.Range}.", nameof(hmmPfns));
        }

        if (range.Notifier is not IntervalNotifier notifier || notifier.Space != this || notifier.IsRemoved || !notifier.Range.Contains(range.Range))
        {
            throw new ArgumentException($"The notifier does not watch {range.Range} of this address space.", nameof(range));
        }

        if (range.Policy is { TypedOutput: true } && _memory.Options.Layout.TypePrivateBit == 0)
        {
            throw new ArgumentException($"Policy '{range.Policy.Name}' types its output; layout {_memory.Options.Layout} has no bits for that.", nameof(range));
        }

        _memory.Count.RangeFaultCalls++;
        HmmStatus status = new RangeFaultWalker(this, range, hmmPfns, _memory.Options.Layout).Run();
        _memory.Count.RangeFaultBusy += status == HmmStatus.Busy ? 1UL : 0;
        return status;
    }

    public HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount)
    {
        CheckRange(range);
        if ((ulong)pages.Length != range.PageCount)
        {
            throw new ArgumentException($"{nameof(pages)} has {pages.Length} entries for the {range.PageCount} pages of {range}.", nameof(pages));
        }

        return MakeExclusive(range.Start.Value, range.End.Value, owner, pages, out faultedPageCount);
    }

    public IMmuIntervalNotifier InsertNotifier(VpnRange range, IInvalidationHandler? handler)
    {
        ThrowIfExited();
        if (range.IsEmpty)
        {
            throw new ArgumentException($"A notifier watches at least one page, not {range}.", nameof(range));
        }

        IntervalNotifier notifier = new(this, range, handler);
        _notifiers.Add(notifier);
        return notifier;
    }

    public void Observe(VpnRange range, Span<PageObservation> pages)
    {
        CheckRange(range);
        if ((ulong)pages.Length != range.PageCount)
        {
            throw new ArgumentException($"{nameof(pages)} has {pages.Length} entries for the {range.PageCount} pages of {range}.", nameof(pages));
        }

        for (ulong i = 0; i < range.PageCount; i++)
        {
            pages[(int)i] = ObservePage(range.Start.Value + i);
        }
    }

    /// <summary>The process's exit.</summary>
    public void Dispose()
    {
        if (_exited)
        {
            return;
        }

        Invalidate(0, VpnRange.LimitVpn, InvalidationEvent.Release);
        foreach (Vma vma in _vmas.Items)
        {
            Zap(vma, vma.Start, vma.End);
        }

        Vma[] gone = [.. _vmas.Items];
        _vmas.Clear();
        _tables.Clear();
        _exited = true;
        _memory.Spaces.Remove(this);
        foreach (Vma vma in gone)
        {
            DropObject(vma);
        }
    }

    public void RemoveNotifier(IntervalNotifier notifier) => _notifiers.Remove(notifier);

    /// <inheritdoc/>
    public void Invalidate(VpnRange range, InvalidationEvent reason, OwnerId owner)
    {
        CheckRange(range);
        if (range.IsEmpty)
        {
            throw new ArgumentException("An invalidation covers at least one page; the range is empty.", nameof(range));
        }

        Invalidate(range.Start.Value, range.End.Value, reason, owner);
    }

    /// <summary>One Revoke for every run of pages, inside one VMA, whose entries hold frames of the pagemap.</summary>
    public void Revoke(Device pagemap)
    {
        foreach (Vma vma in _vmas.Items)
        {
            ulong run = 0;
            for (ulong vpn = vma.Start; vpn <= vma.End; vpn++)
            {
                bool isHeld = vpn < vma.End && _tables.Read(vpn) is { HoldsFrame: true } entry && pagemap.Pool.Contains(entry.Number);
                if (isHeld)
                {
                    run++;
                    continue;
                }

                if (run != 0)
                {
                    Invalidate(vpn - run, vpn, InvalidationEvent.Revoke, pagemap.Owner);
                    run = 0;
                }
            }
        }
    }

    /// <summary>Tells every notifier that overlaps, in order of insertion, before the entries change.</summary>
    public void Invalidate(ulong start, ulong end, InvalidationEvent reason, OwnerId owner = default)
    {
        _memory.Count.Invalidations++;
        if (_notifiers.Count == 0)
        {
            return;
        }

        InvalidationInfo info = new(new VpnRange(new Vpn(start), end - start), reason, owner);
        for (int i = 0; i < _notifiers.Count; i++)
        {
            if (_notifiers[i].Range.Overlaps(info.Range))
            {
                _notifiers[i].Invalidate(info);
            }
        }
    }

    private static void CheckLength(int length, VpnRange range, string name)
    {
        if (length != 0 && (ulong)length != range.PageCount)
        {
            throw new ArgumentException($"{name} has {length} entries for the {range.PageCount} pages of {range}.", name);
        }
    }

    private void CheckRange(VpnRange range)
    {
        ThrowIfExited();
        if (!_memory.Options.Window.Contains(range))
        {
            throw new ArgumentOutOfRangeException(nameof(range), range, $"The range {range} lies outside the window {_memory.Options.Window}.");
        }
    }

    internal bool HasExited => _exited;

    private void ThrowIfExited() => ObjectDisposedException.ThrowIf(_exited, this);
}
