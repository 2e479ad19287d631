using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Reference.Policies;

/// <summary>
/// The policies as plain tables, the first line that fits wins, written from the proposals and sharing nothing with the engine's policies.
/// A policy that is not in the tables is asked itself, page by page.
/// </summary>
public static class PolicyTables
{
    // Columns: O owner matches, P allow P2P, E alias offered, M (r: bus or through the host bridge, n: none, -: any), I link up, then
    // own: the page is on the client's own device, ok: the exporter permits the client, bit: the bitmap allows the pair,
    // best: the link is at least as good as the PCI path.
    private static readonly Dictionary<string, string[]> Tables = new()
    {
        ["owner-only"] =
        [
            "O=1 private",
        ],
        ["alias-always"] =
        [
            "O=1 private",
            "E=1 alias",
        ],
        ["alias-on-request-fatal"] = AliasOnRequest(),
        ["alias-on-request-per-page"] = AliasOnRequest(),
        ["alias-on-request-whole-range"] = AliasOnRequest(),
        ["core-distance"] = CoreDistance(),
        ["range-callback"] =
        [
            "O=1 private",
            "I=1 private",
        ],
        ["devmem-allowed"] =
        [
            "O=1 private",
            "ok=1 I=1 private",
            "ok=1 M=1 private",
        ],
        ["common-owner"] =
        [
            "O=1 private",
        ],
        ["owner-and-live"] =
        [
            "O=1 I=1 private",
        ],
        ["dynamic-owner-evict"] =
        [
            "O=1 private",
        ],
        ["dynamic-owner-cluster"] =
        [
            "O=1 private",
        ],
        ["dynamic-owner-bitmap"] =
        [
            "own=1 private",
            "bit=1 private",
        ],
        ["post-check"] =
        [
            "O=1 private",
        ],
        ["multipath"] =
        [
            "own=1 private",
            "I=1 E=0 private",
            "I=1 M=0 private",
            "I=1 best=1 private",
            "E=1 M=1 alias",
        ],
        ["typed-output"] = CoreDistance(),
    };

    /// <summary>Names the tables know.</summary>
    public static IReadOnlyCollection<string> Names => Tables.Keys;

    /// <summary>What a page becomes.</summary>
    /// <param name="policy">The policy; null is owner-only.</param>
    /// <param name="question">The question for this page.</param>
    public static ForeignPageOutcome Decide(IHmmPolicy? policy, in ForeignPageQuestion question)
    {
        if (!Tables.TryGetValue(policy?.Name ?? "owner-only", out string[]? lines))
        {
            return policy!.Decide(question).Outcome;
        }

        foreach (string line in lines)
        {
            if (Fits(line, question))
            {
                return line.EndsWith("private", StringComparison.Ordinal) ? ForeignPageOutcome.Private : ForeignPageOutcome.Alias;
            }
        }

        return ForeignPageOutcome.Fall;
    }

    // "O=1 I=0 private": every word but the last is a column and its value.
    private static bool Fits(ReadOnlySpan<char> line, in ForeignPageQuestion question)
    {
        int equals;
        while ((equals = line.IndexOf('=')) >= 0)
        {
            if (Value(line[..equals], question) != (line[equals + 1] == '1'))
            {
                return false;
            }

            line = line[(equals + 3)..];
        }

        return true;
    }

    private static bool Value(ReadOnlySpan<char> letter, in ForeignPageQuestion question) => letter switch
    {
        "O" => question.RangeOwner.Value != 0 && question.RangeOwner.Value == question.ProviderOwner.Value,
        "P" => question.AllowP2p,
        "E" => question.AliasOffered,
        "M" => question.Reach.P2p.Distance >= 0 && question.MapType != P2PdmaMapType.None,
        "I" => question.Reach.LinkIsUp,
        "own" => question.Reach.IsOwnDevice,
        "ok" => question.Reach.IsPermitted,
        "bit" => question.Reach.BitmapAllows,
        "best" => question.Reach.LinkPath.BytesPerSecond > question.Reach.P2pPath.BytesPerSecond
            || (question.Reach.LinkPath.BytesPerSecond == question.Reach.P2pPath.BytesPerSecond
                && question.Reach.LinkPath.LatencyNs <= question.Reach.P2pPath.LatencyNs),
        _ => throw new InvalidOperationException($"The tables have no column '{letter}'."),
    };

    private static string[] AliasOnRequest() =>
    [
        "O=1 private",
        "P=1 E=1 alias",
    ];

    private static string[] CoreDistance() =>
    [
        "O=1 private",
        "P=1 E=1 M=1 alias",
    ];
}
