namespace HmmFast.Simulation.Traces;

/// <summary>
/// Records what an implementation answers to a sequence, as the kernel's recorder does: replaying the result on another implementation compares the two by
/// everything a recording shows, on sequences no kernel has been asked yet.
/// </summary>
public sealed class TraceRecorder : IDisposable
{
    private readonly TraceWorld _world;
    private readonly TraceObserver _observer;
    private readonly List<TraceStep> _steps = [];
    private readonly TraceHeader _header;

    /// <summary>Sets the machine up.</summary>
    /// <param name="create">Makes the implementation that answers.</param>
    /// <param name="header">The sequence's header.</param>
    public TraceRecorder(Func<MemorySystemOptions, IMemorySystem> create, TraceHeader header)
    {
        _world = new TraceWorld(create, header, FileKind.Disk);
        _observer = new TraceObserver(_world);
        _header = header;
    }

    /// <summary>True while a forked child is alive.</summary>
    public bool HasChild => _world.Child is not null;

    /// <summary>What has been recorded so far.</summary>
    public TraceSequence Sequence => new(_header, [.. _steps]);

    /// <inheritdoc/>
    public void Dispose() => _world.Dispose();

    /// <summary>Does a step and records the answer.</summary>
    /// <param name="request">Operation and arguments; whatever it says of answers is replaced.</param>
    public TraceStep Record(TraceStep request)
    {
        ArgumentNullException.ThrowIfNull(request);
        TraceAnswer answer = _world.Execute(request);
        _observer.Look();
        bool failed = answer.Status != HmmStatus.Ok;
        bool hasCounts = TraceOperations.HasCounts(request.Operation)
            && request.Bad is not (TraceBadArgument.NoPages or TraceBadArgument.Unaligned or TraceBadArgument.Overflow);
        bool isRead = request.Operation is TraceOperation.DeviceRead or TraceOperation.MigrateToDevice or TraceOperation.Exclusive;
        TraceStep step = request with
        {
            Step = _steps.Count,
            ReturnValue = failed ? -1 : 0,
            ErrorName = answer.ErrorName,
            CopiedPageCount = hasCounts ? answer.CopiedPageCount : null,
            FaultCount = hasCounts ? answer.FaultCount : null,
            BusyCount = answer.BusyCount,
            Data = TraceOperations.IsCpuAccess(request.Operation) || (isRead && !failed) ? Data(request, answer) : [],
            Snapshot = request.Operation == TraceOperation.Snapshot && !failed
                ? [.. answer.Protections.Select((value, i) => new TraceByteRun(request.Page + i, 1, (byte)value))]
                : [],
            Results = [.. answer.Words.Select((word, i) => _observer.ResultOf(answer.Requests[i], word, request.Page + i))],
            Pages = Pages(),
            Vmas = [.. _observer.Vmas],
            Child = _observer.Child is { } child ? [.. child] : null,
        };
        _steps.Add(step);
        return step;
    }

    private static TraceDataRun[] Data(TraceStep request, TraceAnswer answer)
    {
        TraceDataRun[] data = new TraceDataRun[request.Count];
        for (int i = 0; i < data.Length; i++)
        {
            CpuAccessResult result = answer.Accesses.Length > 0 ? answer.Accesses[i] : CpuAccessResult.Ok;
            ulong tag = answer.Tags.Length > 0 && result == CpuAccessResult.Ok ? answer.Tags[i] : 0;
            data[i] = new TraceDataRun(request.Page + i, 1, result, tag, 0);
        }

        return data;
    }

    private List<TracePageRun> Pages()
    {
        List<TracePageRun> runs = [];
        for (int page = 0; page < _observer.Pages.Length; page++)
        {
            if (runs.Count > 0 && runs[^1].State == _observer.Pages[page])
            {
                runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
            }
            else
            {
                runs.Add(new TracePageRun(page, 1, _observer.Pages[page]));
            }
        }

        return runs;
    }
}
