using HmmFast.Policies;

namespace HmmFast.Benchmarks.Bars;

/// <summary>A policy that counts how often it is asked.</summary>
/// <param name="inner">Who decides; null for owner-only.</param>
internal sealed class CountingPolicy(IHmmPolicy? inner = null) : IHmmPolicy
{
    private readonly IHmmPolicy _inner = inner ?? OwnerOnlyPolicy.Instance;

    /// <summary>Questions so far.</summary>
    public ulong Questions { get; private set; }

    public string Name => "counting";

    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        Questions++;
        return _inner.Decide(question);
    }
}
