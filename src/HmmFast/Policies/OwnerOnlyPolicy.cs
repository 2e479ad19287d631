namespace HmmFast.Policies;

/// <summary>P0, what mainline does: a private page is handed out where the pagemap's owner is the range's owner, and falls otherwise.</summary>
public sealed class OwnerOnlyPolicy : IHmmPolicy
{
    /// <summary>The policy of a range that names none.</summary>
    public static OwnerOnlyPolicy Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "owner-only";

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question) =>
        question.OwnerMatches ? ForeignPageAnswer.Private() : ForeignPageAnswer.Fall();
}
