using HmmFast.Policies;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Owner-only, counting how often it is asked.</summary>
internal sealed class CountingPolicy : IHmmPolicy
{
    private readonly OwnerOnlyPolicy _inner = new();

    /// <summary>Questions so far.</summary>
    public ulong Questions { get; private set; }

    public string Name => "counting";

    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        Questions++;
        return _inner.Decide(question);
    }
}
