using HmmFast.Simulation.Captures;

namespace HmmFast.Simulation.Jobs;

/// <summary>Which pages the main job places, faults and looks at: decided from the capture alone, so that every implementation does the same.</summary>
internal sealed class JobPlan
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;
    private const ulong LookPages = 128 * BlockPages;

    private JobPlan(List<VpnRange> placed, ulong anonymousPages, List<Extent> looks, List<Extent> faults)
    {
        Placed = placed;
        AnonymousPages = anonymousPages;
        Looks = looks;
        Faults = faults;
        foreach (Extent extent in looks)
        {
            MappedPages += extent.Range.PageCount;
        }
    }

    /// <summary>Runs that go to gpu0.</summary>
    public List<VpnRange> Placed { get; }

    /// <summary>Anonymous pages that the share was taken of.</summary>
    public ulong AnonymousPages { get; }

    /// <summary>Everything mapped, in calls of up to 256 MiB, asking for nothing.</summary>
    public List<Extent> Looks { get; }

    /// <summary>Everything mapped: 2 MiB blocks that hold something are faulted, the rest is looked at.</summary>
    public List<Extent> Faults { get; }

    /// <summary>Pages that VMAs cover.</summary>
    public ulong MappedPages { get; }

    /// <summary>Largest call, in pages.</summary>
    public ulong MaxCallPages => Math.Max(LookPages, _maxFaultPages);

    private ulong _maxFaultPages;

    /// <summary>Pages of one call and what it asks.</summary>
    /// <param name="VmaIndex">The captured VMA.</param>
    /// <param name="Range">The pages, inside it.</param>
    /// <param name="Request">What is asked of each.</param>
    public readonly record struct Extent(int VmaIndex, VpnRange Range, HmmRequestFlags Request);

    /// <summary>Plans the job.</summary>
    public static JobPlan Make(Capture capture, MainJobOptions options)
    {
        List<VpnRange> placed = [];
        List<Extent> looks = [];
        List<Extent> faults = [];
        ulong anonymous = 0;
        ulong taken = 0;
        int firstRun = 0;
        for (int i = 0; i < capture.Vmas.Length; i++)
        {
            CapturedVma vma = capture.Vmas[i];
            int endRun = firstRun;
            while (endRun < capture.Runs.Length && capture.Runs[endRun].Start < vma.Range.End)
            {
                endRun++;
            }

            ReadOnlySpan<PageRun> runs = capture.Runs[firstRun..endRun];
            if (vma.Kind == MappingKind.PrivateAnonymous && (vma.Protection & Protection.Read) != 0)
            {
                Place(vma, runs, options, placed, ref anonymous, ref taken);
            }

            Cut(looks, i, vma.Range, HmmRequestFlags.None, LookPages);
            CutFaults(faults, i, vma, runs, options);
            firstRun = endRun;
        }

        return new JobPlan(placed, anonymous, looks, faults) { _maxFaultPages = options.ChunkPages };
    }

    // Spreads the share evenly: a run goes to the device when that brings the pages taken so far closer to the share of the pages seen so far.
    private static void Place(CapturedVma vma, ReadOnlySpan<PageRun> runs, MainJobOptions options, List<VpnRange> placed, ref ulong seen, ref ulong taken)
    {
        ulong size = options.RunPages;
        ulong window = ulong.MaxValue;
        ulong pages = 0;
        foreach (PageRun run in runs)
        {
            const PageState notAnonymous = PageState.Zero | PageState.FileOrShared | PageState.Swapped;
            if ((run.State & notAnonymous) != 0)
            {
                continue;
            }

            for (ulong at = run.Start.Value; at < run.End.Value;)
            {
                if (at / size != window)
                {
                    Decide(ref seen, ref taken);
                    window = at / size;
                    pages = 0;
                }

                ulong end = Math.Min(run.End.Value, (window + 1) * size);
                pages += end - at;
                at = end;
            }
        }

        Decide(ref seen, ref taken);

        void Decide(ref ulong seen, ref ulong taken)
        {
            if (pages == 0)
            {
                return;
            }

            seen += pages;
            if (taken + (pages / 2.0) <= seen * options.Share && options.Share > 0)
            {
                taken += pages;
                placed.Add(new VpnRange(new Vpn(window * size), size).Intersect(vma.Range));
            }
        }
    }

    private static void CutFaults(List<Extent> extents, int index, CapturedVma vma, ReadOnlySpan<PageRun> runs, MainJobOptions options)
    {
        bool isDriver = vma.Kind is MappingKind.DriverIo or MappingKind.DriverPfn;
        if (isDriver || (vma.Protection & Protection.Read) == 0)
        {
            Cut(extents, index, vma.Range, HmmRequestFlags.None, LookPages);
            return;
        }

        HmmRequestFlags request = HmmRequestFlags.Fault;
        request |= options.Write && (vma.Protection & Protection.Write) != 0 ? HmmRequestFlags.Write : 0;
        ulong done = vma.Range.Start.Value;
        int run = 0;
        while (run < runs.Length)
        {
            // A stretch of blocks that hold something, as long as the next run begins in it or right behind it.
            ulong from = Math.Max(done, runs[run].Start.Value / BlockPages * BlockPages);
            ulong to = from;
            while (run < runs.Length && runs[run].Start.Value / BlockPages * BlockPages <= to)
            {
                to = (runs[run].End.Value + BlockPages - 1) / BlockPages * BlockPages;
                run++;
            }

            to = Math.Min(to, vma.Range.End.Value);
            Cut(extents, index, new VpnRange(new Vpn(done), from - done), HmmRequestFlags.None, LookPages);
            Cut(extents, index, new VpnRange(new Vpn(from), to - from), request, options.ChunkPages);
            done = to;
        }

        Cut(extents, index, new VpnRange(new Vpn(done), vma.Range.End.Value - done), HmmRequestFlags.None, LookPages);
    }

    // Calls begin and end at multiples of their size, as a driver that hands out fixed chunks of address space has it.
    private static void Cut(List<Extent> extents, int index, VpnRange range, HmmRequestFlags request, ulong pages)
    {
        for (ulong at = range.Start.Value; at < range.End.Value;)
        {
            ulong end = Math.Min(range.End.Value, (at / pages * pages) + pages);
            extents.Add(new Extent(index, new VpnRange(new Vpn(at), end - at), request));
            at = end;
        }
    }
}
