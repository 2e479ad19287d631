namespace HmmFast.Simulation.Traces;

/// <summary>One recorded step: the operation, its arguments, what the kernel answered, and what was observed afterwards.</summary>
/// <remarks>Page numbers count from the region's start. Lists that an operation does not have are empty.</remarks>
public sealed record TraceStep
{
    /// <summary>Number in its sequence, from 0.</summary>
    public required int Step { get; init; }

    /// <summary>Line in its file.</summary>
    public required int LineNumber { get; init; }

    /// <summary>What is done.</summary>
    public required TraceOperation Operation { get; init; }

    /// <summary>First page.</summary>
    public int Page { get; init; }

    /// <summary>Pages.</summary>
    public int Count { get; init; }

    /// <summary>mmap, mprotect: the protection.</summary>
    public Protection Protection { get; init; }

    /// <summary>mmap: what is mapped.</summary>
    public MappingKind MappingKind { get; init; }

    /// <summary>mmap: the file is the disk file, not the memfd.</summary>
    public bool IsDiskFile { get; init; }

    /// <summary>mmap: first page of the file.</summary>
    public ulong PageOffset { get; init; }

    /// <summary>madvise: the advice.</summary>
    public Advice Advice { get; init; }

    /// <summary>mremap: the new first page.</summary>
    public int To { get; init; }

    /// <summary>Writes: the content of the first page; page i of the step gets this plus i.</summary>
    public ulong Tag { get; init; }

    /// <summary>Device operations: 0 or 1.</summary>
    public int Device { get; init; }

    /// <summary>Device operations: what is broken on purpose.</summary>
    public TraceBadArgument Bad { get; init; }

    /// <summary>range_fault: asked of every page.</summary>
    public HmmRequestFlags DefaultFlags { get; init; }

    /// <summary>range_fault: which flags of the words count.</summary>
    public HmmRequestFlags Mask { get; init; }

    /// <summary>range_fault: own, other or null.</summary>
    public string RequestOwner { get; init; } = "";

    /// <summary>range_fault: repetitions after Busy.</summary>
    public int MaxRetry { get; init; }

    /// <summary>range_fault: repeat with the array as the failed call left it.</summary>
    public bool KeepArray { get; init; }

    /// <summary>range_fault: the words going in.</summary>
    public IReadOnlyList<TraceRequestRun> Requests { get; init; } = [];

    /// <summary>range_fault: the words coming out.</summary>
    public IReadOnlyList<TraceResultRun> Results { get; init; } = [];

    /// <summary>range_fault: calls that answered EBUSY.</summary>
    public int BusyCount { get; init; }

    /// <summary>0 or -1.</summary>
    public required int ReturnValue { get; init; }

    /// <summary>The errno's name; "0" for none.</summary>
    public required string ErrorName { get; init; }

    /// <summary>cpages, or err_cpages when the call failed; null where the call never reached the counters.</summary>
    public ulong? CopiedPageCount { get; init; }

    /// <summary>faults, or err_faults when the call failed.</summary>
    public ulong? FaultCount { get; init; }

    /// <summary>What was read, or how each write ended.</summary>
    public IReadOnlyList<TraceDataRun> Data { get; init; } = [];

    /// <summary>The snapshot's bytes.</summary>
    public IReadOnlyList<TraceByteRun> Snapshot { get; init; } = [];

    /// <summary>The region's pages after the step.</summary>
    public required IReadOnlyList<TracePageRun> Pages { get; init; }

    /// <summary>The region's VMAs after the step.</summary>
    public required IReadOnlyList<TraceVma> Vmas { get; init; }

    /// <summary>The child's pages after the step; null without a child.</summary>
    public IReadOnlyList<TraceChildRun>? Child { get; init; }

    /// <inheritdoc/>
    public override string ToString()
    {
        string text = TraceOperations.NameOf(Operation);
        if (TraceOperations.HasPages(Operation))
        {
            text += $" {Page}+{Count}";
        }

        return Operation switch
        {
            TraceOperation.Map => $"{text} {Protection} {MappingKind}{(IsDiskFile ? " (disk)" : "")} pgoff {PageOffset}",
            TraceOperation.Protect => $"{text} {Protection}",
            TraceOperation.Advise => $"{text} {Advice}",
            TraceOperation.Remap => $"{text} to {To}",
            TraceOperation.CpuWrite or TraceOperation.ChildWrite => $"{text} tag {Tag}",
            TraceOperation.RangeFault =>
                $"{text} dev {Device} def {DefaultFlags} mask {Mask} owner {RequestOwner} maxretry {MaxRetry} keep {(KeepArray ? 1 : 0)} in "
                + string.Join(' ', Requests.Select(static run => $"{run.Page}+{run.Count}:{run.Request}")),
            _ when TraceOperations.IsDeviceOperation(Operation) => $"{text} dev {Device}{(Bad == TraceBadArgument.None ? "" : $" bad {Bad}")}",
            _ => text,
        };
    }
}
