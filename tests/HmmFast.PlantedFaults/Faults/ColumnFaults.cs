namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in answers in runs, batches and counts, and in runs of pages and frames that only some machines take.</summary>
public static class ColumnFaults
{
    private const string Extents = "src/HmmFast/Faulting/RangeWalk.Extents.cs";
    private const string Classifier = "src/HmmFast/Faulting/RangeClassifier.cs";
    private const string Scattered = "src/HmmFast/Faulting/ScatteredWalk.cs";
    private const string FaultRuns = "src/HmmFast/AddressSpaces/AddressSpace.FaultRuns.cs";
    private const string ScatteredMigration = "src/HmmFast/AddressSpaces/AddressSpace.ScatteredMigration.cs";

    private const string FrameRange = "src/HmmFast/Physical/FrameRange.cs";

    private const string Migrator = "src/HmmFast/Migration/Migrator.cs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new("runs-of-nothing-count-up", "only a valid page's run counts up", Extents,
            "(last & _layout.ValidBit) != 0 ? vpn - _start - _starts[_extentCount - 1] : 0;", "vpn - _start - _starts[_extentCount - 1];", "columns"),
        new("runs-not-joined", "neighbours that could be one run are one, across kernel calls", Extents,
            "if (GoesOn(_at, firsts[0]))", "if (_end < _start && GoesOn(_at, firsts[0]))", "columns"),
        new("alias-runs-by-private-pfn", "runs are of the pfns handed out", Extents,
            "ReplaceByAliases(classes[..done], pfns, answers);", "ReplaceByAliases(classes[..0], pfns, answers);", "columns"),
        new("alias-runs-past-the-room", "runs that find no room end the call's answer where they would begin", Extents,
            "return new ExtentCount(runs, i);", "return new ExtentCount(runs, done);", "columns"),
        new("alias-runs-of-errors-split", "errors and pages that are not there are runs as well", Extents,
            "((answers[i - 1] & _layout.ValidBit) != 0 ? 1UL : 0);", "1;", "columns"),
        new("hole-counted-as-read", "an empty page asked for writing is a write fault", Classifier,
            "_fault ? _write ? Decision.WriteFault : Decision.ReadFault", "_fault ? Decision.ReadFault", "columns"),
        new("gap-not-counted", "pages without a VMA count as errors", Classifier,
            "_counts.Error += (long)(from - at);", "_counts.Error += 0;", "columns"),
        new("marks-cut-at-word-border", "marks of a piece that begins inside a word reach into the next", Classifier,
            "_work[word + i + 1] |= bits[i] >> (64 - shift);", "_work[word + i + 1] |= 0;", "columns"),
        new("batch-keeps-the-vma", "each page of a batch is looked up in its own VMA", Scattered,
            "if (_vma is null || !_vma.Contains(vpn))", "if (_vma is null)", "columns"),
        new("batch-ignores-the-words", "each page of a batch asks what its own word asks", Scattered,
            "ulong request = (word.Raw & _mask) | _defaults;", "ulong request = _defaults;", "columns"),
        new("batch-drops-sticky-flags", "sticky flags survive in a batch", Scattered,
            "(word.Raw & _sticky) | ((ulong)code << 56)", "((ulong)code << 56)", "columns"),
        new("brought-back-run-unchecked", "a run brought back keeps its entries' soft-dirty and write bits", FaultRuns,
            "        EntryBits bits = _classes[_class[from]].Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);\n        byte id = _classes.Present(bits);\n        if (_physical.TracksContent)",
            "        EntryBits bits = _classes[_class[from]].Bits & EntryBits.Exclusive;\n        byte id = _classes.Present(bits);\n        if (_physical.TracksContent)", "equivalence-device"),
        new("brought-back-scattered-kept", "frames that scattered pages leave are free again", FaultRuns,
            "_physical.GiveScattered(left[..count]);", "_physical.GiveScattered(left[..1]);", "equivalence-border"),
        new("scattered-frames-kept", "frames that a scattered migration leaves are free again", ScatteredMigration,
            "range.GiveCounted(lowest, (ulong)done);", "range.GiveCounted(lowest, 1);", "equivalence-border"),
        new("scattered-restore-over-the-border", "frames go back to the pagemap they are of", ScatteredMigration,
            "if (from - fromLow >= fromLength || to - toLow >= toLength || classes[done] != held || pfns[done] != to", "if (to - toLow >= toLength || classes[done] != held || pfns[done] != to", "equivalence-border"),
        new("destinations-over-the-border", "a run of destinations ends where its pagemap does", Migrator,
            "most = Math.Min(most, core.Physical.RoomFrom(migration.Destination[index].Pfn.Value));", "", "equivalence-border"),
        new("sources-over-the-border", "a run of sources ends where its pagemap does", Migrator,
            "most = isValid ? Math.Min(most, core.Physical.RoomFrom(migration.Source[index].Pfn.Value)) : most;", "", "equivalence-border"),
        new("mixed-classes-restored-alike", "entries end their hold with the rights that each had", ScatteredMigration,
            "toLow >= toLength || classes[done] != held || pfns[done] != to", "toLow >= toLength || pfns[done] != to", "equivalence-border"),
        new("run-over-taken-frames", "a run of free frames ends at the first that is taken", FrameRange,
            "_taken[block] == 0 ? -1 : new ReadOnlySpan<uint>(_states + end, room).IndexOfAnyExcept(0U);", "-1;", "equivalence-device"),
        new("block-with-a-frame-taken", "2 MiB pages are of blocks that are free as a whole", FrameRange,
            "counts.IndexOf((ushort)0)", "counts.IndexOfAnyExcept(Full)", "equivalence"),
    ];
}
