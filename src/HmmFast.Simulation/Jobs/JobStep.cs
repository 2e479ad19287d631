namespace HmmFast.Simulation.Jobs;

/// <summary>One call of the main job on one memory system and what came back. Reused from step to step: the arrays are valid until the next one.</summary>
internal sealed class JobStep
{
    /// <summary>What was done, for messages.</summary>
    public string Name { get; set; } = "";

    /// <summary>The pages.</summary>
    public VpnRange Range { get; set; }

    /// <summary>What the call returned.</summary>
    public HmmStatus Status { get; set; }

    /// <summary>Result words; empty for migrations.</summary>
    public ReadOnlyMemory<HmmPfn> Words { get; set; }

    /// <summary>The migration after its last call; null for range faults.</summary>
    public MigrateVma? Migration { get; set; }

    /// <summary>Says where two systems' answers to one call differ; null when they do not.</summary>
    public static string? FirstDifference(JobStep left, JobStep right)
    {
        string step = $"{left.Name} {left.Range}";
        if (left.Range != right.Range || left.Name != right.Name)
        {
            return $"{step}: the other one is at {right.Name} {right.Range}";
        }

        if (left.Status != right.Status)
        {
            return $"{step}: status {left.Status} and {right.Status}";
        }

        int words = left.Words.Span.CommonPrefixLength(right.Words.Span);
        if (words < left.Words.Length)
        {
            return $"{step}: page {left.Range.Start + (ulong)words}: {left.Words.Span[words]} and {right.Words.Span[words]}";
        }

        return left.Migration is null || right.Migration is null ? null : FirstDifference(step, left.Migration, right.Migration);
    }

    private static string? FirstDifference(string step, MigrateVma left, MigrateVma right)
    {
        if (left.CollectedPageCount != right.CollectedPageCount)
        {
            return $"{step}: {left.CollectedPageCount} and {right.CollectedPageCount} pages collected";
        }

        int pages = (int)left.Range.PageCount;
        int source = left.Source.AsSpan(0, pages).CommonPrefixLength(right.Source.AsSpan(0, pages));
        if (source < pages)
        {
            return $"{step}: page {left.Range.Start + (ulong)source}: source {left.Source[source]} and {right.Source[source]}";
        }

        int target = left.Destination.AsSpan(0, pages).CommonPrefixLength(right.Destination.AsSpan(0, pages));
        return target < pages
            ? $"{step}: page {left.Range.Start + (ulong)target}: destination {left.Destination[target]} and {right.Destination[target]}"
            : null;
    }
}
