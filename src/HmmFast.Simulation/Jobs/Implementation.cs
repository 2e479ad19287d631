using HmmFast.Reference;

namespace HmmFast.Simulation.Jobs;

/// <summary>A way to make a memory system.</summary>
/// <param name="Name">As commands and reports name it.</param>
/// <param name="Create">Makes one.</param>
public sealed record Implementation(string Name, Func<MemorySystemOptions, IMemorySystem> Create)
{
    /// <summary>The engine, at the widest vectors this machine has.</summary>
    public static Implementation Engine { get; } = new("engine", static options => new MemorySystem(options));

    /// <summary>The page-at-a-time reference.</summary>
    public static Implementation Reference { get; } = new("reference", static options => new ReferenceMemorySystem(options));
}
