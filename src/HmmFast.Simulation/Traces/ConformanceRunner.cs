using HmmFast.Simulation.P2pTraces;

namespace HmmFast.Simulation.Traces;

/// <summary>Replays whole recordings, sequences in parallel; the report is the same however many threads there are.</summary>
public static class ConformanceRunner
{
    /// <summary>Replays a file on some implementations. Recordings of peer-to-peer reachability are recognised by their first line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="engines">The implementations, by <see cref="ConformanceEngine"/>.</param>
    /// <param name="level">How much is compared (reachability recordings have one level only).</param>
    /// <param name="seed">Only the sequence of this seed; null for all.</param>
    /// <param name="explain">True writes out the state before each differing step.</param>
    /// <returns>One report an implementation, in their order.</returns>
    /// <exception cref="TraceFormatException">The file is not a whole recording, or has no sequence of that seed.</exception>
    /// <exception cref="P2pTraceFormatException">The same for recordings of reachability.</exception>
    public static IReadOnlyList<ConformanceReport> Run(
        string path,
        IReadOnlyList<ConformanceEngine> engines,
        ConformanceLevel level,
        int? seed = null,
        bool explain = false)
    {
        ArgumentNullException.ThrowIfNull(engines);
        byte[] text = TraceReader.ReadText(path);
        int firstLineEnd = text.AsSpan().IndexOf((byte)'\n');
        string firstLine = System.Text.Encoding.UTF8.GetString(text, 0, firstLineEnd < 0 ? text.Length : firstLineEnd);

        // A case may stand indented over many lines; only a file that does not begin with a header is looked through.
        if (!firstLine.Contains("\"hdr\"", StringComparison.Ordinal) && P2pTraceReader.LooksLikeCase(System.Text.Encoding.UTF8.GetString(text)))
        {
            return seed is null
                ? [.. engines.Select(engine => RunReachability(path, text, engine, level))]
                : throw new TraceFormatException(path, 1, "a recording of reachability has no seeds to choose from");
        }

        TraceFile file = TraceReader.Parse(path, text);
        return [.. engines.Select(engine => Run(file, engine, level, seed, explain))];
    }

    /// <summary>Replays a recording on one implementation.</summary>
    /// <param name="file">The recording.</param>
    /// <param name="engine">The implementation.</param>
    /// <param name="level">How much is compared.</param>
    /// <param name="seed">Only the sequence of this seed; null for all.</param>
    /// <param name="explain">True writes out the state before each differing step.</param>
    /// <exception cref="TraceFormatException">The file has no sequence of that seed.</exception>
    public static ConformanceReport Run(TraceFile file, ConformanceEngine engine, ConformanceLevel level, int? seed = null, bool explain = false)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(engine);
        TraceSequence[] sequences = [.. file.Sequences.Where(sequence => seed is null || sequence.Header.Seed == seed)];
        if (sequences.Length == 0)
        {
            throw new TraceFormatException(file.Path, 0, $"no sequence has seed {seed}");
        }

        TraceReplayer replayer = new(engine.Create, level, explain);
        TraceDifference?[] found = new TraceDifference?[sequences.Length];
        Parallel.For(0, sequences.Length, index => found[index] = replayer.Replay(file.Path, sequences[index]));
        TraceDifference[] differences = [.. found.OfType<TraceDifference>()];
        return new ConformanceReport(file.Path, engine.Name, level, sequences.Length - differences.Length, differences.Length, differences);
    }

    private static ConformanceReport RunReachability(string path, byte[] text, ConformanceEngine engine, ConformanceLevel level)
    {
        P2pTraceReplayer replayer = new(engine.MakeDistanceRule);
        using MemoryStream stream = new(text, writable: false);
        int count = 0;
        foreach (P2pTraceCase read in P2pTraceReader.Read(stream, path))
        {
            replayer.Replay(read);
            count++;
        }

        if (count == 0)
        {
            throw new TraceFormatException(path, 1, "the file holds no case");
        }

        TraceDifference[] differences =
        [
            .. replayer.Failures.Select(failure =>
                new TraceDifference(path, 0, 0, failure.Line, "p2pdma_distance", null, failure.Name, "the recording", failure.FirstDifference!, "-")),
        ];
        return new ConformanceReport(path, engine.Name, level, replayer.PassedCount, replayer.FailedCount, differences);
    }
}
