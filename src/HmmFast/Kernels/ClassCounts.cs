namespace HmmFast.Kernels;

/// <summary>What a classify found, in pages.</summary>
/// <param name="Pages">Pages looked at.</param>
/// <param name="Valid">Pages whose code has <see cref="Resolution.Valid"/>.</param>
/// <param name="Error">Pages whose code has <see cref="Resolution.Error"/>.</param>
/// <param name="Work1">Pages with work value 1.</param>
/// <param name="Work2">Pages with work value 2.</param>
/// <param name="Work3">Pages with work value 3.</param>
public readonly record struct ClassCounts(long Pages, long Valid, long Error, long Work1, long Work2, long Work3)
{
    /// <summary>Pages that need any work.</summary>
    public long Work => Work1 + Work2 + Work3;
}
