namespace HmmFast.Policies;

/// <summary>P6, what shipped: owner-only, where the owner is a clique of devices with an interconnect, formed when pagemaps are made; the exporter maps.</summary>
public sealed class CommonOwnerPolicy : IHmmPolicy
{
    /// <inheritdoc/>
    public string Name => "common-owner";

    /// <inheritdoc/>
    public bool ExporterMaps => true;

    /// <inheritdoc/>
    public OwnerRule Owners => OwnerRule.Cliques;

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question) =>
        question.OwnerMatches ? ForeignPageAnswer.Private() : ForeignPageAnswer.Fall();
}
