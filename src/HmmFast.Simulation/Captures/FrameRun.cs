namespace HmmFast.Simulation.Captures;

/// <summary>Consecutive frame numbers of present pages that follow each other in the capture's order (they need not be neighbours in memory).</summary>
/// <param name="First">Frame of the first page.</param>
/// <param name="PageCount">Pages in the run; page i has frame <c>First + i</c>.</param>
public readonly record struct FrameRun(Pfn First, ulong PageCount);
