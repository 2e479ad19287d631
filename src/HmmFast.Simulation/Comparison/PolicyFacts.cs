using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <summary>Facts about a policy found by asking it every question there is.</summary>
public static class PolicyFacts
{
    /// <summary>True when the policy may hand out alias pages, so that device memory needs a second struct page.</summary>
    /// <param name="policy">The policy.</param>
    public static bool HandsOutAliases(IHmmPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        for (int bits = 0; bits < 16; bits++)
        {
            ForeignPageQuestion question = new()
            {
                Provider = new DeviceId(0),
                ProviderOwner = new OwnerId(1),
                RangeOwner = new OwnerId((bits & 1) != 0 ? 1u : 2u),
                AliasOffered = true,
                AllowP2p = (bits & 2) != 0,
                Reach = new ProviderReach
                {
                    P2p = new P2PdmaAnswer((bits & 4) != 0 ? P2PdmaMapType.BusAddr : P2PdmaMapType.NotSupported, 4),
                    LinkIsUp = (bits & 8) != 0,
                    IsPermitted = true,
                    P2pPath = new PathEstimate(1, 1),
                },
            };
            if (policy.Decide(question).Outcome == ForeignPageOutcome.Alias)
            {
                return true;
            }
        }

        return false;
    }
}
