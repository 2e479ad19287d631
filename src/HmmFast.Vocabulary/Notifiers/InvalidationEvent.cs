namespace HmmFast;

/// <summary>Why pages are invalidated: the kernel's <c>enum mmu_notifier_event</c>.</summary>
/// <remarks><see cref="Revoke"/> is ours: no kernel tells users of pages that stay in their place. Which events come when follows the kernel's calls; the recordings show them as what
/// leaves a device's mirror table.</remarks>
public enum InvalidationEvent : byte
{
    /// <summary>munmap, or mremap's old place.</summary>
    Unmap,

    /// <summary>Entries cleared or replaced: DONTNEED, copy-on-write, reclaim, a frame moved through the reverse map, a huge entry split.</summary>
    Clear,

    /// <summary>mprotect.</summary>
    ProtectVma,

    /// <summary>Single entries lose write permission: fork, and writeback's cleaning.</summary>
    ProtectPage,

    /// <summary>Soft-dirty bits are being cleared.</summary>
    SoftDirty,

    /// <summary>The address space ends.</summary>
    Release,

    /// <summary>Collected for migration; <see cref="InvalidationInfo.Owner"/> tells by whom.</summary>
    Migrate,

    /// <summary>Made exclusive to a device; <see cref="InvalidationInfo.Owner"/> tells to whom.</summary>
    Exclusive,

    /// <summary>Pages stay where they are, but who may use them changed: an owner, a link, an alias window, an unplug.</summary>
    Revoke,
}
