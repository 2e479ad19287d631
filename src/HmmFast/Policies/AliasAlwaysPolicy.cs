namespace HmmFast.Policies;

/// <summary>P1, the first sketch of an exporter's callback: whoever asks gets the alias if the exporter offers one, reachable or not.</summary>
/// <remarks>
/// Stands for the helper sketched in review of the first series of October 2024: owner's page, else what the exporter's operation answers, with no flag that the caller would have to
/// set. A path that does not work is found out by the DMA map, and the request fails. Cost: the exporter's callback.
/// </remarks>
public sealed class AliasAlwaysPolicy : IHmmPolicy
{
    /// <inheritdoc/>
    public string Name => "alias-always";

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (question.OwnerMatches)
        {
            return ForeignPageAnswer.Private();
        }

        return question.AliasOffered
            ? ForeignPageAnswer.Alias(PolicyChecks.ExporterCallback)
            : ForeignPageAnswer.Fall(PolicyChecks.ExporterCallback);
    }
}
