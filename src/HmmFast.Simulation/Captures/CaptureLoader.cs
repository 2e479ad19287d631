namespace HmmFast.Simulation.Captures;

/// <summary>Rebuilds a captured process in a memory system through the calls that any process makes: map, touch, advise, fork, protect.</summary>
/// <remarks>
/// The state that the capture shows is reached, not poked in: the result is one that the memory system could have got into by itself. Pages that
/// other processes had too are made before a fork and held by the child. Written pages get their page number as content where content is tracked.
/// Soft-dirty bits are kept in the file but not rebuilt: nothing that HMM answers depends on them.
/// Cost: one touch a populated run and page.
/// </remarks>
public sealed class CaptureLoader
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;
    private const ulong SpareFrameCount = 1 << 16;

    // How far a read of a file's page maps neighbours along, on either side.
    private const ulong MappedAlongPages = 16;

    private readonly IMemorySystem _memory;
    private readonly Capture _capture;
    private readonly IProgress<(ulong DonePages, ulong TotalPages)>? _progress;
    private readonly List<string> _approximations = [];
    private readonly int[] _firstRun;
    private readonly IAddressSpace _space;
    private ulong _donePages;

    private CaptureLoader(IMemorySystem memory, Capture capture, IProgress<(ulong DonePages, ulong TotalPages)>? progress)
    {
        _memory = memory;
        _capture = capture;
        _progress = progress;
        _firstRun = FirstRuns(capture);
        _space = memory.CreateAddressSpace();
    }

    /// <summary>Options of a memory system that the capture fits in, with frames left for every page of its 2 MiB blocks to be faulted in.</summary>
    /// <param name="capture">The capture.</param>
    /// <param name="trackContent">Whether frames carry content tags.</param>
    /// <exception cref="CaptureException">The capture has no memory at all.</exception>
    public static MemorySystemOptions OptionsFor(Capture capture, bool trackContent)
    {
        if (capture.Vmas.IsEmpty)
        {
            throw new CaptureException("capture", "has no VMAs; there is nothing to build.");
        }

        ulong start = capture.Vmas[0].Range.Start.Value / BlockPages * BlockPages;
        ulong end = (capture.Vmas[^1].Range.End.Value + BlockPages - 1) / BlockPages * BlockPages;
        ulong frames = SpareFrameCount + capture.Summary.PopulatedPages;
        ulong lastBlock = ulong.MaxValue;
        foreach (PageRun run in capture.Runs)
        {
            ulong first = run.Start.Value / BlockPages;
            ulong last = (run.End.Value - 1) / BlockPages;
            frames += (last - first + (first == lastBlock ? 0UL : 1UL)) * BlockPages;
            lastBlock = last;
        }

        foreach (CapturedVma vma in capture.Vmas)
        {
            frames += vma.Kind == MappingKind.DriverMixed ? vma.Range.PageCount : 0;
        }

        return new MemorySystemOptions
        {
            SystemFrameCount = frames,
            SwapSlotCount = capture.Summary.SwappedPages + BlockPages,
            Window = new VpnRange(new Vpn(start), end - start),
            TrackContent = trackContent,
        };
    }

    /// <summary>Rebuilds the process.</summary>
    /// <param name="memory">A memory system whose window and frames are large enough, as <see cref="OptionsFor"/> gives them.</param>
    /// <param name="capture">The capture.</param>
    /// <param name="progress">Told of populated pages done.</param>
    /// <exception cref="CaptureException">The memory system refused a step, for lack of frames or otherwise; the process is taken down again.</exception>
    public static LoadedCapture Load(IMemorySystem memory, Capture capture, IProgress<(ulong DonePages, ulong TotalPages)>? progress = null)
    {
        CaptureLoader loader = new(memory, capture, progress);
        IAddressSpace? relative = null;
        try
        {
            loader.MapAll();
            if (loader.Populate(isOwn: false))
            {
                relative = loader._space.Fork();
                loader.ReadSharedFiles(relative);
            }

            loader.Populate(isOwn: true);
            loader.Finish();
            return new LoadedCapture(loader._space, relative, loader._approximations);
        }
        catch
        {
            relative?.Dispose();
            loader._space.Dispose();
            throw;
        }
    }

    private static int[] FirstRuns(Capture capture)
    {
        int[] first = new int[capture.Vmas.Length + 1];
        int run = 0;
        for (int i = 0; i < capture.Vmas.Length; i++)
        {
            while (run < capture.Runs.Length && capture.Runs[run].Start < capture.Vmas[i].Range.Start)
            {
                run++;
            }

            first[i] = run;
        }

        first[^1] = capture.Runs.Length;
        return first;
    }

    private static bool IsDriver(MappingKind kind) => kind is MappingKind.DriverMixed or MappingKind.DriverPfn or MappingKind.DriverIo;

    private static bool Has(PageRun run, PageState flag) => (run.State & flag) != 0;

    /// <summary>True for pages that this process has to itself, or that only a file links to others: made after the fork.</summary>
    private static bool IsOwn(PageRun run) =>
        Has(run, PageState.Swapped | PageState.Exclusive | PageState.Zero | PageState.FileOrShared);

    private ReadOnlySpan<PageRun> RunsOf(int vma) => _capture.Runs[_firstRun[vma].._firstRun[vma + 1]];

    private void MapAll()
    {
        FileId[] files = new FileId[_capture.Files.Length];
        for (int i = 0; i < files.Length; i++)
        {
            CapturedFile file = _capture.Files[i];

            // Only what was touched of a file exists here, and touching makes it: a file may be far larger than what is mapped of it.
            files[i] = _memory.CreateFile(new FileOptions
            {
                Kind = file.Kind,
                PageCount = Math.Max(1, file.PageCount),
            });
        }

        int hugeTlb = 0;
        for (int i = 0; i < _capture.Vmas.Length; i++)
        {
            CapturedVma vma = _capture.Vmas[i];
            bool isTouched = !RunsOf(i).IsEmpty && !IsDriver(vma.Kind);
            FileId file = vma.FileIndex < 0 ? FileId.None : files[vma.FileIndex];
            Check(
                _space.Map(vma.Range, isTouched ? Protection.ReadWrite : vma.Protection, vma.Kind, file, vma.PageOffset),
                "map",
                vma.Range);
            hugeTlb += (vma.Traits & VmaTraits.HugeTlb) != 0 ? 1 : 0;
        }

        if (hugeTlb > 0)
        {
            _approximations.Add($"{hugeTlb} hugetlb mapping(s) stand as ordinary memory with transparent huge pages.");
        }
    }

    /// <summary>Touches what is there. Small pages before huge ones, because a touch of a block that may be huge takes the whole block.</summary>
    /// <returns>True when there was anything to do.</returns>
    private bool Populate(bool isOwn)
    {
        bool any = false;
        for (int i = 0; i < _capture.Vmas.Length; i++)
        {
            CapturedVma vma = _capture.Vmas[i];
            if (IsDriver(vma.Kind))
            {
                continue;
            }

            bool hasHuge = false;
            bool wasAdvised = false;
            foreach (PageRun run in RunsOf(i))
            {
                if (IsOwn(run) != isOwn)
                {
                    continue;
                }

                any = true;
                if (IsHugeHere(vma, run))
                {
                    hasHuge = true;
                    continue;
                }

                if (isOwn && !wasAdvised && vma.Kind == MappingKind.PrivateAnonymous)
                {
                    // The shared part may have left the VMA advised for huge pages.
                    Check(_space.Advise(vma.Range, Advice.NoHugePage), "advise", vma.Range);
                    wasAdvised = true;
                }

                Touch(vma, run);
            }

            if (hasHuge)
            {
                Check(_space.Advise(vma.Range, Advice.HugePage), "advise", vma.Range);
                foreach (PageRun run in RunsOf(i))
                {
                    if (IsOwn(run) == isOwn && IsHugeHere(vma, run))
                    {
                        Touch(vma, run);
                    }
                }
            }
        }

        return any;
    }

    // Huge entries of files are rebuilt page by page: the model's files have small pages only.
    private static bool IsHugeHere(CapturedVma vma, PageRun run) =>
        Has(run, PageState.Huge) && vma.Kind == MappingKind.PrivateAnonymous;

    private void Touch(CapturedVma vma, PageRun run)
    {
        bool isFilePage = Has(run, PageState.FileOrShared) && vma.Kind == MappingKind.PrivateFile;
        bool isSharedRead = vma.Kind is MappingKind.SharedFile or MappingKind.SharedAnonymous && (vma.Protection & Protection.Write) == 0;
        bool isDisk = vma.Kind == MappingKind.SharedFile && _capture.Files[vma.FileIndex].Kind == FileKind.Disk;
        CpuAccessResult result = Has(run, PageState.Zero) || isFilePage || isSharedRead || isDisk
            ? _space.CpuRead(run.Range, [], [])
            : _space.CpuWrite(run.Range, run.Start.Value, 1, []);
        if (result != CpuAccessResult.Ok)
        {
            throw new CaptureException(
                $"pages {run.Range}",
                $"touching them ended in {result}, with {_memory.FreeSystemFrameCount} of {_memory.Options.SystemFrameCount} frames free.");
        }

        if (Has(run, PageState.Swapped))
        {
            Check(_space.Advise(run.Range, Advice.PageOut), "page out", run.Range);
        }

        _donePages += run.PageCount;
        _progress?.Report((_donePages, _capture.Summary.PopulatedPages));
    }

    private void ReadSharedFiles(IAddressSpace relative)
    {
        for (int i = 0; i < _capture.Vmas.Length; i++)
        {
            CapturedVma vma = _capture.Vmas[i];
            if (IsDriver(vma.Kind))
            {
                continue;
            }

            foreach (PageRun run in RunsOf(i))
            {
                if (Has(run, PageState.FileOrShared) && !Has(run, PageState.Exclusive | PageState.Zero | PageState.Swapped))
                {
                    relative.CpuRead(run.Range, [], []);
                }
            }
        }
    }

    private void Finish()
    {
        for (int i = 0; i < _capture.Vmas.Length; i++)
        {
            CapturedVma vma = _capture.Vmas[i];
            bool mayBeHuge = (vma.Traits & (VmaTraits.HugePageAdvised | VmaTraits.HugeTlb)) != 0
                || (_capture.Facts.HugePagesAlways && (vma.Traits & VmaTraits.NoHugePageAdvised) == 0);
            if (vma.Kind == MappingKind.PrivateAnonymous)
            {
                // Without advice a VMA has no huge pages (the model's default); the explicit refusal keeps that after huge ones were made.
                Check(_space.Advise(vma.Range, mayBeHuge ? Advice.HugePage : Advice.NoHugePage), "advise", vma.Range);
            }

            if (vma.FileIndex >= 0)
            {
                GiveBackGaps(vma, RunsOf(i));
            }

            if (!RunsOf(i).IsEmpty && !IsDriver(vma.Kind) && vma.Protection != Protection.ReadWrite)
            {
                Check(_space.Protect(vma.Range, vma.Protection), "protect", vma.Range);
            }
        }
    }

    // Reading a file's page maps neighbours that are in the page cache; where the capture has none, they go again. They stay in the page cache.
    private void GiveBackGaps(CapturedVma vma, ReadOnlySpan<PageRun> runs)
    {
        ulong done = vma.Range.Start.Value;
        for (int i = 0; i <= runs.Length && !runs.IsEmpty; i++)
        {
            ulong from = done;
            ulong to = i < runs.Length ? runs[i].Start.Value : vma.Range.End.Value;
            done = i < runs.Length ? runs[i].End.Value : to;
            if (to - from <= 2 * MappedAlongPages)
            {
                GiveBack(from, to);
                continue;
            }

            GiveBack(from, i > 0 ? from + MappedAlongPages : from);
            GiveBack(i < runs.Length ? to - MappedAlongPages : to, to);
        }
    }

    private void GiveBack(ulong from, ulong to)
    {
        if (from < to)
        {
            VpnRange gap = VpnRange.FromBounds(new Vpn(from), new Vpn(to));
            Check(_space.Advise(gap, Advice.DontNeed), "give back", gap);
        }
    }

    private static void Check(HmmStatus status, string step, VpnRange range)
    {
        if (status != HmmStatus.Ok)
        {
            throw new CaptureException($"pages {range}", $"the memory system refused to {step} them: {status}.");
        }
    }
}
