using HmmFast.AddressSpaces;
using HmmFast.Faulting;
using HmmFast.Migration;
using HmmFast.Notifiers;
using HmmFast.Physical;

namespace HmmFast;

/// <summary>The public edge of one address space: checks arguments, then hands on to the rooms.</summary>
internal sealed class AddressSpaceHandle : IColumnAddressSpace
{
    private readonly MemorySystem _memory;
    private readonly AddressSpace _space;
    private readonly RangeFaultEngine _faulting;

    public AddressSpaceHandle(MemorySystem memory, AddressSpace space, RangeFaultEngine faulting)
    {
        _memory = memory;
        _space = space;
        _faulting = faulting;
        space.Handle = this;
    }

    public AddressSpace Space => _space;

    public IMemorySystem Memory => _memory;

    public IReadOnlyList<VmaInfo> Vmas
    {
        get
        {
            CheckAlive();
            return _space.DescribeVmas();
        }
    }

    public HmmStatus Map(VpnRange range, Protection protection, MappingKind kind, FileId file, ulong pageOffset)
    {
        Check(range);
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"There is no mapping kind {(int)kind}.");
        }

        bool isFile = kind is MappingKind.PrivateFile or MappingKind.SharedFile;
        FileObject? target = null;
        if (isFile)
        {
            IReadOnlyList<FileObject> files = _memory.Core.Files;
            if ((uint)file.Index >= (uint)files.Count)
            {
                throw new ArgumentOutOfRangeException(nameof(file), file.Index, $"There is no file {file.Index}; {files.Count} were made.");
            }

            target = files[file.Index];
        }

        return _space.Map(range, protection, kind, isFile ? file : FileId.None, target, pageOffset);
    }

    public HmmStatus Unmap(VpnRange range)
    {
        Check(range);
        return _space.Unmap(range);
    }

    public HmmStatus Protect(VpnRange range, Protection protection)
    {
        Check(range);
        return _space.Protect(range, protection);
    }

    public HmmStatus Advise(VpnRange range, Advice advice)
    {
        Check(range);
        if (!Enum.IsDefined(advice))
        {
            throw new ArgumentOutOfRangeException(nameof(advice), advice, $"There is no advice {(int)advice}.");
        }

        return _space.Advise(range, advice);
    }

    public HmmStatus Remap(VpnRange range, Vpn to)
    {
        Check(range);
        Check(new VpnRange(to, range.PageCount));
        return _space.Remap(range, to);
    }

    public IAddressSpace Fork()
    {
        CheckAlive();
        return new AddressSpaceHandle(_memory, _space.Fork(), _faulting);
    }

    public void ClearSoftDirty()
    {
        CheckAlive();
        _space.ClearSoftDirty();
    }

    public CpuAccessResult CpuRead(VpnRange range, Span<ulong> tags, Span<CpuAccessResult> results)
    {
        Check(range);
        CheckLength(nameof(tags), tags.Length, range, mayBeEmpty: true);
        CheckLength(nameof(results), results.Length, range, mayBeEmpty: true);
        return _space.CpuAccess(range, write: false, tags, 0, 0, results);
    }

    public CpuAccessResult CpuWrite(VpnRange range, ulong firstTag, ulong tagStride, Span<CpuAccessResult> results)
    {
        Check(range);
        CheckLength(nameof(results), results.Length, range, mayBeEmpty: true);
        return _space.CpuAccess(range, write: true, default, firstTag, tagStride, results);
    }

    public HmmStatus RangeFault(in HmmRange range, Span<HmmPfn> hmmPfns)
    {
        Check(range.Range);
        CheckLength(nameof(hmmPfns), hmmPfns.Length, range.Range, mayBeEmpty: false);
        IntervalNotifier notifier = NotifierOf(range);
        CheckPolicy(range);
        return _faulting.Run(_space, range, notifier, hmmPfns);
    }

    public HmmClassification Classify(in HmmRange range, Span<ulong> work)
    {
        Check(range.Range);
        CheckPolicy(range);
        ulong words = (range.Range.PageCount + 63) / 64;
        if (!work.IsEmpty && (ulong)work.Length != words)
        {
            throw new ArgumentException($"The bitmap has {work.Length} words for the {range.Range.PageCount} pages of {range.Range}, which take {words}.", nameof(work));
        }

        return _faulting.Classify(_space, range, work);
    }

    public HmmStatus RangeFaultExtents(in HmmRange range, Span<uint> starts, Span<HmmPfn> firsts, out int extentCount, out ulong pageCount)
    {
        Check(range.Range);
        IntervalNotifier notifier = NotifierOf(range);
        CheckPolicy(range);
        if (range.PfnFlagsMask != HmmRequestFlags.None)
        {
            throw new ArgumentException($"Runs have no words to take per-page requests from; the mask is {range.PfnFlagsMask}.", nameof(range));
        }

        if (starts.IsEmpty || starts.Length != firsts.Length)
        {
            throw new ArgumentException($"There must be room for at least one run, and as much for starts as for words: {starts.Length} and {firsts.Length}.", nameof(starts));
        }

        return _faulting.RunExtents(_space, range, notifier, starts, firsts, out extentCount, out pageCount);
    }

    public HmmStatus RangeFaultBatch(in HmmRange range, ReadOnlySpan<Vpn> pages, Span<HmmPfn> hmmPfns, out int answered)
    {
        Check(range.Range);
        IntervalNotifier notifier = NotifierOf(range);
        CheckPolicy(range);
        if (pages.Length != hmmPfns.Length)
        {
            throw new ArgumentException($"There are {hmmPfns.Length} words for {pages.Length} pages.", nameof(hmmPfns));
        }

        foreach (Vpn page in pages)
        {
            if (!range.Range.Contains(page))
            {
                throw new ArgumentOutOfRangeException(nameof(pages), page, $"{page} lies outside the request's range {range.Range}.");
            }
        }

        return _faulting.RunBatch(_space, range, notifier, pages, hmmPfns, out answered);
    }

    public HmmStatus MigrateVmaSetup(MigrateVma migration)
    {
        CheckMigration(migration);
        return Migrator.Setup(_space, migration);
    }

    public void MigrateVmaPages(MigrateVma migration)
    {
        CheckMigration(migration);
        Migrator.Pages(_space, migration);
    }

    public void MigrateVmaFinalize(MigrateVma migration)
    {
        CheckMigration(migration);
        Migrator.Finish(_space, migration);
    }

    public HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount)
    {
        Check(range);
        CheckLength(nameof(pages), pages.Length, range, mayBeEmpty: false);
        return _space.MakeDeviceExclusive(range, owner, pages, out faultedPageCount);
    }

    public HmmStatus Poison(Vpn page)
    {
        Check(new VpnRange(page, 1));
        return _space.Poison(page);
    }

    public HmmStatus InsertMixed(VpnRange range, Pfn first)
    {
        Check(range);
        for (ulong i = 0; i < range.PageCount; i++)
        {
            ulong number = first.Value + i;
            if (number > uint.MaxValue || _memory.Core.Physical.Exists(number))
            {
                throw new ArgumentOutOfRangeException(nameof(first), first, $"Number 0x{number:x} is a frame of this memory system or has more than 32 bits; only others have no struct page.");
            }
        }

        return _space.InsertMixed(range, first);
    }

    public IMmuIntervalNotifier InsertNotifier(VpnRange range, IInvalidationHandler? handler)
    {
        CheckAlive();
        if (range.IsEmpty)
        {
            throw new ArgumentException($"A notifier watches at least one page; {range} is empty.", nameof(range));
        }

        return _space.Notifiers.Insert(range, handler);
    }

    public void Observe(VpnRange range, Span<PageObservation> pages)
    {
        Check(range);
        CheckLength(nameof(pages), pages.Length, range, mayBeEmpty: false);
        _space.Observe(range, pages);
    }

    public void Invalidate(VpnRange range, InvalidationEvent reason, OwnerId owner)
    {
        Check(range);
        if (range.IsEmpty)
        {
            throw new ArgumentException($"An invalidation covers at least one page; {range} is empty.", nameof(range));
        }

        _space.Invalidate(range, reason, owner);
    }

    public void Dispose()
    {
        if (!_space.IsDisposed)
        {
            _space.Exit();
        }
    }

    private static void CheckLength(string name, int length, VpnRange range, bool mayBeEmpty)
    {
        if ((ulong)length != range.PageCount && !(mayBeEmpty && length == 0))
        {
            throw new ArgumentException($"{name} has {length} entries for the {range.PageCount} pages of {range}.", name);
        }
    }

    private void CheckAlive() => ObjectDisposedException.ThrowIf(_space.IsDisposed, this);

    private void Check(VpnRange range)
    {
        CheckAlive();
        VpnRange window = _memory.Options.Window;
        if (!window.Contains(range))
        {
            throw new ArgumentOutOfRangeException(nameof(range), range, $"{range} does not lie inside the window {window}.");
        }
    }

    private void CheckPolicy(in HmmRange range)
    {
        if (range.Policy is { TypedOutput: true } && _memory.Options.Layout.TypePrivateBit == 0)
        {
            throw new ArgumentException($"Policy '{range.Policy.Name}' types its output; layout {_memory.Options.Layout} has no bits for that.", nameof(range));
        }
    }

    private void CheckMigration(MigrateVma migration)
    {
        ArgumentNullException.ThrowIfNull(migration);
        Check(migration.Range);
    }

    private IntervalNotifier NotifierOf(in HmmRange range)
    {
        if (range.Notifier is not IntervalNotifier notifier || notifier.Set != _space.Notifiers)
        {
            throw new ArgumentException("The notifier was not inserted into this address space, or was removed.", nameof(range));
        }

        if (!notifier.Range.Contains(range.Range))
        {
            throw new ArgumentException($"The notifier watches {notifier.Range}, which does not cover {range.Range}.", nameof(range));
        }

        return notifier;
    }
}
