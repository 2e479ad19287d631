using HmmFast.Kernels;

namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in the vector loops, each caught by the kernels' comparison with plain loops. Those of a width are planted where the machine has it.</summary>
public static class KernelFaults
{
    private const string Folder = "src/HmmFast/Kernels/";
    private const string Resolve = Folder + "ResolveLoops.cs";
    private const string Extents = Folder + "ExtentLoops.cs";
    private const string Runs = Folder + "RunLoops.cs";
    private const string Runs512 = Folder + "Runs512.cs";
    private const string Scan = Folder + "ScanLoops.cs";
    private const string PerPage = Folder + "PerPageLoops.cs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new("stop-one-page-late", "a resolve ends before the page that needs work", Resolve,
            "int done = Math.Min(count, BitOperations.TrailingZeroCount(work));", "int done = Math.Min(count, BitOperations.TrailingZeroCount(work) + 1);", "kernels"),
        new("work-not-looked-for", "a block with a page that needs work is not answered as a whole", Resolve,
            "            if (TLanes.Test64(codes, Resolution.WorkMask) != 0)\n            {\n                break;\n            }\n\n            TLanes.ExpandFormat64",
            "            TLanes.ExpandFormat64", "kernels"),
        new("streaming-head-skipped", "words in front of the first 64-byte border are answered too", Resolve,
            "done = head == 0 ? 0 : TLanes.ResolveSome(classes, pfns, words, head, table);", "done = head;", "kernels"),
        new("extents-without-room", "no more runs are written than there is room for", Extents,
            "if (extents == capacity)", "if (extents > capacity)", "kernels"),
        new("overlap-counted-twice", "what an overlapping block found again is taken out", Extents,
            "stage.Remove(before, known - before);", "_ = known;", "kernels"),
        new("number-jump-unseen", "a valid page whose number does not follow begins a run", Runs,
            "at += (code != before ? 1 : 0) | jumps;", "at += code != before ? 1 : 0;", "kernels"),
        new("hole-number-jump-begins-run", "the numbers of pages that are not valid mean nothing", Runs,
            "(follows | ~TLanes.Test64(scratch, Resolution.Valid))", "follows", "kernels"),
        new("work-among-candidates-unseen", "a candidate that needs work ends the blocks", Runs,
            "            all |= code;\n", "", "kernels"),
        new("counting-run-ends-at-block", "a counting run goes on behind the last full block", Scan,
            "        while (i + 1 < count && values[i] + 1 == values[i + 1])\n        {\n            i++;\n        }\n", "", "kernels"),
        new("bitmap-tail-missing", "the last pages' work is marked", Scan,
            "last |= code >= 0x80 ? 1UL << (int)(i - full) : 0;", "last |= 0;", "kernels"),
        new("per-page-read-for-write", "a page that asks for write is looked up as such", PerPage,
            "TLanes write = TLanes.Load(tables.Write.Pointer", "TLanes write = TLanes.Load(tables.Read.Pointer", "kernels"),
        .. For512(),
    ];

    private static IEnumerable<PlantedFault> For512()
    {
        if (KernelSet.All.Any(kernels => kernels.Name == "512"))
        {
            yield return new("number-jump-unseen-512", "a valid page whose number does not follow begins a run", Runs512,
                "return (code ^ shifted) | ((Blocks512.Steps(pfns) ^ Vector512<byte>.One) & valid);", "return code ^ shifted;", "kernels");
            yield return new("block-in-front-forgotten-512", "a block's first page is compared with the last one of the block in front", Runs512,
                "            before = code3;\n", "", "kernels");
            yield return new("upper-half-numbers-512", "runs in the upper half of a block take their own numbers", Runs512,
                "Vector512.ConditionalSelect(Vector512.Equals(positions & Vector512.Create(32u), Vector512<uint>.Zero), lower, upper).Store(numbers);", "lower.Store(numbers);", "kernels");
            yield return new("counting-network-drops-fours-512", "every carry of the counting network is added up", Folder + "Classify512.cs",
                "AddTimes(ref even, ref odd, BitSums(fours), 2);", "", "kernels");
        }
    }
}
