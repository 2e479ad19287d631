namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in faults, fork, migration and the notifiers, each caught by the equivalence or by the content oracle.</summary>
public static class MemoryFaults
{
    private const string Faulting = "src/HmmFast/AddressSpaces/AddressSpace.Faults.cs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new("copy-loses-content", "copy on write keeps the page's content", Faulting,
            "_frames.Content[copy] = old.HoldsFrame ? _frames.Content[frame] : 0;", "_frames.Content[copy] = 0;", "equivalence-device"),
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
        new("frame-freed-while-it-moves", "a page unmapped while it is being migrated keeps its frame until the end", "src/HmmFast/AddressSpaces/AddressSpace.Map.cs",
            "_physical.DropHeldMapping(_pfn[from + i]);", "_physical.DropMapping(_pfn[from + i]);", "equivalence-migration"),
        new("frame-kept-after-its-move", "a frame that lost its entries while it was held is free at the end", "src/HmmFast/Migration/Migrator.cs",
            "physical.Unused(now);", "", "equivalence-migration"),
        new("moving-file-page-mapped", "a file's page that is being migrated is waited for", "src/HmmFast/AddressSpaces/MemoryCore.PageCache.cs",
            "(Physical.Frames.Flags[frame] & FrameFlags.Locked) != 0", "(Physical.Frames.Flags[frame] & FrameFlags.Locked) != 0 && attempt == FaultAttempt.Second", "equivalence-migration"),
        new("poisoned-frame-used-again", "a frame that failed is out of use for good", "src/HmmFast/AddressSpaces/AddressSpace.Poison.cs",
            "_frames.Flags[frame] = FrameFlags.InUse | FrameFlags.Poisoned;", "_physical.Give(frame);", "equivalence-failure"),
        new("poison-misses-the-others", "a page that fails does so for everyone who maps it", "src/HmmFast/AddressSpaces/AddressSpace.Poison.cs",
            "i < places.Count && _frames.MapCount[frame] > 0; i++", "i < places.Count && i < 1; i++", "equivalence-failure"),
        new("marker-survives-free", "MADV_FREE takes markers away", "src/HmmFast/AddressSpaces/AddressSpace.Advise.cs",
            "else if (pageClass.Kind == PageEntryKind.Marker)", "else if (pageClass.Kind == PageEntryKind.Marker && pageClass.IsWritable)", "equivalence-failure"),
    ];
}
