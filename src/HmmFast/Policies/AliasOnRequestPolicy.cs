namespace HmmFast.Policies;

/// <summary>
/// P2, the posted series: the caller asks with ALLOW_P2P, the exporter's callback offers, nobody checks reach until the DMA map fails. The
/// three answers to that failure are three policies.
/// </summary>
/// <remarks>
/// Stands for <c>get_dma_pfn_for_device</c> with HMM_PFN_ALLOW_P2P: the RFC of December 2024, which asks the failing page again without the flag, the second version of July 2025,
/// whose per-page flag is lost so that the whole range is asked again, and the position of January 2025 that a failing map is fatal. Cost: the exporter's callback
/// where the flag is set, and a second range fault after a failure.
/// </remarks>
public sealed class AliasOnRequestPolicy : IHmmPolicy
{
    /// <summary>Makes the policy with one answer to a failing DMA map.</summary>
    /// <param name="onMapFailure">The answer.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such answer.</exception>
    public AliasOnRequestPolicy(MapFailureAnswer onMapFailure)
    {
        Name = onMapFailure switch
        {
            MapFailureAnswer.Fatal => "alias-on-request-fatal",
            MapFailureAnswer.PerPage => "alias-on-request-per-page",
            MapFailureAnswer.WholeRange => "alias-on-request-whole-range",
            _ => throw new ArgumentOutOfRangeException(nameof(onMapFailure), onMapFailure, $"There is no answer {(int)onMapFailure} to a failing DMA map; there are 0 to 2."),
        };
        OnMapFailure = onMapFailure;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool RequestsP2p => true;

    /// <inheritdoc/>
    public MapFailureAnswer OnMapFailure { get; }

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (question.OwnerMatches)
        {
            return ForeignPageAnswer.Private();
        }

        if (!question.AllowP2p)
        {
            return ForeignPageAnswer.Fall();
        }

        return question.AliasOffered
            ? ForeignPageAnswer.Alias(PolicyChecks.ExporterCallback)
            : ForeignPageAnswer.Fall(PolicyChecks.ExporterCallback);
    }
}
