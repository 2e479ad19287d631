namespace HmmFast.Drivers.Importing;

/// <summary>Told each step of a request, for explanations.</summary>
/// <param name="range">The range asked for.</param>
/// <param name="step">What happened, as a sentence part.</param>
/// <param name="words">The words after the step.</param>
public delegate void ImportObserver(VpnRange range, string step, ReadOnlySpan<HmmPfn> words);
