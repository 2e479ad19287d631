namespace HmmFast.Topology;

/// <summary>What to take for true where a description does not say; the default takes the cautious side for neither.</summary>
/// <param name="UnknownAcsRedirects">Functions whose ACS is unknown, and bridges that are not described, redirect.</param>
/// <param name="UnknownHostBridgeAllows">Host bridges of which it is unknown whether they pass peer traffic do.</param>
public readonly record struct P2PdmaAssumptions(bool UnknownAcsRedirects, bool UnknownHostBridgeAllows)
{
    /// <summary>Unknown ACS is off, unknown host bridges refuse.</summary>
    public static P2PdmaAssumptions Default => default;

    /// <summary>The assumptions in words.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        $"unknown ACS {(UnknownAcsRedirects ? "redirects" : "is off")}, unknown host bridges {(UnknownHostBridgeAllows ? "allow" : "refuse")}";
}
