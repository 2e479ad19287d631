namespace HmmFast.Policies;

/// <summary>P0, what mainline does: a private page is handed out where the pagemap's owner is the range's owner, and falls otherwise.</summary>
/// <remarks>
/// Stands for Linux as it is: <c>hmm_range_fault</c> compares the pagemap's owner with <c>dev_private_owner</c>, two pointers fixed when the pagemap is made, and brings every
/// other private page to system memory first. Source: the recordings' cells for own, other and NULL owner (rf_script_small.jsonl.gz). Cost: one comparison for each pagemap.
/// </remarks>
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
