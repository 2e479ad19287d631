using System.Runtime.InteropServices;

namespace HmmFast.Conformance.Tests.LiveKernel;

/// <summary>
/// This machine's own kernel as a second oracle: the same random address-space sequences on it and on both models, compared page by page (present,
/// exclusive, zero, huge, which pages share a frame, what is mapped with which permissions, errno, content).
/// </summary>
/// <remarks>
/// Left out, because kernels differ there or the machine decides: PAGEOUT (swap is the machine's), soft-dirty (often not built in), mapcounts and
/// device memory (no interface), mremap over several VMAs (EFAULT before 6.17), writes to the huge zero page (split on 6.12, a huge page later), where
/// exactly VMAs are cut (they merge more often from 6.16 on), DONTNEED of a whole block with a page table (freed from 6.14 on), and COLLAPSE of what a child shares.
/// </remarks>
public sealed class LiveKernelTests
{
    // More sequences in a run, when somebody wants to look longer.
    private const string ScaleVariable = "HMMFAST_LIVE_SCALE";

    [SkippableFact]
    public void SmallPages_RandomSequences_AreAsOnTheRunningKernel()
    {
        SkipWhereTheKernelLacksSomething();
        Run(firstSeed: 1, sequenceCount: 60, stepCount: 60, isHuge: false);
    }

    [SkippableFact]
    public void HugePages_RandomSequences_AreAsOnTheRunningKernel()
    {
        SkipWhereTheKernelLacksSomething();
        string mode = File.Exists("/sys/kernel/mm/transparent_hugepage/enabled") ? File.ReadAllText("/sys/kernel/mm/transparent_hugepage/enabled").Trim() : "missing";
        Skip.IfNot(mode.Contains("[madvise]", StringComparison.Ordinal), $"transparent huge pages must be on where advised, as on the recorded kernel; here: {mode}");
        Run(firstSeed: 1001, sequenceCount: 20, stepCount: 40, isHuge: true);
    }

    private static void Run(int firstSeed, int sequenceCount, int stepCount, bool isHuge)
    {
        bool withFrames = LiveProcess.CanSeeFrames();
        int scale = int.TryParse(Environment.GetEnvironmentVariable(ScaleVariable), out int times) && times > 0 ? times : 1;
        List<string> differences = [];
        int compared = 0;
        for (int seed = firstSeed; seed < firstSeed + sequenceCount * scale; seed++)
        {
            // The kernel's own threads (khugepaged, compaction) may take a page in the middle of a sequence; what is a difference comes again.
            string? difference = null;
            for (int attempt = 0; attempt < 2; attempt++)
            {
                using LiveSequence sequence = new(seed, isHuge, withFrames);
                difference = sequence.Run(stepCount);
                if (difference is null)
                {
                    compared += sequence.ComparedStepCount;
                    break;
                }
            }

            if (difference is not null)
            {
                differences.Add(difference);
            }
        }

        // Sequences may end early where kernels part; most of the way must have been gone.
        Assert.InRange(compared, sequenceCount * scale * stepCount / 2, int.MaxValue);
        Assert.True(differences.Count == 0, $"{differences.Count} sequences differ:\n{string.Join("\n", differences.Take(5))}");
    }

    private static void SkipWhereTheKernelLacksSomething()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs Linux on x86-64");
        Skip.IfNot(LiveProcess.HasPagemapScan(), "this kernel has no PAGEMAP_SCAN (6.7 and later do)");
    }
}
