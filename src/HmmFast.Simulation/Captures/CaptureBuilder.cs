namespace HmmFast.Simulation.Captures;

/// <summary>Collects pages in address order into runs. One use: append, then <see cref="Build"/>.</summary>
public sealed class CaptureBuilder
{
    private const ulong FirstFileFrame = 1UL << 40;

    private readonly List<CapturedVma> _vmas = [];
    private readonly List<CapturedFile> _files = [];
    private readonly List<PageRun> _runs = [];
    private readonly List<FrameRun> _frames = [];
    private readonly List<ulong> _fileFirstFrames = [];
    private ulong _nextFileFrame = FirstFileFrame;
    private ulong _nextAnonymousFrame = 1;
    private ulong _runStart;
    private ulong _runPageCount;
    private PageState _runState;
    private ulong _frameFirst;
    private ulong _framePageCount;
    private CapturedVma _vma;

    /// <summary>Adds a file.</summary>
    /// <param name="file">The file; its page count must be final.</param>
    /// <returns>Its index.</returns>
    public int AddFile(CapturedFile file)
    {
        _files.Add(file);
        _fileFirstFrames.Add(_nextFileFrame);
        _nextFileFrame += file.PageCount;
        return _files.Count - 1;
    }

    /// <summary>Adds a VMA; the pages appended from now on are its own.</summary>
    public void BeginVma(CapturedVma vma)
    {
        FlushRun();
        _vmas.Add(vma);
        _vma = vma;
    }

    /// <summary>Appends neighbouring pages with made-up frames.</summary>
    /// <param name="start">First page, past everything appended before.</param>
    /// <param name="pageCount">Pages; at least 1.</param>
    /// <param name="state">What they all are.</param>
    public void AppendSynthetic(Vpn start, ulong pageCount, PageState state)
    {
        AppendState(start.Value, pageCount, state);
        if ((state & PageState.Present) == 0)
        {
            return;
        }

        if ((state & PageState.Zero) != 0)
        {
            for (ulong i = 0; i < pageCount; i++)
            {
                AppendFrames(0, 1);
            }
        }
        else if ((state & PageState.FileOrShared) != 0 && _vma.FileIndex >= 0)
        {
            AppendFrames(_fileFirstFrames[_vma.FileIndex] + _vma.PageOffset + (start - _vma.Range.Start), pageCount);
        }
        else
        {
            AppendFrames(_nextAnonymousFrame, pageCount);
            _nextAnonymousFrame += pageCount;
        }
    }

    /// <summary>Appends one page with its own frame.</summary>
    /// <param name="vpn">The page, past everything appended before.</param>
    /// <param name="state">What it is.</param>
    /// <param name="frame">Its frame, where it is present.</param>
    public void Append(Vpn vpn, PageState state, Pfn frame)
    {
        AppendState(vpn.Value, 1, state);
        if ((state & PageState.Present) != 0)
        {
            AppendFrames(frame.Value, 1);
        }
    }

    /// <summary>Makes the capture.</summary>
    /// <exception cref="CaptureException">What was appended does not fit together.</exception>
    public Capture Build(CaptureFacts facts)
    {
        FlushRun();
        FlushFrames();
        return new Capture(facts, [.. _vmas], [.. _files], [.. _runs], [.. _frames]);
    }

    private void AppendState(ulong start, ulong pageCount, PageState state)
    {
        if (_runPageCount != 0 && state == _runState && start == _runStart + _runPageCount)
        {
            _runPageCount += pageCount;
            return;
        }

        FlushRun();
        (_runStart, _runPageCount, _runState) = (start, pageCount, state);
    }

    private void AppendFrames(ulong first, ulong pageCount)
    {
        if (_framePageCount != 0 && first == _frameFirst + _framePageCount)
        {
            _framePageCount += pageCount;
            return;
        }

        FlushFrames();
        (_frameFirst, _framePageCount) = (first, pageCount);
    }

    private void FlushRun()
    {
        if (_runPageCount != 0)
        {
            _runs.Add(new PageRun(new Vpn(_runStart), _runPageCount, _runState));
            _runPageCount = 0;
        }
    }

    private void FlushFrames()
    {
        if (_framePageCount != 0)
        {
            _frames.Add(new FrameRun(new Pfn(_frameFirst), _framePageCount));
            _framePageCount = 0;
        }
    }
}
