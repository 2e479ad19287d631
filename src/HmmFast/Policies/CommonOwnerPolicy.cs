namespace HmmFast.Policies;

/// <summary>P6, what shipped: owner-only, where the owner is a clique of devices with an interconnect, formed when pagemaps are made; the exporter maps.</summary>
/// <remarks>
/// Stands for the registry of (device, owner) pairs of <c>drm_pagemap</c>: a new device joins the first group whose every member it has an interconnect with, else it starts one. Who
/// loses that greedy choice, or gains a link later, goes through system memory. Cost: as owner-only.
/// </remarks>
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
