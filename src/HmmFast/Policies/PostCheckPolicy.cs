namespace HmmFast.Policies;

/// <summary>P9: as common owner; afterwards the driver checks the whole range, and one unfit or mixed page sends all of it to system memory.</summary>
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
