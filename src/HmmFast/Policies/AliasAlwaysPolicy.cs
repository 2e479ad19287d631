namespace HmmFast.Policies;

/// <summary>P1, the first sketch of an exporter's callback: whoever asks gets the alias if the exporter offers one, reachable or not.</summary>
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
