using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// Where a stage is emptied to. Words are written 64 at a time from the first 64-byte border of their array on; what is no whole group waits in the stage. First pages
/// are compressed into the caller's array directly, but where results will not stay in cache: then they are written past it, as whole lines
/// from the first border of their own array on. So what has been written of one may be ahead of the other.
/// </summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal unsafe struct RunOutput<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    private const int StartsALine = 16;

    private const int StreamingRuns = 256;

    private readonly uint* _starts;
    private readonly ulong* _words;
    private readonly int _capacity;
    private readonly int _kindShift;

    // The stage's first run is the output's run of this number; of the stage's runs so many words and starts are written.
    private int _written;
    private int _wordsAhead;
    private int _startsAhead;
    private bool _isStreaming;

    public RunOutput(uint* starts, ulong* words, int capacity, int kindShift, int written)
    {
        _starts = starts;
        _words = words;
        _capacity = capacity;
        _kindShift = kindShift;
        _written = written;
    }

    /// <summary>Runs that fit, those in the stage included.</summary>
    public readonly int Room => _capacity - _written;

    /// <summary>
    /// Runs after which the stage should be emptied: what is stored past the cache leaves little by little, while the columns are read; elsewhere turning from finding
    /// runs to making words costs more.
    /// </summary>
    public readonly int StageRuns => _isStreaming ? StreamingRuns : RunStage.Runs;

    /// <summary>Gives an empty stage the place of the first starts, if all that it may store is in bounds.</summary>
    public readonly void Lend(ref RunStage stage)
    {
        if (Room >= RunStage.Capacity)
        {
            stage.Indices = _starts + _written;
        }
    }

    /// <summary>Takes most of what a full stage holds, all of which fits. Page of pages: how far the columns have been seen, to tell how many runs there will be.</summary>
    public void Empty(ref RunStage stage, int page, int pages)
    {
        bool isLent = stage.Indices != stage.OwnIndices;
        if (_isStreaming)
        {
            _wordsAhead = Words<StreamingStore>(stage);
            _startsAhead = StartLines(stage);
        }
        else
        {
            _wordsAhead = Words<CachedStore>(stage);
            Starts(stage, stage.Count);
            _startsAhead = stage.Count;
        }

        int done = Math.Min(_wordsAhead, _startsAhead);
        stage.RemoveFirst(done);
        _written += done;
        _wordsAhead -= done;
        _startsAhead -= done;
        _isStreaming |= TLanes.WidthBits >= 128 && Streaming.RunsPay(_starts, _words, _written, page, pages);
        if (isLent && (_isStreaming || Room < RunStage.Capacity))
        {
            Unsafe.CopyBlockUnaligned(stage.OwnIndices, stage.Indices, (uint)stage.Count * sizeof(uint));
            stage.Indices = stage.OwnIndices;
        }
    }

    /// <summary>Takes the rest, all of which fits; returns all runs written.</summary>
    public readonly int Finish(in RunStage stage)
    {
        Rest(stage, stage.Count);
        return _written + stage.Count;
    }

    /// <summary>Takes as many runs as there is room for; returns the page that begins the first one that does not fit.</summary>
    public readonly int Fill(in RunStage stage)
    {
        Rest(stage, Room);
        return (int)stage.Indices[Room];
    }

    /// <summary>Writes whole groups; returns the words written of the stage.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int Words<TStore>(in RunStage stage)
        where TStore : struct, IStore
    {
        // Up to the border one by one: once a call.
        int border = _wordsAhead + Streaming.WordsToBorder(_words + _written + _wordsAhead);
        int i = _wordsAhead;
        for (; i < border; i++)
        {
            _words[_written + i] = Scalar.Word(stage.Codes[i], stage.Pfns[i], 0, 0, _kindShift);
        }

        for (; i + 64 <= stage.Count; i += 64)
        {
            Expand<TStore>(stage.Codes + i, stage.Pfns + i, _words + _written + i);
        }

        return i;
    }

    /// <summary>Writes whole lines past the cache; returns the starts written of the stage.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int StartLines(in RunStage stage)
    {
        int i = _startsAhead;
        for (; ((nuint)(_starts + _written + i) & 63) != 0; i++)
        {
            _starts[_written + i] = stage.Indices[i];
        }

        for (; i + StartsALine <= stage.Count; i += StartsALine)
        {
            Streaming.CopyLine((ulong*)(stage.Indices + i), (ulong*)(_starts + _written + i), TLanes.WidthBits);
        }

        return i;
    }

    /// <summary>Writes the starts up to a count that are not in place.</summary>
    private readonly void Starts(in RunStage stage, int count)
    {
        if (count > _startsAhead && stage.Indices == stage.OwnIndices)
        {
            Unsafe.CopyBlockUnaligned(_starts + _written + _startsAhead, stage.Indices + _startsAhead, (uint)(count - _startsAhead) * sizeof(uint));
        }
    }

    /// <summary>Writes what is not yet written of the stage's first runs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private readonly void Rest(in RunStage stage, int count)
    {
        ulong* scratch = stackalloc ulong[64];
        for (int i = _wordsAhead; i < count; i += 64)
        {
            if (_capacity - _written - i >= 64)
            {
                // What is written behind the last run is room that the caller said is there.
                Expand<CachedStore>(stage.Codes + i, stage.Pfns + i, _words + _written + i);
            }
            else
            {
                Expand<CachedStore>(stage.Codes + i, stage.Pfns + i, scratch);
                Unsafe.CopyBlockUnaligned(_words + _written + i, scratch, (uint)Math.Min(64, count - i) * sizeof(ulong));
            }
        }

        Starts(stage, count);
        if (_isStreaming)
        {
            Streaming.Fence();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Expand<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore
    {
        if (_kindShift == 0)
        {
            TLanes.Expand64<TStore>(codes, pfns, words);
        }
        else
        {
            TLanes.ExpandFormat64(codes, pfns, words, 0, _kindShift);
        }
    }
}
