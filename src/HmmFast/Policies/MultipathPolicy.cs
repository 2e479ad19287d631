namespace HmmFast.Policies;

/// <summary>P10: the core matches the exporter's paths with the client's and takes the best by bandwidth, then latency; only where there is none the page falls.</summary>
/// <remarks>Owners and ALLOW_P2P play no part: the range's client says all. A P2P path needs an alias page to name it.
/// Stands for the matching of exporter's and importer's lists proposed for dma-buf in September 2025. Cost: link, distance and callback, once each for a pagemap, and two comparisons.</remarks>
public sealed class MultipathPolicy : IHmmPolicy
{
    /// <inheritdoc/>
    public string Name => "multipath";

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (question.IsOwnDevice)
        {
            return ForeignPageAnswer.Private(PolicyChecks.PathSelection);
        }

        const PolicyChecks All = PolicyChecks.PathSelection | PolicyChecks.LinkCheck | PolicyChecks.DistanceLookup | PolicyChecks.ExporterCallback;
        bool overPci = question.AliasOffered && question.Reach.P2pIsAllowed;
        if (question.LinkIsUp && (!overPci || question.Reach.LinkPath >= question.Reach.P2pPath))
        {
            return ForeignPageAnswer.Private(All);
        }

        return overPci ? ForeignPageAnswer.Alias(All) : ForeignPageAnswer.Fall(All);
    }
}
