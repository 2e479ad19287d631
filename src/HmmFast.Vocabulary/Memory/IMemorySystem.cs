namespace HmmFast;

/// <summary>Physical memory, devices, files and the address spaces over them. The engine and the reference both implement it.</summary>
/// <remarks>
/// Where the kernel leaves a choice the rule is: the lowest-numbered free frame (of the right kind; for 2 MiB pages the lowest free aligned
/// run of 512) and the lowest-numbered free swap slot, in page order; a copy's new frame is taken before the old one is given up.
/// Source of everything but those choices: the recordings that <see cref="IAddressSpace"/> names.
/// No clock, no randomness. Identifiers that do not exist throw <see cref="ArgumentOutOfRangeException"/>, any use after dispose
/// <see cref="ObjectDisposedException"/>, both before anything changes. Pages are 4 KiB; calls without a cost of their own take the same time at any size of memory, apart
/// from a look through the pagemaps where a frame's device is asked. Not safe for concurrent calls, except <see cref="IAddressSpace.RangeFault"/> without fault requests.
/// </remarks>
public interface IMemorySystem : IDisposable
{
    /// <summary>The options it was made with.</summary>
    MemorySystemOptions Options { get; }

    /// <summary>What has happened so far.</summary>
    MemoryCounters Counters { get; }

    /// <summary>Address spaces alive, in order of creation. Cost: a new list at each call.</summary>
    IReadOnlyList<IAddressSpace> AddressSpaces { get; }

    /// <summary>Registers a device and its pagemap; its frames follow those of earlier devices, from the next multiple of 512.</summary>
    /// <param name="options">Size in pages, kind, owner.</param>
    /// <returns>The device's id: the number of devices registered before it.</returns>
    /// <remarks>Source: <c>memremap_pages</c>. Cost: address space for the free list, a bit a page, and for the device's frame columns once touched.</remarks>
    /// <exception cref="ArgumentException">The device has no pages or more than are left of the frame space (32 bits), or the owner is NULL for private memory.</exception>
    DeviceId AddDevice(DeviceOptions options);

    /// <summary>The frames of a device's pagemap: first frame and count.</summary>
    (Pfn First, ulong Count) DeviceFrames(DeviceId device);

    /// <summary>A pagemap's owner.</summary>
    OwnerId OwnerOf(DeviceId device);

    /// <summary>Devices registered so far, removed ones included: ids run from 0 to this.</summary>
    int DeviceCount { get; }

    /// <summary>What a device's pagemap holds.</summary>
    DeviceMemoryKind KindOf(DeviceId device);

    /// <summary>
    /// Gives a pagemap another owner. The new owner is visible first, then every run of pages that any address space holds in the pagemap is
    /// invalidated (<see cref="InvalidationEvent.Revoke"/>), so that no answer that rests on the old owner outlives the call.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="owner">The new owner; the same one again invalidates too.</param>
    /// <remarks>No kernel has this: it is what the proposals for owners that change at run time need. Cost: every page table entry of every address space that is no hole.</remarks>
    /// <exception cref="ArgumentException">The owner is NULL for private memory, or there is no such device.</exception>
    void SetOwner(DeviceId device, OwnerId owner);

    /// <summary>Unregisters a device's pagemap; its id and frames are never given out again, and nothing can be allocated from it.</summary>
    /// <param name="device">The device; one that was removed already is Ok.</param>
    /// <returns>Ok; Busy while pages of it are in use (nothing done): evict them first.</returns>
    HmmStatus RemoveDevice(DeviceId device);

    /// <summary>The device whose pagemap holds a frame; null for system frames.</summary>
    DeviceId? DeviceOf(Pfn pfn);

    /// <summary>Makes a file: a sequence of page cache pages with a size, in memory or on disk.</summary>
    /// <param name="options">Kind and size in pages.</param>
    /// <returns>The file's id: the number of files made before it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has more than 2^32 - 1 pages.</exception>
    FileId CreateFile(FileOptions options);

    /// <summary>Makes an empty address space over <see cref="MemorySystemOptions.Window"/>.</summary>
    /// <remarks>Cost: 5 bytes of reserved addresses a page of the window; memory only where pages are touched (5 bytes each).</remarks>
    /// <exception cref="InsufficientMemoryException">Its columns cannot be reserved.</exception>
    IAddressSpace CreateAddressSpace();

    /// <summary>Takes the lowest free page of a device for a migration's destination.</summary>
    /// <param name="device">The device.</param>
    /// <param name="pfn">The page, with one reference and no mapping; <see cref="Pfn.None"/> unless Ok.</param>
    /// <returns>Ok; OutOfMemory when none is free, the device was removed, or its pagemap holds P2P aliases, which are no memory of their own.</returns>
    HmmStatus TryAllocateDevicePage(DeviceId device, out Pfn pfn);

    /// <summary>Takes the lowest free system frame for a migration's destination.</summary>
    /// <param name="pfn">The frame, with one reference and no mapping; <see cref="Pfn.None"/> unless Ok.</param>
    /// <returns>Ok; OutOfMemory when none is free.</returns>
    HmmStatus TryAllocateSystemPage(out Pfn pfn);

    /// <summary>Takes the lowest free pages of a device, in order, as one <see cref="TryAllocateDevicePage"/> for each until one fails.</summary>
    /// <param name="device">The device.</param>
    /// <param name="pages">Receives them; those that were not taken are left as they are.</param>
    /// <returns>How many were taken.</returns>
    int AllocateDevicePages(DeviceId device, Span<Pfn> pages);

    /// <summary>Takes the lowest free system frames, in order, as one <see cref="TryAllocateSystemPage"/> for each until one fails.</summary>
    /// <param name="pages">Receives them; those that were not taken are left as they are.</param>
    /// <returns>How many were taken.</returns>
    int AllocateSystemPages(Span<Pfn> pages);

    /// <summary>Gives back a page taken for a migration that did not use it.</summary>
    /// <param name="pfn">A page taken by one of the calls above.</param>
    /// <exception cref="InvalidOperationException">It is free, mapped or cached.</exception>
    void ReleasePage(Pfn pfn);

    /// <summary>A page's content tag; 0 is zero-filled.</summary>
    /// <param name="pfn">A page in use, or a zero page.</param>
    /// <exception cref="InvalidOperationException">Content is not tracked.</exception>
    ulong ReadContent(Pfn pfn);

    /// <summary>Sets a page's content tag, as a device does through its mirror.</summary>
    /// <param name="pfn">The page.</param>
    /// <param name="tag">Its content from here on.</param>
    /// <exception cref="InvalidOperationException">Content is not tracked, or it is a zero page.</exception>
    void WriteContent(Pfn pfn, ulong tag);

    /// <summary>Takes a reference beyond the mappings: a pinned page cannot be migrated.</summary>
    /// <param name="pfn">A page in use; pinning a zero page does nothing.</param>
    /// <remarks>Source: a migration puts back pages with references beyond their mappings.</remarks>
    /// <exception cref="InvalidOperationException">It is free.</exception>
    void Pin(Pfn pfn);

    /// <summary>Drops a reference taken by <see cref="Pin"/>.</summary>
    /// <param name="pfn">A pinned page.</param>
    /// <exception cref="InvalidOperationException">It is not pinned.</exception>
    void Unpin(Pfn pfn);

    /// <summary>System frames free now.</summary>
    ulong FreeSystemFrameCount { get; }

    /// <summary>Device pages free now.</summary>
    ulong FreeDevicePageCount(DeviceId device);

    /// <summary>A frame's state, for comparison and tests.</summary>
    FrameObservation ObserveFrame(Pfn pfn);
}
