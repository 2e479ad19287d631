namespace HmmFast.Policies;

/// <summary>The proposals as policies, in the order P0 to P11, and how to find one by name.</summary>
/// <remarks>Source: the mailing list's discussion of peer access to device-private pages, October 2024 to September 2025, and what Linux does; each policy's remarks name its own.</remarks>
public static class PolicyCatalog
{
    /// <summary>Every policy once: P0 to P11, P2 with its three answers and P8 with its three forms.</summary>
    public static IReadOnlyList<IHmmPolicy> All { get; } =
    [
        OwnerOnlyPolicy.Instance,
        new AliasAlwaysPolicy(),
        new AliasOnRequestPolicy(MapFailureAnswer.Fatal),
        new AliasOnRequestPolicy(MapFailureAnswer.PerPage),
        new AliasOnRequestPolicy(MapFailureAnswer.WholeRange),
        new CoreDistancePolicy(),
        new RangeCallbackPolicy(),
        new DevmemAllowedPolicy(),
        new CommonOwnerPolicy(),
        new OwnerAndLivePolicy(),
        new DynamicOwnerPolicy(OwnerRule.CliquesByEviction),
        new DynamicOwnerPolicy(OwnerRule.CliquesById),
        new DynamicOwnerPolicy(OwnerRule.Bitmap),
        new PostCheckPolicy(),
        new MultipathPolicy(),
        new TypedOutputPolicy(),
    ];

    /// <summary>The policy's number with its form: P0, P2a to P2c, P8a to P8c, P11; empty for policies of others.</summary>
    /// <param name="policy">A policy.</param>
    public static string NumberOf(IHmmPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.Name switch
        {
            "owner-only" => "P0",
            "alias-always" => "P1",
            "alias-on-request-fatal" => "P2a",
            "alias-on-request-per-page" => "P2b",
            "alias-on-request-whole-range" => "P2c",
            "core-distance" => "P3",
            "range-callback" => "P4",
            "devmem-allowed" => "P5",
            "common-owner" => "P6",
            "owner-and-live" => "P7",
            "dynamic-owner-evict" => "P8a",
            "dynamic-owner-cluster" => "P8b",
            "dynamic-owner-bitmap" => "P8c",
            "post-check" => "P9",
            "multipath" => "P10",
            "typed-output" => "P11",
            _ => policy is TypedOutputPolicy ? "P11" : "",
        };
    }

    /// <summary>The policies a word names: a full name, a number (<c>P3</c>, <c>P2b</c>), a group (<c>alias-on-request</c>, <c>P2</c>, <c>dynamic-owner</c>, <c>P8</c>) or <c>all</c>.</summary>
    /// <param name="word">The word; case does not count.</param>
    /// <returns>The policies in catalog order; empty when nothing has that name.</returns>
    public static IReadOnlyList<IHmmPolicy> Find(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        string wanted = word.Trim().ToLowerInvariant();
        List<IHmmPolicy> found = [];
        foreach (IHmmPolicy policy in All)
        {
            string number = NumberOf(policy).ToLowerInvariant();
            bool isForm = char.IsAsciiLetter(number[^1]);
            if (wanted == "all"
                || wanted == policy.Name
                || wanted == number
                || (isForm && wanted == number[..^1])
                || (wanted is "alias-on-request" or "dynamic-owner" && policy.Name.StartsWith(wanted, StringComparison.Ordinal)))
            {
                found.Add(policy);
            }
        }

        return found;
    }
}
