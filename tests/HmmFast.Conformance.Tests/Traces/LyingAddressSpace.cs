namespace HmmFast.Conformance.Tests.Traces;

/// <summary>The address space of a <see cref="LyingMemorySystem"/>.</summary>
internal sealed class LyingAddressSpace(LyingMemorySystem memory, IAddressSpace inner, Lie lie, bool isChild) : IAddressSpace
{
    public IMemorySystem Memory => memory;

    public IReadOnlyList<VmaInfo> Vmas => lie == Lie.VmasAreNotMerged && inner.Vmas.Count > 0 ? CutFirst(inner.Vmas) : inner.Vmas;

    public HmmStatus Map(VpnRange range, Protection protection, MappingKind kind, FileId file, ulong pageOffset) =>
        inner.Map(range, protection, kind, file, pageOffset);

    public HmmStatus Unmap(VpnRange range) => inner.Unmap(range);

    public HmmStatus Protect(VpnRange range, Protection protection)
    {
        HmmStatus status = inner.Protect(range, protection);
        return lie == Lie.HolesAreProtected ? HmmStatus.Ok : status;
    }

    public HmmStatus Advise(VpnRange range, Advice advice) => inner.Advise(range, advice);

    public HmmStatus Poison(Vpn page) => inner.Poison(page);

    public HmmStatus InsertMixed(VpnRange range, Pfn first) => inner.InsertMixed(range, first);

    public HmmStatus Remap(VpnRange range, Vpn to) => inner.Remap(range, to);

    public IAddressSpace Fork() => memory.Wrap(inner.Fork(), isChild: true);

    public void ClearSoftDirty() => inner.ClearSoftDirty();

    public CpuAccessResult CpuRead(VpnRange range, Span<ulong> tags, Span<CpuAccessResult> results)
    {
        CpuAccessResult result = inner.CpuRead(range, tags, results);
        if (lie == Lie.ContentIsShifted && tags.Length > 1)
        {
            tags[..^1].CopyTo(tags[1..]);
        }

        return result;
    }

    public CpuAccessResult CpuWrite(VpnRange range, ulong firstTag, ulong tagStride, Span<CpuAccessResult> results) =>
        inner.CpuWrite(range, firstTag, tagStride, results);

    public HmmStatus RangeFault(in HmmRange range, Span<HmmPfn> hmmPfns)
    {
        HmmPfnLayout layout = memory.Options.Layout;
        HmmPfn[] before = hmmPfns.ToArray();
        HmmRange asked = lie switch
        {
            Lie.FaultsDoNotRunForward => range with { FaultHabit = FaultHabit.OnlyAsked },
            Lie.NobodyOwnsPrivatePages => range with { Owner = OwnerId.Null },
            _ => range,
        };
        HmmStatus status = inner.RangeFault(asked, hmmPfns);
        while (lie == Lie.NeverBusy && status == HmmStatus.Busy)
        {
            status = inner.RangeFault(asked with { NotifierSequence = asked.Notifier.ReadBegin() }, hmmPfns);
        }

        for (int i = 0; i < hmmPfns.Length; i++)
        {
            if (lie == Lie.WordsAfterAnErrorAreCleared && status != HmmStatus.Ok && hmmPfns[i] == before[i])
            {
                hmmPfns[i] = default;
            }
            else if (lie == Lie.EverythingIsWritable && status == HmmStatus.Ok && layout.IsValid(hmmPfns[i]))
            {
                hmmPfns[i] = new HmmPfn(hmmPfns[i].Raw | layout.WriteBit);
            }
            else if (lie == Lie.OrderIsZero && status == HmmStatus.Ok)
            {
                hmmPfns[i] = new HmmPfn(hmmPfns[i].Raw & ~(0x1fUL << layout.OrderShift));
            }
        }

        return status;
    }

    public HmmStatus MigrateVmaSetup(MigrateVma migration) => inner.MigrateVmaSetup(migration);

    public void MigrateVmaPages(MigrateVma migration) => inner.MigrateVmaPages(migration);

    public void MigrateVmaFinalize(MigrateVma migration) => inner.MigrateVmaFinalize(migration);

    public HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong exclusivePageCount)
    {
        HmmStatus status = inner.MakeDeviceExclusive(range, owner, pages, out exclusivePageCount);
        if (lie == Lie.PartlyExclusiveIsEnough && exclusivePageCount > 0)
        {
            exclusivePageCount = range.PageCount;
        }

        return status;
    }

    public IMmuIntervalNotifier InsertNotifier(VpnRange range, IInvalidationHandler? handler) => inner.InsertNotifier(range, lie switch
    {
        Lie.InvalidationsAreLost when handler is not null => new DeafHandler(),
        Lie.MigrationsHaveNoOwner when handler is not null => new OwnerlessHandler(handler),
        _ => handler,
    });

    public void Observe(VpnRange range, Span<PageObservation> pages)
    {
        inner.Observe(range, pages);
        foreach (ref PageObservation page in pages)
        {
            switch (lie)
            {
                case Lie.MapCountIsOneTooHigh when page.MapCount > 1:
                    page.MapCount++;
                    break;
                case Lie.EverythingIsExclusive when page.Kind == PageEntryKind.Present:
                    page.IsExclusive = true;
                    break;
                case Lie.EverythingIsSoftDirty:
                    page.IsSoftDirty = true;
                    break;
                case Lie.ChildHasOtherFrames when isChild && page.Frame.IsFrame:
                    page.Frame += 1;
                    break;
            }
        }
    }

    public void Invalidate(VpnRange range, InvalidationEvent reason, OwnerId owner) => inner.Invalidate(range, reason, owner);

    public void Dispose() => inner.Dispose();

    private static List<VmaInfo> CutFirst(IReadOnlyList<VmaInfo> vmas)
    {
        List<VmaInfo> cut = [.. vmas];
        VmaInfo first = cut[0];
        if (first.Range.PageCount > 1)
        {
            cut[0] = first with { Range = new VpnRange(first.Range.Start, 1) };
            cut.Insert(1, first with
            {
                Range = new VpnRange(first.Range.Start + 1, first.Range.PageCount - 1),
                PageOffset = first.PageOffset + (first.Kind == MappingKind.PrivateAnonymous ? 0UL : 1UL),
            });
        }

        return cut;
    }

    private sealed class DeafHandler : IInvalidationHandler
    {
        public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info) => true;
    }

    private sealed class OwnerlessHandler(IInvalidationHandler inner) : IInvalidationHandler
    {
        public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info) => inner.Invalidate(notifier, info with { Owner = OwnerId.Null });
    }
}
