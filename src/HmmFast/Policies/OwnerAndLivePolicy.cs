namespace HmmFast.Policies;

/// <summary>P7: the owner must match and the private link must be up at this moment.</summary>
/// <remarks>Stands for the wish of January 2025 to compare owners and check that the interconnect is live now. Cost: one state read for a pagemap.</remarks>
public sealed class OwnerAndLivePolicy : IHmmPolicy
{
    /// <inheritdoc/>
    public string Name => "owner-and-live";

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (!question.OwnerMatches)
        {
            return ForeignPageAnswer.Fall();
        }

        return question.LinkIsUp
            ? ForeignPageAnswer.Private(PolicyChecks.LinkCheck)
            : ForeignPageAnswer.Fall(PolicyChecks.LinkCheck);
    }
}
