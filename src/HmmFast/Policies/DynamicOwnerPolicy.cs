namespace HmmFast.Policies;

/// <summary>
/// P8: owner-only with owners that follow connectivity at run time. Three forms: evict everything and register the pagemap again, rewrite an
/// integer cluster id, or keep an N x N bitmap instead of owners.
/// </summary>
/// <remarks>
/// Stands for three positions of January 2025: that only evicting all and registering anew makes a mutable owner sound, that an integer cluster id is enough, and that what real
/// reachability takes is a bitmap. Cost: as owner-only, or a bit read; the change itself is paid by <see cref="IMemorySystem.SetOwner"/> or by eviction.
/// </remarks>
public sealed class DynamicOwnerPolicy : IHmmPolicy
{
    /// <summary>Makes one form.</summary>
    /// <param name="owners">CliquesByEviction, CliquesById or Bitmap.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another rule.</exception>
    public DynamicOwnerPolicy(OwnerRule owners)
    {
        Name = owners switch
        {
            OwnerRule.CliquesByEviction => "dynamic-owner-evict",
            OwnerRule.CliquesById => "dynamic-owner-cluster",
            OwnerRule.Bitmap => "dynamic-owner-bitmap",
            _ => throw new ArgumentOutOfRangeException(nameof(owners), owners, $"{owners} is not a rule for owners that change; CliquesByEviction, CliquesById and Bitmap are."),
        };
        Owners = owners;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public OwnerRule Owners { get; }

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (Owners != OwnerRule.Bitmap)
        {
            return question.OwnerMatches ? ForeignPageAnswer.Private() : ForeignPageAnswer.Fall();
        }

        if (question.IsOwnDevice)
        {
            return ForeignPageAnswer.Private();
        }

        return question.Reach.BitmapAllows
            ? ForeignPageAnswer.Private(PolicyChecks.BitmapRead)
            : ForeignPageAnswer.Fall(PolicyChecks.BitmapRead);
    }
}
