using HmmFast.Policies;

namespace HmmFast.Drivers.Moving;

/// <summary>Not a policy anybody proposed: shows every private page as it is, so that a snapshot without fault requests tells where memory lies.</summary>
public sealed class RevealPolicy : IHmmPolicy
{
    /// <summary>The only one needed.</summary>
    public static RevealPolicy Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "reveal";

    /// <inheritdoc/>
    public ForeignPageAnswer Decide(in ForeignPageQuestion question) => ForeignPageAnswer.Private();
}
