namespace HmmFast.Policies;

/// <summary>P4: the importer brings a callback with its range, and the callback says whether it can use the private page.</summary>
/// <remarks>
/// Without a callback of its own it asks whether the private link is up: an importer knows its own interconnect. Stands for <c>p2p_allow</c> of the RFC of October 2024, later
/// <c>devmem_allow</c> in range operations. Cost: the callback, once for a pagemap here and not for each page as its critics feared.
/// </remarks>
public sealed class RangeCallbackPolicy : IHmmPolicy
{
    private readonly Func<ForeignPageQuestion, bool> _callback;

    /// <summary>Makes the policy.</summary>
    /// <param name="callback">The importer's callback, without side effects; null: is the private link up?</param>
    /// <param name="name">The row's name when a callback is given; null for <c>range-callback-own</c>.</param>
    public RangeCallbackPolicy(Func<ForeignPageQuestion, bool>? callback = null, string? name = null)
    {
        _callback = callback ?? (static question => question.LinkIsUp);
        Name = callback is null ? "range-callback" : name ?? "range-callback-own";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (question.OwnerMatches)
        {
            return ForeignPageAnswer.Private();
        }

        return _callback(question)
            ? ForeignPageAnswer.Private(PolicyChecks.RangeCallback)
            : ForeignPageAnswer.Fall(PolicyChecks.RangeCallback);
    }
}
