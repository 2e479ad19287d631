namespace HmmFast.Policies;

/// <summary>P3: as alias on request, but the core looks the P2P distance up before it hands the alias out, so that the range must name its client.</summary>
/// <remarks>
/// Stands for the form asked for in January and July 2025: <c>pci_p2pdma_distance</c> inside <c>hmm_range_fault</c>, so that no pfn comes out that the client cannot use. A range
/// without a client gets no alias. Cost: callback and distance look-up, one each for a pagemap.
/// </remarks>
public sealed class CoreDistancePolicy : IHmmPolicy
{
    /// <inheritdoc/>
    public string Name => "core-distance";

    /// <inheritdoc/>
    public bool RequestsP2p => true;

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

        if (!question.AliasOffered)
        {
            return ForeignPageAnswer.Fall(PolicyChecks.ExporterCallback);
        }

        const PolicyChecks Both = PolicyChecks.ExporterCallback | PolicyChecks.DistanceLookup;
        return question.Reach.P2pIsAllowed ? ForeignPageAnswer.Alias(Both) : ForeignPageAnswer.Fall(Both);
    }
}
