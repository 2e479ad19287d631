namespace HmmFast.Simulation.Captures;

/// <summary>A process's memory at one moment: its VMAs and, run-length, what stands at each page. Immutable and checked.</summary>
public sealed class Capture
{
    /// <summary>Most VMAs a capture may have.</summary>
    public const int MaxVmaCount = 1 << 20;

    /// <summary>Highest frame number a capture may hold: frame numbers have 55 bits in pagemap.</summary>
    public const ulong MaxFrame = (1UL << 55) - 1;

    private readonly CapturedVma[] _vmas;
    private readonly CapturedFile[] _files;
    private readonly PageRun[] _runs;
    private readonly FrameRun[] _frames;

    /// <summary>Takes the parts over and checks that they fit together.</summary>
    /// <param name="facts">About the capture.</param>
    /// <param name="vmas">VMAs in address order, not overlapping, none empty.</param>
    /// <param name="files">Files that VMAs map.</param>
    /// <param name="runs">Populated pages in address order; each run lies inside one VMA.</param>
    /// <param name="frames">Frames of the present pages, in the same order.</param>
    /// <exception cref="CaptureException">The parts contradict each other; the message names the part, the value and the bound.</exception>
    public Capture(CaptureFacts facts, CapturedVma[] vmas, CapturedFile[] files, PageRun[] runs, FrameRun[] frames)
    {
        Facts = facts;
        _vmas = vmas;
        _files = files;
        _runs = runs;
        _frames = frames;
        CheckVmas();
        Summary = CheckRuns();
        CheckFrames();
    }

    /// <summary>About the capture.</summary>
    public CaptureFacts Facts { get; }

    /// <summary>VMAs in address order.</summary>
    public ReadOnlySpan<CapturedVma> Vmas => _vmas;

    /// <summary>Files that VMAs map.</summary>
    public ReadOnlySpan<CapturedFile> Files => _files;

    /// <summary>Populated pages in address order; pages in no run are empty.</summary>
    public ReadOnlySpan<PageRun> Runs => _runs;

    /// <summary>Frames of the present pages, in order.</summary>
    public ReadOnlySpan<FrameRun> Frames => _frames;

    /// <summary>Totals.</summary>
    public CaptureSummary Summary { get; }

    /// <summary>True when two captures say the same.</summary>
    public bool IsEqualTo(Capture other) =>
        Facts == other.Facts
        && _vmas.AsSpan().SequenceEqual(other._vmas)
        && _files.AsSpan().SequenceEqual(other._files)
        && _runs.AsSpan().SequenceEqual(other._runs)
        && _frames.AsSpan().SequenceEqual(other._frames);

    private static CaptureException Broken(string part, int index, string problem) => new($"{part} {index}", problem);

    private void CheckVmas()
    {
        if (_vmas.Length > MaxVmaCount)
        {
            throw new CaptureException("VMAs", $"{_vmas.Length} of them; a capture may have {MaxVmaCount}.");
        }

        Vpn end = new(0);
        for (int i = 0; i < _vmas.Length; i++)
        {
            CapturedVma vma = _vmas[i];
            if (vma.Range.IsEmpty || vma.Range.Start < end)
            {
                throw Broken("VMA", i, $"{vma.Range} is empty or begins before {end}, where the one before it ends.");
            }

            if (!Enum.IsDefined(vma.Kind) || (vma.Protection & ~Protection.ReadWrite) != 0)
            {
                throw Broken("VMA", i, $"kind {(int)vma.Kind} or protection {(int)vma.Protection} is none that exists.");
            }

            bool wantsFile = vma.Kind is MappingKind.PrivateFile or MappingKind.SharedFile;
            if (wantsFile != (vma.FileIndex >= 0) || vma.FileIndex >= _files.Length)
            {
                throw Broken("VMA", i, $"file {vma.FileIndex} does not fit kind {vma.Kind} and {_files.Length} files.");
            }

            if (wantsFile)
            {
                ulong pageCount = _files[vma.FileIndex].PageCount;
                if (vma.PageOffset > pageCount || vma.Range.PageCount > pageCount - vma.PageOffset)
                {
                    throw Broken("VMA", i, $"maps {vma.Range.PageCount} pages from page {vma.PageOffset} of a file that is given {pageCount}.");
                }
            }

            end = vma.Range.End;
        }
    }

    private CaptureSummary CheckRuns()
    {
        CaptureSummary sum = new();
        int vmaIndex = 0;
        Vpn end = new(0);
        for (int i = 0; i < _runs.Length; i++)
        {
            PageRun run = _runs[i];
            if (run.PageCount == 0 || run.Start < end)
            {
                throw Broken("page run", i, $"{run.PageCount} pages at {run.Start} are empty or begin before {end}, where the one before it ends.");
            }

            while (vmaIndex < _vmas.Length && _vmas[vmaIndex].Range.End <= run.Start)
            {
                vmaIndex++;
            }

            if (vmaIndex == _vmas.Length || run.Start < _vmas[vmaIndex].Range.Start || run.PageCount > _vmas[vmaIndex].Range.End - run.Start)
            {
                throw Broken("page run", i, $"{run.PageCount} pages at {run.Start} do not lie in one VMA.");
            }

            CheckState(i, run);
            sum.Add(run, _vmas[vmaIndex].Kind);
            end = run.End;
        }

        foreach (CapturedVma vma in _vmas)
        {
            sum.MappedPages += vma.Range.PageCount;
        }

        return sum;
    }

    private static void CheckState(int index, PageRun run)
    {
        const PageState presentOnly = PageState.Huge | PageState.Zero;
        PageState where = run.State & (PageState.Present | PageState.Swapped);
        bool isOne = where is PageState.Present or PageState.Swapped;
        if (!isOne || (run.State & (PageState)0x80) != 0 || (where == PageState.Swapped && (run.State & presentOnly) != 0))
        {
            throw Broken("page run", index, $"state 0x{(byte)run.State:x2} is none that a page can have.");
        }
    }

    private void CheckFrames()
    {
        ulong covered = 0;
        for (int i = 0; i < _frames.Length; i++)
        {
            FrameRun run = _frames[i];
            if (run.PageCount == 0 || run.First.Value > MaxFrame || run.PageCount - 1 > MaxFrame - run.First.Value)
            {
                throw Broken("frame run", i, $"{run.PageCount} frames from {run.First} are none, or pass frame 0x{MaxFrame:x}.");
            }

            if (run.PageCount > Summary.PresentPages - covered)
            {
                throw Broken("frame run", i, $"frames for more than the {Summary.PresentPages} pages that are present.");
            }

            covered += run.PageCount;
        }

        if (covered != Summary.PresentPages)
        {
            throw new CaptureException("frame runs", $"frames for {covered} pages; {Summary.PresentPages} are present.");
        }
    }
}
