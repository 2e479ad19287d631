using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Tests.Readme;

/// <summary>Short paths only: a live private link, else an alias that never leaves the switch.</summary>
public sealed class ShortPathPolicy : IHmmPolicy
{
    public string Name => "short-path";

    public ForeignPageAnswer Decide(in ForeignPageQuestion question)
    {
        if (question.OwnerMatches && question.LinkIsUp)
        {
            return ForeignPageAnswer.Private();
        }

        return question.AliasOffered && question.MapType == P2PdmaMapType.BusAddr
            ? ForeignPageAnswer.Alias()
            : ForeignPageAnswer.Fall();
    }
}
