namespace HmmFast.Policies;

/// <summary>P11: another policy, with PRIVATE and P2P bits in the result words, so that a driver cannot take one kind of pfn for the other.</summary>
/// <remarks>
/// Stands for the flag agreed on in August 2025 (normal, P2P or private). Needs <see cref="HmmPfnLayout.Linux616Typed"/>: under another layout a range fault throws
/// <see cref="ArgumentException"/>. Cost: that of the policy inside; two more bits of the same table look-up a page.
/// </remarks>
public sealed class TypedOutputPolicy : IHmmPolicy
{
    private readonly IHmmPolicy _inner;

    /// <summary>Makes the policy.</summary>
    /// <param name="inner">Who decides; null for core distance.</param>
    public TypedOutputPolicy(IHmmPolicy? inner = null)
    {
        _inner = inner ?? new CoreDistancePolicy();
        Name = inner is null ? "typed-output" : "typed-output+" + inner.Name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool TypedOutput => true;

    /// <inheritdoc/>
    public bool RequestsP2p => _inner.RequestsP2p;

    /// <inheritdoc/>
    public MapFailureAnswer OnMapFailure => _inner.OnMapFailure;

    /// <inheritdoc/>
    public bool ExporterMaps => _inner.ExporterMaps;

    /// <inheritdoc/>
    public bool PostChecks => _inner.PostChecks;

    /// <inheritdoc/>
    public OwnerRule Owners => _inner.Owners;

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question) => _inner.Decide(question);
}
