namespace HmmFast.Simulation.Traces;

/// <summary>The first difference of a sequence.</summary>
/// <param name="File">The recording.</param>
/// <param name="Seed">The sequence.</param>
/// <param name="Step">The step.</param>
/// <param name="LineNumber">The step's line in the file.</param>
/// <param name="Operation">The operation's recorded name.</param>
/// <param name="Page">The page, relative to the region; null when the call as a whole differs.</param>
/// <param name="Field">What differs.</param>
/// <param name="Expected">What was recorded.</param>
/// <param name="Got">What the model answered.</param>
/// <param name="State">The state of the page (or of the operation's first page) before the step.</param>
public sealed record TraceDifference(
    string File,
    int Seed,
    int Step,
    int LineNumber,
    string Operation,
    int? Page,
    string Field,
    string Expected,
    string Got,
    string State)
{
    /// <summary>The state before the step and both answers in full, when that was asked for.</summary>
    public string? Explanation { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{File}:{LineNumber}: seed {Seed} step {Step} {Operation}{(Page is { } page ? $" page {page}" : "")} ({State}): {Field} expected {Expected}, got {Got}";
}
