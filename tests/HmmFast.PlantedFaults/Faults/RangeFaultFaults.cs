namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in the range fault: at least one per rule of its order of tests and of its table of entries.</summary>
public static class RangeFaultFaults
{
    private const string Engine = "src/HmmFast/Faulting/RangeFaultEngine.cs";
    private const string Walk = "src/HmmFast/Faulting/RangeWalk.cs";
    private const string Rules = "src/HmmFast/Faulting/Decision.cs";
    private const string Tables = "src/HmmFast/Faulting/DecisionTable.cs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new("stale-sequence-ignored", "a stale notifier sequence answers EBUSY before anything is written", Engine,
            "var walk = new RangeWalk(_core, _cache, space, range, MemoryMarshal.Cast<HmmPfn, ulong>(hmmPfns));\n        HmmStatus status;\n        do\n        {\n            status = notifier.Sequence != range.NotifierSequence ? HmmStatus.Busy : ",
            "var walk = new RangeWalk(_core, _cache, space, range, MemoryMarshal.Cast<HmmPfn, ulong>(hmmPfns));\n        HmmStatus status;\n        do\n        {\n            status = ", "equivalence-core"),
        new("gap-asked-is-error", "an asked page in a gap is EFAULT", Walk,
            "if (AskOfAll(_at, to).Fault)", "if (AskOfAll(_at, to).Fault && _end < _start)", "equivalence-core"),
        new("unreadable-vma-answered", "a VMA that may not be read gives errors, whatever it holds", Walk,
            "vma.IsUnfaultable || !vma.CanRead ?", "vma.IsUnfaultable ?", "range-fault-exhaustive"),
        new("pfnmap-answered", "VM_IO and VM_PFNMAP are never faulted", Walk,
            "vma.IsUnfaultable || !vma.CanRead ?", "!vma.CanRead ?", "equivalence"),
        new("hole-decided-by-first-page", "the needs of all pages of a hole are put together", Walk,
            "        PageAsk ask = AskOfAll(_at, end);\n        if (ask.Fault)", "        PageAsk ask = AskAt(_at);\n        if (ask.Fault)", "range-fault-exhaustive"),
        new("hole-ends-at-block", "a hole reaches across 2 MiB borders where the level above is empty", Walk,
            "ulong end = columns.HoleEnd(_at, limit);", "ulong end = Math.Min(limit, ((_at / BlockPages) + 1) * BlockPages);", "equivalence-core"),
        new("huge-decided-by-first-page", "the needs of all pages under a 2 MiB entry are put together", Walk,
            "        PageAsk ask = AskOfAll(_at, end);\n        byte code = _table.Of(ask)[block.Class];", "        PageAsk ask = AskAt(_at);\n        byte code = _table.Of(ask)[block.Class];", "equivalence-huge"),
        new("huge-order-missing", "pages of a 2 MiB entry carry order 9", Walk,
            "_layout.Encode(PageOrder.Huge) | ", "", "equivalence-huge"),
        new("huge-offset-forgotten", "page i of a 2 MiB entry has its pfn plus i", Walk,
            "(block.Frame + (_at % BlockPages))", "block.Frame", "equivalence-huge"),
        new("fault-stops-after-its-page", "a fault runs forward over the rest of its piece", Walk,
            "ulong pieceEnd = _onlyAsked ? _at + 1 :", "ulong pieceEnd = _end > _start ? _at + 1 :", "range-fault-exhaustive"),
        new("fault-runs-past-its-block", "a fault's piece ends at the 2 MiB border", Walk,
            "Math.Min(Math.Min(_end, vma.End), ((_at / BlockPages) + 1) * BlockPages);", "Math.Min(_end, vma.End);", "equivalence-core"),
        new("write-to-read-only-vma", "a write fault on a VMA without write permission is EPERM", Walk,
            "if (write && !vma.CanWrite)", "if (write && !vma.CanWrite && _end < _start)", "range-fault-exhaustive"),
        new("write-without-fault-counts", "REQ_WRITE means nothing without REQ_FAULT", Walk,
            "write |= word & (word << 1);", "write |= word << 1;", "range-fault-exhaustive"),
        new("mask-ignored", "only request flags inside pfn_flags_mask count", Walk,
            "new PageRequest(_layout.Encode(mask),", "new PageRequest(_layout.Encode(HmmRequestFlags.All),", "range-fault-exhaustive"),
        new("only-asked-faults-everything", "the other habit faults only pages that ask", Walk,
            "if (!_onlyAsked)", "if (!_onlyAsked || _end > _start)", "range-fault-exhaustive"),
        new("read-only-page-answers-write", "a present read-only page asked for write is faulted", Rules,
            "ask.Fault && ask.Write && !pageClass.IsWritable ? WriteFault : Readable(pageClass)", "Readable(pageClass)", "range-fault-exhaustive"),
        new("absent-page-is-error", "a page that is not there and not asked for is 0, no error", Rules,
            "default:\n                return !ask.Fault ? Resolution.Nothing", "default:\n                return !ask.Fault ? Resolution.Error", "range-fault-exhaustive"),
        new("own-private-page-faulted-for-write", "an owner's read-only private page is handed out even when write is asked", Rules,
            "case PageEntryKind.DevicePrivate when outcome != ForeignPageOutcome.Fall:",
            "case PageEntryKind.DevicePrivate when outcome != ForeignPageOutcome.Fall && !(ask.Fault && ask.Write && !pageClass.IsWritable):", "range-fault-exhaustive"),
        new("foreign-private-page-handed-out", "a foreign private page is not there", Tables,
            ": ForeignPageOutcome.Fall;", ": ForeignPageOutcome.Private;", "range-fault-exhaustive"),
        new("null-owner-matches", "a NULL owner matches nothing that has an owner", Tables,
            "key.Owner != OwnerId.Null && key.Owner == pagemap.Owner", "key.Owner == OwnerId.Null || key.Owner == pagemap.Owner", "range-fault-exhaustive"),
    ];
}
