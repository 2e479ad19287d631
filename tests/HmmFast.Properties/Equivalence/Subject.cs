using HmmFast.Kernels;
using HmmFast.Reference;

namespace HmmFast.Properties.Equivalence;

/// <summary>An implementation under test: a name and how to make one.</summary>
public sealed record Subject(string Name, Func<MemorySystemOptions, IMemorySystem> Make)
{
    /// <summary>The specification.</summary>
    public static Subject Reference { get; } = new("reference", options => new ReferenceMemorySystem(options));

    /// <summary>The engine at every width that this machine runs, best first.</summary>
    public static IReadOnlyList<Subject> Engines { get; } =
        [.. KernelSet.All.Select(kernels => new Subject(kernels.Name, options => new MemorySystem(options, kernels)))];
}
