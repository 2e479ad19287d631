namespace HmmFast.Properties.Equivalence;

/// <summary>An implementation under test: a name and how to make one.</summary>
public sealed record Subject(string Name, Func<MemorySystemOptions, IMemorySystem> Make)
{
    /// <summary>The specification.</summary>
    public static Subject Reference { get; } = new("reference", _ => throw new NotSupportedException());

    /// <summary>The engine at every width that this machine runs, best first.</summary>
    public static IReadOnlyList<Subject> Engines { get; } = [];
}
