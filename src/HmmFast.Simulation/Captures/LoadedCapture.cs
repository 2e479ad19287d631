namespace HmmFast.Simulation.Captures;

/// <summary>A captured process, rebuilt in a memory system.</summary>
/// <param name="Space">The process.</param>
/// <param name="Relative">Another process that holds what the captured one shared with others; null when it shared nothing.</param>
/// <param name="Approximations">What could not be rebuilt as it was, one sentence each; empty when everything could.</param>
public sealed record LoadedCapture(IAddressSpace Space, IAddressSpace? Relative, IReadOnlyList<string> Approximations);
