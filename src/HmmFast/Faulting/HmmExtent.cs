namespace HmmFast.Faulting;

/// <summary>A run of pages with one answer: equal flags and, where they are valid, frame numbers that count up by one.</summary>
/// <param name="Start">The first page.</param>
/// <param name="PageCount">Pages in the run.</param>
/// <param name="First">The first page's word, as a range fault gives it. A later page's word is this one plus its distance where the word is valid, else the same.</param>
public readonly record struct HmmExtent(Vpn Start, ulong PageCount, HmmPfn First);
