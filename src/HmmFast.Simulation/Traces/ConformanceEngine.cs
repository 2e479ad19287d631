using HmmFast.Reference;
using HmmFast.Simulation.P2pTraces;
using HmmFast.Topology;

namespace HmmFast.Simulation.Traces;

/// <summary>An implementation that recordings are replayed on.</summary>
/// <param name="Name">As the command names it.</param>
/// <param name="Create">Makes its memory system.</param>
/// <param name="MakeDistanceRule">Makes its rule of peer-to-peer reachability.</param>
public sealed record ConformanceEngine(
    string Name,
    Func<MemorySystemOptions, IMemorySystem> Create,
    Func<P2pTraceCase, IP2PdmaDistance> MakeDistanceRule)
{
    /// <summary>The engine.</summary>
    public static ConformanceEngine Fast { get; } = new("fast", static options => new MemorySystem(options), static read => read.Engine());

    /// <summary>The page-at-a-time reference.</summary>
    public static ConformanceEngine Reference { get; } = new(
        "reference",
        static options => new ReferenceMemorySystem(options),
        static read => read.Reference());

    /// <summary>Both, the reference first.</summary>
    public static IReadOnlyList<ConformanceEngine> Both { get; } = [Reference, Fast];
}
