using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>Groups the pairs of a matrix by reason, so that hundreds of pairs are a handful of sentences.</summary>
public static class TopoReasons
{
    // Pairs that meet at one bridge are one group; the ports on their paths are put together here.
    private const string RedirectorsPlace = "\u0001";

    /// <summary>Groups the unordered pairs of different devices.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="isWanted">Which pairs to take; null: all.</param>
    /// <returns>The groups, in the order of their first pairs.</returns>
    public static IReadOnlyList<TopoReasonGroup> Group(TopoView view, Func<int, int, bool>? isWanted = null)
    {
        var groups = new Dictionary<(string, string, string), List<(int, int)>>();
        var redirectors = new Dictionary<(string, string, string), SortedDictionary<PciAddress, P2PdmaRedirector>>();
        for (int a = 0; a < view.Devices.Count; a++)
        {
            for (int b = a + 1; b < view.Devices.Count; b++)
            {
                if (isWanted?.Invoke(a, b) == false)
                {
                    continue;
                }

                P2PdmaExplanation why = view[a, b];
                (string, string, string) key = (TopoView.Cell(why), TopoView.AnswerText(why), Short(view, why));
                if (!groups.TryGetValue(key, out List<(int, int)>? pairs))
                {
                    groups.Add(key, pairs = []);
                }

                pairs.Add((a, b));
                if (why.Redirectors.Count > 0)
                {
                    redirectors.TryAdd(key, []);
                    foreach (P2PdmaRedirector redirector in why.Redirectors)
                    {
                        redirectors[key][redirector.Address] = redirector;
                    }
                }
            }
        }

        return
        [
            .. groups.Select(group => new TopoReasonGroup(
                group.Key.Item1,
                group.Key.Item2,
                redirectors.TryGetValue(group.Key, out SortedDictionary<PciAddress, P2PdmaRedirector>? ports)
                    ? group.Key.Item3.Replace(RedirectorsPlace, string.Join(", ", ports.Values), StringComparison.Ordinal)
                    : group.Key.Item3,
                group.Value)),
        ];
    }

    /// <summary>Names the pairs: <c>among GPU0 NIC0 NVMe0</c> when it is all pairs of these, else the first few.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="pairs">The pairs.</param>
    public static string Members(TopoView view, IReadOnlyList<(int A, int B)> pairs)
    {
        int[] devices = [.. pairs.Select(pair => pair.A).Concat(pairs.Select(pair => pair.B)).Distinct().Order()];
        if (pairs.Count > 1 && pairs.Count == devices.Length * (devices.Length - 1) / 2)
        {
            return "among " + string.Join(" ", devices.Select(device => view.Devices[device].Label));
        }

        string first = string.Join(", ", pairs.Take(4).Select(pair => $"{view.Devices[pair.A].Label}-{view.Devices[pair.B].Label}"));
        return pairs.Count > 4 ? $"{first} and {pairs.Count - 4} more pairs" : first;
    }

    /// <summary>A reason without what differs from pair to pair of equal reason.</summary>
    private static string Short(TopoView view, P2PdmaExplanation why)
    {
        if (why.CommonBridge is not PciAddress common)
        {
            return why.MayMeetUnseen
                ? "where one of them hangs is unknown: they may share a bridge; if not, " + Verdict(view, why)
                : "no common bridge; " + Verdict(view, why);
        }

        if (why.Redirectors.Count > 0)
        {
            return $"meet at {common}, but ACS sends the traffic up at {RedirectorsPlace}; {Verdict(view, why)}";
        }

        if (why.UnknownAcs.Count == 0)
        {
            return $"meet at {common}, no ACS bit up to there redirects";
        }

        // Which functions they are differs from pair to pair; a pair in full names them.
        return $"meet at {common}; the ACS of functions on the way is unknown: off gives BUS_ADDR, on asks the host bridge: {Verdict(view, why)}";
    }

    private static string Verdict(TopoView view, P2PdmaExplanation why)
    {
        if (why.CpuRule is HostBridgeCpuRule rule)
        {
            return $"the processor passes all ({view.Topology.Cpu}; {view.State.List.Name}: {rule})";
        }

        string listed = Listed(view, why.ProviderBridge);
        string other = Listed(view, why.ClientBridge);
        string both = why.ProviderBridge == why.ClientBridge
            ? $"host bridge {why.ProviderBridge.RootBus}: {listed}"
            : listed == other ? $"both host bridges: {listed}"
            : $"host bridges: {listed}; and {other}";
        string verdict = why.Verdict switch
        {
            HostBridgeVerdict.Allowed => "passes",
            HostBridgeVerdict.Refused => "refused",
            _ when view.Topology.Cpu is null && view.State.List.CpuRules.Length > 0 =>
                $"passes with {view.State.List.CpuRules[0]}, else refused (processor unknown)",
            _ => "unknown whether it passes",
        };
        return $"{both}: {verdict}";
    }

    private static string Listed(TopoView view, HostBridgeFinding finding)
    {
        if (finding.Line >= 0)
        {
            return $"line {finding.Line + 1} of {view.State.List.Name}, {view.State.List.Entries[finding.Line]}";
        }

        return finding.Speaker switch
        {
            PciTopology.FirstDeviceUnknown => "speaker unknown",
            < 0 => "without a speaker",
            _ when view.Topology.Vendors[finding.Speaker] < 0 || view.Topology.Devices[finding.Speaker] < 0 => "ids unknown",
            _ when view.State.List.Entries.Length == 0 => $"not listed (the list {view.State.List.Name} is empty)",
            _ => $"not on {view.State.List.Name} ({view.Topology.Vendors[finding.Speaker]:x4}:{view.Topology.Devices[finding.Speaker]:x4})",
        };
    }
}
