namespace HmmFast.Policies;

/// <summary>P9: as common owner; afterwards the driver checks the whole range, and one unfit or mixed page sends all of it to system memory.</summary>
/// <remarks>
/// Stands for what <c>drm_gpusvm_get_pages</c> and its callers do: pages of one pagemap or none, else the range is faulted again with a NULL owner. Cost: as owner-only, then a look at
/// each run of the answer and, where it does not pass, a second range fault.
/// </remarks>
public sealed class PostCheckPolicy : IHmmPolicy
{
    /// <inheritdoc/>
    public string Name => "post-check";

    /// <inheritdoc/>
    public bool ExporterMaps => true;

    /// <inheritdoc/>
    public bool PostChecks => true;

    /// <inheritdoc/>
    public OwnerRule Owners => OwnerRule.Cliques;

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question) =>
        question.OwnerMatches ? ForeignPageAnswer.Private() : ForeignPageAnswer.Fall();
}
