namespace HmmFast;

/// <summary>One process's memory: VMAs, page tables, notifiers. Disposing it is the process's exit.</summary>
/// <remarks>Address-space calls validate like the kernel's and return its errors; they throw only for ranges outside the window and use after exit.</remarks>
public interface IAddressSpace : IDisposable
{
    /// <summary>The memory system it belongs to.</summary>
    IMemorySystem Memory { get; }

    /// <summary>VMAs in address order, as the kernel would have split and merged them.</summary>
    IReadOnlyList<VmaInfo> Vmas { get; }

    /// <summary>mmap at a fixed place: replaces what was there.</summary>
    /// <param name="range">Pages to map.</param>
    /// <param name="protection">What the VMA allows.</param>
    /// <param name="kind">What it maps. <see cref="MappingKind.DriverMixed"/> inserts one driver page a page at once.</param>
    /// <param name="file">The file for file mappings, else <see cref="FileId.None"/>.</param>
    /// <param name="pageOffset">First page of the file.</param>
    /// <returns>Ok; Invalid for an empty range; OutOfMemory when driver pages cannot be had (nothing is mapped).</returns>
    HmmStatus Map(VpnRange range, Protection protection, MappingKind kind, FileId file, ulong pageOffset);

    /// <summary>munmap. Holes in the range are no error.</summary>
    HmmStatus Unmap(VpnRange range);

    /// <summary>mprotect.</summary>
    /// <returns>Ok; OutOfMemory (ENOMEM) at a hole, with what lies before it changed.</returns>
    HmmStatus Protect(VpnRange range, Protection protection);

    /// <summary>madvise.</summary>
    /// <returns>Ok; OutOfMemory (ENOMEM) when the range has holes (the rest is advised); Invalid where the VMA cannot take the advice.</returns>
    HmmStatus Advise(VpnRange range, Advice advice);

    /// <summary>mremap(MREMAP_FIXED) to a place of the same size, which it replaces.</summary>
    HmmStatus Remap(VpnRange range, Vpn to);

    /// <summary>fork: a child that shares everything private copy-on-write.</summary>
    /// <exception cref="InsufficientMemoryException">The child's columns cannot be reserved.</exception>
    IAddressSpace Fork();

    /// <summary>Writes 4 to /proc/PID/clear_refs: clears soft-dirty bits and write-protects.</summary>
    void ClearSoftDirty();

    /// <summary>The CPU reads each page, going on after pages that fail.</summary>
    /// <param name="range">Pages to read.</param>
    /// <param name="tags">Receives each page's content (0 where it failed); empty if not wanted.</param>
    /// <param name="results">Receives each page's outcome; empty if not wanted.</param>
    /// <returns>The first outcome that is not Ok, else Ok.</returns>
    CpuAccessResult CpuRead(VpnRange range, Span<ulong> tags, Span<CpuAccessResult> results);

    /// <summary>The CPU writes each page: page i of the range gets <paramref name="firstTag"/> + i * <paramref name="tagStride"/>. Goes on after pages that fail.</summary>
    /// <returns>The first outcome that is not Ok, else Ok.</returns>
    CpuAccessResult CpuWrite(VpnRange range, ulong firstTag, ulong tagStride, Span<CpuAccessResult> results);

    /// <summary>hmm_range_fault: resolves each page of the range under the request.</summary>
    /// <param name="range">The request.</param>
    /// <param name="hmmPfns">In: per-page requests (where the mask lets them count) and sticky flags. Out: results. Length equals the range's page count.</param>
    /// <returns>
    /// Ok: every entry is written. Busy, Fault, NotPermitted, OutOfMemory: entries below the failing page are final, from it on they hold their input.
    /// </returns>
    /// <exception cref="ArgumentException">The array's length is not the page count, or the notifier does not cover the range or belongs elsewhere.</exception>
    HmmStatus RangeFault(in HmmRange range, Span<HmmPfn> hmmPfns);

    /// <summary>migrate_vma_setup: collects and isolates pages; fills <see cref="MigrateVma.Source"/> and <see cref="MigrateVma.CollectedPageCount"/>.</summary>
    /// <returns>Ok, or Invalid (nothing done).</returns>
    /// <exception cref="InvalidOperationException">The migration is under way: it was set up and not finalized.</exception>
    HmmStatus MigrateVmaSetup(MigrateVma migration);

    /// <summary>migrate_vma_pages: moves identities to the destinations the driver filled in; entries that could not move lose their MIGRATE flag.</summary>
    /// <exception cref="ArgumentException">A destination is no page that was just taken for a migration; nothing has moved.</exception>
    /// <exception cref="InvalidOperationException">
    /// The migration was not set up here, or has moved already; or a collected page was changed since, or an entry of <see cref="MigrateVma.Source"/> was: nothing has
    /// moved. Two entries have one destination: those before the second have moved.
    /// </exception>
    void MigrateVmaPages(MigrateVma migration);

    /// <summary>migrate_vma_finalize: replaces or restores the page table entries and drops what was held.</summary>
    /// <remarks>Destinations of entries without MIGRATE are given back here, as <see cref="IMemorySystem.ReleasePage"/> would; the driver frees nothing.</remarks>
    /// <exception cref="InvalidOperationException">The migration was not brought to <see cref="MigrateVmaPages"/> here, or was finalized already.</exception>
    void MigrateVmaFinalize(MigrateVma migration);

    /// <summary>make_device_exclusive_range: faults pages in for write and makes their entries exclusive to a device.</summary>
    /// <param name="range">Pages wanted.</param>
    /// <param name="owner">The device's owner, carried by the Exclusive event.</param>
    /// <param name="pages">Receives each page's frame, or <see cref="Pfn.None"/> where it did not become exclusive. Length equals the page count.</param>
    /// <param name="faultedPageCount">Pages from the front that could be faulted in for write, whether or not they became exclusive: a driver may use
    /// what it got only when this is the whole range (the call's return value in the kernel).</param>
    /// <returns>Ok (also when only some did); an error as a page fault would give it when nothing could be looked at.</returns>
    HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount);

    /// <summary>Inserts an interval notifier.</summary>
    /// <param name="range">Pages to watch; not empty; need not be mapped.</param>
    /// <param name="handler">Called on invalidations; null bumps the sequence on each.</param>
    IMmuIntervalNotifier InsertNotifier(VpnRange range, IInvalidationHandler? handler);

    /// <summary>What the page table holds, page by page, as pagemap, kpagecount and kpageflags would show it. Changes nothing.</summary>
    /// <param name="range">Pages to look at; may run over holes.</param>
    /// <param name="pages">Length equals the page count.</param>
    void Observe(VpnRange range, Span<PageObservation> pages);

    /// <summary>Sends one invalidation over a range without changing entries (mmu_notifier_invalidate_range): what a driver does to revoke what others may have mapped.</summary>
    /// <param name="range">Pages; not empty.</param>
    /// <param name="reason">The event notifiers are told.</param>
    /// <param name="owner">Who does it.</param>
    void Invalidate(VpnRange range, InvalidationEvent reason, OwnerId owner);
}
