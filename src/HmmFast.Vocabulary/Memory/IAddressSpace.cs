namespace HmmFast;

/// <summary>One process's memory: VMAs, page tables, notifiers. Disposing it is the process's exit.</summary>
/// <remarks>
/// <para>Address-space calls validate like the kernel's and return its errors. They throw for misuse that no kernel could be asked for, before anything changes:
/// <see cref="ArgumentOutOfRangeException"/> for pages outside <see cref="MemorySystemOptions.Window"/> and for values an enum does not have,
/// <see cref="ArgumentException"/> for a span whose length is not the page count, <see cref="ObjectDisposedException"/> after exit.</para>
/// <para>Ranges are in 4 KiB pages. Costs named here are the engine's; the reference pays each page. One page of page table is 5 bytes. Where a call invalidates,
/// each event asks every notifier of the address space, and with a handler that wants single pages some go page by page.</para>
/// <para>Source: the recordings of Linux 6.12 under tests/HmmFast.Conformance.Tests/Recordings. Mappings and CPU accesses core.jsonl.gz, their rarer forms
/// (swap, MADV_FREE, mremap, clear_refs) full.jsonl.gz, 2 MiB pages thp.jsonl.gz, coherent memory coh.jsonl.gz; other files are named at the calls.</para>
/// </remarks>
public interface IAddressSpace : IDisposable
{
    /// <summary>The memory system it belongs to.</summary>
    IMemorySystem Memory { get; }

    /// <summary>VMAs in address order, as the kernel would have split and merged them. Cost: a new list at each call, one entry a VMA.</summary>
    IReadOnlyList<VmaInfo> Vmas { get; }

    /// <summary>mmap at a fixed place: replaces what was there.</summary>
    /// <param name="range">Pages to map.</param>
    /// <param name="protection">What the VMA allows.</param>
    /// <param name="kind">What it maps. <see cref="MappingKind.DriverMixed"/> inserts one driver page a page at once.</param>
    /// <param name="file">The file for file mappings, else <see cref="FileId.None"/>.</param>
    /// <param name="pageOffset">First page of the file.</param>
    /// <returns>Ok; Invalid for an empty range; OutOfMemory when driver pages cannot be had (what was there is gone, nothing is mapped).</returns>
    /// <remarks>Cost: that of unmapping what was there; an empty VMA costs nothing a page.</remarks>
    HmmStatus Map(VpnRange range, Protection protection, MappingKind kind, FileId file, ulong pageOffset);

    /// <summary>munmap. Holes in the range are no error.</summary>
    /// <param name="range">Pages to unmap.</param>
    /// <returns>Ok; Invalid for an empty range.</returns>
    /// <remarks>One Unmap event for the whole range, none where nothing is mapped. Cost: the entries and frames that were there; holes go by 2 MiB blocks and larger.</remarks>
    HmmStatus Unmap(VpnRange range);

    /// <summary>mprotect.</summary>
    /// <param name="range">Pages; empty is Ok.</param>
    /// <param name="protection">What the VMAs allow from here on.</param>
    /// <returns>Ok; OutOfMemory (ENOMEM) at a hole, with what lies before it changed.</returns>
    /// <remarks>At most one ProtectVma event for each VMA that changes. Cost: a byte a page read and written, without frames. As recorded, write permission that comes back makes
    /// present exclusive pages writable again at once, device-private and exclusive ones not.</remarks>
    HmmStatus Protect(VpnRange range, Protection protection);

    /// <summary>madvise.</summary>
    /// <param name="range">Pages; empty is Ok.</param>
    /// <param name="advice">What is advised.</param>
    /// <returns>
    /// Ok; OutOfMemory (ENOMEM) when the range has holes (the rest is advised), or a collapse found no free 2 MiB; Invalid where a VMA cannot take the advice (what lies
    /// before it is advised); TryAgain when a collapse met pages held elsewhere.
    /// </returns>
    /// <remarks>Cost: HugePage and NoHugePage a VMA; DontNeed and Free column speed for runs; PageOut and Collapse each page they move. Source: full.jsonl.gz, thp.jsonl.gz.</remarks>
    HmmStatus Advise(VpnRange range, Advice advice);

    /// <summary>mremap(MREMAP_FIXED) to a place of the same size, which it replaces.</summary>
    /// <param name="range">Pages to move; inside one VMA.</param>
    /// <param name="to">First page of the new place.</param>
    /// <returns>
    /// Ok; Invalid for an empty range or one that overlaps its new place; Fault when the range begins in a hole (nothing done) or leaves its VMA (the new place has been
    /// unmapped by then).
    /// </returns>
    /// <remarks>Cost: each entry moved; frames stay. Source: full.jsonl.gz.</remarks>
    HmmStatus Remap(VpnRange range, Vpn to);

    /// <summary>fork: a child that shares everything private copy-on-write.</summary>
    /// <remarks>Private entries lose write permission in both; device-exclusive entries end first. Cost: the columns of VMAs with private pages are translated and copied into fresh
    /// memory, 10 bytes a page moved and two counts a frame raised; VMAs without private pages are not copied.</remarks>
    /// <exception cref="InsufficientMemoryException">The child's columns cannot be reserved.</exception>
    IAddressSpace Fork();

    /// <summary>Writes 4 to /proc/PID/clear_refs: clears soft-dirty bits and write-protects.</summary>
    /// <remarks>One SoftDirty event for the whole window. Cost: a byte a mapped page. Source: full.jsonl.gz, extra.jsonl.gz.</remarks>
    void ClearSoftDirty();

    /// <summary>The CPU reads each page, going on after pages that fail.</summary>
    /// <param name="range">Pages to read.</param>
    /// <param name="tags">Receives each page's content (0 where it failed); empty if not wanted.</param>
    /// <param name="results">Receives each page's outcome; empty if not wanted.</param>
    /// <returns>The first outcome that is not Ok, else Ok.</returns>
    /// <remarks>Faults as a CPU's touch does: a zero page for an empty private page, a device-private page comes back to system memory (<see cref="IDevicePagemapOps.MigratedToRam"/>).
    /// Cost: column speed for runs of pages in one state, else each page.</remarks>
    CpuAccessResult CpuRead(VpnRange range, Span<ulong> tags, Span<CpuAccessResult> results);

    /// <summary>The CPU writes each page: page i of the range gets <paramref name="firstTag"/> + i * <paramref name="tagStride"/>. Goes on after pages that fail.</summary>
    /// <param name="range">Pages to write.</param>
    /// <param name="firstTag">Content of the first page.</param>
    /// <param name="tagStride">What each later page has more, wrapping at 2^64.</param>
    /// <param name="results">Receives each page's outcome; empty if not wanted.</param>
    /// <returns>The first outcome that is not Ok, else Ok.</returns>
    /// <remarks>As <see cref="CpuRead"/>, with a new frame for an empty or zero page and a copy of one that is not exclusively owned.</remarks>
    CpuAccessResult CpuWrite(VpnRange range, ulong firstTag, ulong tagStride, Span<CpuAccessResult> results);

    /// <summary>hmm_range_fault: resolves each page of the range under the request.</summary>
    /// <param name="range">The request.</param>
    /// <param name="hmmPfns">In: per-page requests (where the mask lets them count) and sticky flags. Out: results. Length equals the range's page count.</param>
    /// <returns>
    /// Ok: every entry is written. Invalid: the range is empty. Busy (the notifier's sequence is stale, before the call or after a fault of it), Fault (no page can be had, a hole
    /// or an unreadable VMA was asked for), NotPermitted (write asked of a VMA without it), OutOfMemory: entries below the failing page are final, from it on they hold their
    /// input; what was faulted in stays.
    /// </returns>
    /// <remarks>
    /// <para>The order of effects is that of a walk page by page. A device-private page of the range's owner comes back as it is, without WRITE where its entry has none, even
    /// if write was asked. An unasked page that needs a fault is 0, a hole ERROR.</para>
    /// <para>Cost: 5 bytes read and 8 written a page at the speed of memory (also read, where words count), some 100 ns a call and some tens of ns for each stop at a block with
    /// a page that needs work; 2 MiB entries and holes only the 8 written. Allocates nothing once its tables are made. Source: rf_core, rf_thp, rf_script_small and
    /// rf_script_thp.jsonl.gz.</para>
    /// </remarks>
    /// <exception cref="ArgumentException">The array's length is not the page count, the notifier does not cover the range or belongs elsewhere, or the policy types its output
    /// and the layout has no bits for that.</exception>
    HmmStatus RangeFault(in HmmRange range, Span<HmmPfn> hmmPfns);

    /// <summary>migrate_vma_setup: collects and isolates pages; fills <see cref="MigrateVma.Source"/> and <see cref="MigrateVma.CollectedPageCount"/>.</summary>
    /// <returns>Ok, or Invalid (nothing done).</returns>
    /// <remarks>Until finalize the pages' entries are migration entries, and the frames stay whatever happens to the entries: a range fault that asks for one is Busy, a CPU's touch
    /// throws <see cref="InvalidOperationException"/> (nobody else could end its wait), mprotect and fork change and copy them, unmapping drops them. Other mappings of a file's
    /// page, and other holders of a swap slot, wait as well.</remarks>
    /// <exception cref="InvalidOperationException">The migration is under way: it was set up and not finalized.</exception>
    HmmStatus MigrateVmaSetup(MigrateVma migration);

    /// <summary>migrate_vma_pages: moves identities to the destinations the driver filled in; entries that could not move lose their MIGRATE flag.</summary>
    /// <remarks>A page put where nothing was is mapped from here on, as any other.</remarks>
    /// <exception cref="ArgumentException">A destination is no page that was just taken for a migration; nothing has moved.</exception>
    /// <exception cref="InvalidOperationException">
    /// The migration was not set up here, or has moved already; or a collected page was changed since (or an empty one's range is not in one VMA any more), or an entry of
    /// <see cref="MigrateVma.Source"/> was: nothing has moved, and the driver can take destinations back and call again.
    /// Two entries have one destination: those before the second have moved.
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
    /// <returns>Ok (also when only some did). When not even the first page could be faulted in: Fault (no VMA, or one without write permission), Busy or OutOfMemory.</returns>
    /// <remarks>Anonymous pages only; of a 2 MiB page only its head can become exclusive, and takes the rest along. One Exclusive event for each place that maps the page. Cost: each
    /// page. Source: core.jsonl.gz, matrix_small.jsonl.gz, thp.jsonl.gz; a child's page is shared as there.</remarks>
    HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount);

    /// <summary>The memory of a page fails (memory_failure): every entry that maps the page becomes a marker, and its frame is never used again.</summary>
    /// <param name="page">A page that is mapped.</param>
    /// <returns>Ok; Invalid where no page of anonymous system memory is mapped (empty, away, a file's, a device's or a driver's, the zero page, which a page of zeroes becomes when
    /// its 2 MiB page is split for it); Busy when the page is held by more than its mappings (a pin, the swap cache, a device's exclusive entry). Nothing is poisoned then.</returns>
    /// <remarks>A 2 MiB page is split first. One Clear event for each place that maps the page. Afterwards a CPU's touch is SIGBUS, a range fault that asks EFAULT, migrate_vma
    /// skips the page, mprotect leaves the marker, fork copies it, mremap moves it; unmapping, DONTNEED and MADV_FREE take it away. Where the page is held the kernel poisons it
    /// all the same and waits for the holder; here nobody could end the wait. Cost: the places of one page.</remarks>
    HmmStatus Poison(Vpn page);

    /// <summary>vmf_insert_mixed: a driver puts frame numbers without struct page where nothing is mapped yet. Entries that hold something stay.</summary>
    /// <param name="range">Pages inside one VMA of kind <see cref="MappingKind.DriverMixed"/>.</param>
    /// <param name="first">The first page's number; the others follow. No frames that this memory system has.</param>
    /// <returns>Ok; Invalid for an empty range, or one that is not inside one such VMA.</returns>
    /// <remarks>The entries are read-only, as all of a private mapping's are; a write copies the page (what a device shows there is not kept: it reads as 0). A range fault gives
    /// ERROR for them, and EFAULT when one is asked for and no fault could give more; nothing migrates or reclaims them. Cost: each page.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is a frame's, or has more than 32 bits.</exception>
    HmmStatus InsertMixed(VpnRange range, Pfn first);

    /// <summary>Inserts an interval notifier.</summary>
    /// <param name="range">Pages to watch; not empty; need not be mapped.</param>
    /// <param name="handler">Called on invalidations; null bumps the sequence on each.</param>
    /// <returns>The notifier; it is told of events until it is disposed or the address space exits.</returns>
    /// <remarks>Source: <c>mmu_interval_notifier_insert</c>. Cost: a copy of the list of notifiers; each is asked on every invalidation, in the order they were inserted.</remarks>
    /// <exception cref="ArgumentException">The range is empty.</exception>
    IMmuIntervalNotifier InsertNotifier(VpnRange range, IInvalidationHandler? handler);

    /// <summary>What the page table holds, page by page, as pagemap, kpagecount and kpageflags would show it. Changes nothing.</summary>
    /// <param name="range">Pages to look at; may run over holes.</param>
    /// <param name="pages">Length equals the page count; holes get the default.</param>
    /// <remarks>Cost: each page; meant for comparisons, not for hot paths.</remarks>
    void Observe(VpnRange range, Span<PageObservation> pages);

    /// <summary>Sends one invalidation over a range without changing entries (mmu_notifier_invalidate_range): what a driver does to revoke what others may have mapped.</summary>
    /// <param name="range">Pages; not empty.</param>
    /// <param name="reason">The event notifiers are told.</param>
    /// <param name="owner">Who does it.</param>
    /// <exception cref="ArgumentException">The range is empty.</exception>
    void Invalidate(VpnRange range, InvalidationEvent reason, OwnerId owner);
}
