namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in faults, fork, migration and the notifiers, each caught by the equivalence or by the content oracle.</summary>
public static class MemoryFaults
{
    private const string Faulting = "src/HmmFast/AddressSpaces/AddressSpace.Faults.cs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new("copy-loses-content", "copy on write keeps the page's content", Faulting,
            "_frames.Content[copy] = old.IsZero ? 0 : _frames.Content[frame];", "_frames.Content[copy] = 0;", "equivalence-device"),
        new("copy-without-invalidation", "copy on write invalidates the page first", Faulting,
            "        InvalidatePage(vpn, InvalidationEvent.Clear);\n        SetEntry(vpn, id, copy);", "        SetEntry(vpn, id, copy);", "equivalence-core"),
        new("copy-keeps-old-mapping", "copy on write gives the old frame up", Faulting,
            "        if (old.HoldsFrame)\n        {\n            _physical.DropMapping(frame);\n        }\n\n        _core.Counters.PagesCopied++;",
            "        _core.Counters.PagesCopied++;", "equivalence-device"),
        new("shared-frame-written-in-place", "a frame that another process maps is copied before a write", Faulting,
            "|| _frames.MapCount[frame] != 1)", "|| _frames.MapCount[frame] == 0)", "equivalence-device"),
        new("read-maps-new-frame", "a read of an empty page maps the zero page", Faulting,
            "        if (!write)\n        {\n            SetEntry(vpn, _classes.Present(EntryBits.Zero), 0);", "        if (!write && vpn == 0)\n        {\n            SetEntry(vpn, _classes.Present(EntryBits.Zero), 0);", "equivalence-core"),
        new("access-beyond-the-file", "a page beyond the file's end cannot be had", "src/HmmFast/AddressSpaces/MemoryCore.PageCache.cs",
            "if (page >= file.PageCount)", "if (page > file.PageCount)", "equivalence"),
        new("run-of-pages-unseen", "a handler that takes runs is told of every page of one", "src/HmmFast/Notifiers/NotifierSet.cs",
            "handler.InvalidateEach(notifier, info with { Range = watched })", "watched.PageCount", "equivalence-device"),
        new("page-taken-twice", "pages taken together are different ones", "src/HmmFast/Physical/PhysicalMemory.Runs.cs",
            "into.Slice(taken, run)), first, 1);", "into.Slice(taken, run)), first, 0);", "equivalence-device"),
        new("exclusive-end-unseen", "the end of exclusive access invalidates the page", Faulting,
            "        InvalidatePage(vpn, InvalidationEvent.Exclusive);\n", "", "equivalence-device"),
    ];
}
