namespace HmmFast.Policies;

/// <summary>P5: the exporter's pagemap is asked whether this client may have its memory, and the exporter maps it.</summary>
/// <remarks>
/// Without a method of its own the exporter lets a permitted client in over a private link that is up, or over PCI where that is allowed. It is
/// asked for the pagemap as a whole, so a BAR window that shows only part of it is found out when a page is mapped. Stands for the pagemap methods <c>devmem_allowed</c>,
/// <c>dma_map</c> and <c>dma_unmap</c> proposed in January 2025, which need no second struct page. Cost: the method, and an exporter's map a page.
/// </remarks>
public sealed class DevmemAllowedPolicy : IHmmPolicy
{
    private readonly Func<ForeignPageQuestion, bool> _allowed;

    /// <summary>Makes the policy.</summary>
    /// <param name="allowed">The exporter's method, without side effects; null for the default of the remarks.</param>
    /// <param name="name">The row's name when a method is given; null for <c>devmem-allowed-own</c>.</param>
    public DevmemAllowedPolicy(Func<ForeignPageQuestion, bool>? allowed = null, string? name = null)
    {
        _allowed = allowed ?? (static question => question.Reach.IsPermitted && (question.LinkIsUp || question.Reach.P2pIsAllowed));
        Name = allowed is null ? "devmem-allowed" : name ?? "devmem-allowed-own";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool ExporterMaps => true;

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (question.OwnerMatches)
        {
            return ForeignPageAnswer.Private();
        }

        return _allowed(question)
            ? ForeignPageAnswer.Private(PolicyChecks.DevmemAllowed)
            : ForeignPageAnswer.Fall(PolicyChecks.DevmemAllowed);
    }
}
