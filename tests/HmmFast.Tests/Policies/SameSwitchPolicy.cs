using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Tests.Policies;

/// <summary>Aliases below a common switch only: nothing goes through a host bridge.</summary>
public sealed class SameSwitchPolicy : IHmmPolicy
{
    public string Name => "same-switch";

    public bool RequestsP2p => true;

    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        bool isNear = question.AllowP2p && question.AliasOffered && question.MapType == P2PdmaMapType.BusAddr;
        return question.OwnerMatches ? ForeignPageAnswer.Private()
            : isNear ? ForeignPageAnswer.Alias(PolicyChecks.DistanceLookup)
            : ForeignPageAnswer.Fall(PolicyChecks.DistanceLookup);
    }
}
