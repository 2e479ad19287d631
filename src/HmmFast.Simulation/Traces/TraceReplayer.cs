namespace HmmFast.Simulation.Traces;

/// <summary>Replays recorded sequences on a memory system and finds where its answers leave the recording.</summary>
public sealed class TraceReplayer
{
    private readonly Func<MemorySystemOptions, IMemorySystem> _create;
    private readonly ConformanceLevel _level;
    private readonly bool _explain;

    /// <summary>Makes a replayer. It holds no state between sequences; one may be used from several threads.</summary>
    /// <param name="create">Makes the memory system under test, one a sequence.</param>
    /// <param name="level">How much is compared.</param>
    /// <param name="explain">True writes out the state before a differing step.</param>
    public TraceReplayer(Func<MemorySystemOptions, IMemorySystem> create, ConformanceLevel level, bool explain = false)
    {
        ArgumentNullException.ThrowIfNull(create);
        _create = create;
        _level = level;
        _explain = explain;
    }

    /// <summary>Replays a sequence up to its first difference.</summary>
    /// <param name="file">Named in the difference.</param>
    /// <param name="sequence">The sequence.</param>
    /// <returns>Null when every step is equal. An exception of the model is a difference, too.</returns>
    public TraceDifference? Replay(string file, TraceSequence sequence)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        TraceStep? before = null;
        TraceStep step = sequence.Steps[0];
        TraceDifference? difference = null;
        try
        {
            using TraceWorld world = new(_create, sequence);
            TraceObserver observer = new(world);
            TraceComparer comparer = new(world, observer, _level);
            foreach (TraceStep next in sequence.Steps)
            {
                step = next;
                TraceAnswer answer = world.Execute(step);
                if (comparer.Compare(step, answer) is { } finding)
                {
                    difference = Make(file, sequence.Header, before, step, finding);
                    return _explain
                        ? difference with { Explanation = TraceExplainer.Explain(sequence.Header, before, step, answer, observer, comparer) }
                        : difference;
                }

                before = step;
            }

            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // A difference found before the model fell over says more than how it fell.
            return difference ?? Make(
                file,
                sequence.Header,
                before,
                step,
                new TraceComparer.Finding(null, "exception", "none", $"{error.GetType().Name}: {error.Message}")) with
            {
                Explanation = _explain ? error.ToString() : null,
            };
        }
    }

    private static TraceDifference Make(string file, TraceHeader header, TraceStep? before, TraceStep step, TraceComparer.Finding finding)
    {
        int device = TraceOperations.IsDeviceOperation(step.Operation) ? step.Device : -1;
        return new TraceDifference(
            file,
            header.Seed,
            step.Step,
            step.LineNumber,
            TraceOperations.NameOf(step.Operation),
            finding.Page,
            finding.Field,
            finding.Expected,
            finding.Got,
            PageStateNames.Of(before, finding.Page ?? step.Page, device));
    }
}
