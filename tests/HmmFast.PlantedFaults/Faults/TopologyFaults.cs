namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes that people make when they model peer-to-peer reachability: about ACS, paths, host bridges and processors.</summary>
public static class TopologyFaults
{
    private const string Distance = "src/HmmFast/Topology/P2PdmaDistance.cs";
    private const string Builder = "src/HmmFast/Topology/PciTopologyBuilder.cs";
    private const string Tree = "src/HmmFast/Topology/PciTopology.cs";
    private const string Explanation = "src/HmmFast/Topology/P2PdmaExplanation.cs";
    private const string AcsBits = "src/HmmFast.Vocabulary/Topology/AcsControl.cs";
    private const string List = "src/HmmFast.Vocabulary/Topology/HostBridgeList.cs";
    private const string CpuRule = "src/HmmFast.Vocabulary/Topology/HostBridgeCpuRule.cs";
    private const string Answer = "src/HmmFast.Vocabulary/Topology/P2PdmaAnswer.cs";

    private const string PairIsClear = "_redirects[provider] == RedirectsAbove(common) && _redirects[client] == _redirects[common]";
    private const string RowIsClear = "bool isClear = _redirects[provider] == RedirectsAbove(common);";
    private const string Redirecting = "Redirecting = RequestRedirect | CompletionRedirect | EgressControl,";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        Of("own-redirect-ignored", "a function's own redirect makes it unreachable from itself", Distance,
            PairIsClear, "provider == client || (" + PairIsClear + ")"),
        Of("common-bridge-not-counted", "the common bridge's redirect counts", Distance,
            PairIsClear, "_redirects[provider] == _redirects[common] && _redirects[client] == _redirects[common]"),
        Of("bridges-above-common-counted", "bridges above the common one do not count", Distance,
            PairIsClear, "_redirects[provider] == 0 && _redirects[client] == 0"),
        Of("provider-path-ignored", "the provider's path counts", Distance,
            PairIsClear, "RedirectsAbove(common) == _redirects[common] && _redirects[client] == _redirects[common]"),
        Of("client-path-ignored", "the client's path counts", Distance, PairIsClear, "_redirects[provider] == RedirectsAbove(common)"),
        Of("row-common-bridge-not-counted", "the common bridge's redirect counts in rows too", Distance,
            RowIsClear, "bool isClear = _redirects[provider] == _redirects[common];"),
        Of("row-bridges-above-counted", "bridges above the common one do not count in rows either", Distance,
            RowIsClear, "bool isClear = _redirects[provider] == 0;"),
        Of("source-validation-redirects", "SV does not redirect", AcsBits,
            Redirecting, "Redirecting = SourceValidation | RequestRedirect | CompletionRedirect | EgressControl,"),
        Of("translation-blocking-redirects", "TB does not redirect", AcsBits,
            Redirecting, "Redirecting = TranslationBlocking | RequestRedirect | CompletionRedirect | EgressControl,"),
        Of("upstream-forwarding-redirects", "UF does not redirect", AcsBits,
            Redirecting, "Redirecting = UpstreamForwarding | RequestRedirect | CompletionRedirect | EgressControl,"),
        Of("direct-translated-redirects", "DT does not redirect", AcsBits,
            Redirecting, "Redirecting = DirectTranslated | RequestRedirect | CompletionRedirect | EgressControl,"),
        Of("request-redirect-ignored", "RR redirects", AcsBits, Redirecting, "Redirecting = CompletionRedirect | EgressControl,"),
        Of("completion-redirect-ignored", "CR redirects", AcsBits, Redirecting, "Redirecting = RequestRedirect | EgressControl,"),
        Of("egress-control-ignored", "EC redirects", AcsBits, Redirecting, "Redirecting = RequestRedirect | CompletionRedirect,"),
        Of("capability-for-control", "what a port can do is not what is on", "src/HmmFast.Vocabulary/Topology/AcsState.cs",
            "RedirectingBits => Control &", "RedirectingBits => Capability &"),
        Of("unknown-acs-is-off", "unknown ACS follows the assumption", Distance, ": unknownRedirects;", ": false;"),
        Of("hops-to-common-counted-once", "both sides' hops end at the common bridge", Distance,
            "hops -= 2 * depths[common];", "hops -= depths[common];"),
        Of("distance-from-the-root-port", "without a common bridge both sides count to past the root port", Builder,
            "(parent < 0 ? 0 : columns.Depth[parent]) + 1 +", "(parent < 0 ? 0 : columns.Depth[parent] + 1) +"),
        Of("hidden-bridges-are-no-hops", "bridges that are not described are hops all the same", Builder,
            "+ 1 + (function.HiddenBridgesAbove ?? 0);", "+ 1;"),
        Of("virtual-function-below-its-physical-one", "a virtual function sits beside its physical one", Builder,
            "placed = _functions[input];", "return input;"),
        Of("virtual-function-by-its-own-bus", "a virtual function's path goes through its physical one", Builder,
            "placed = _functions[input];", "placed = function;"),
        Of("subtree-one-too-long", "what is below a bridge ends before the next sibling", Tree,
            "b >= ends[common]", "b > ends[common]"),
        Of("whitelist-vendor-ignored", "a line of the list asks for vendor and device", List,
            "if (_entries[i].Vendor == vendor && _entries[i].Device == device)\n            {\n                return i;",
            "if (_entries[i].Device == device)\n            {\n                return i;"),
        Of("whitelist-line-missing", "8086:2f01 is on the list", List, "            new HostBridgeListEntry(0x8086, 0x2f01, true),\n", ""),
        Of("whitelist-line-widened", "8086:3c01 counts for one host bridge only", List,
            "HostBridgeListEntry(0x8086, 0x3c01, true)", "HostBridgeListEntry(0x8086, 0x3c01, false)"),
        Of("whitelist-line-widened-noticed-by-name", "the list is what it is documented to be", List,
            "HostBridgeListEntry(0x8086, 0x2f00, true)", "HostBridgeListEntry(0x8086, 0x2f00, false)", "p2pdma-list"),
        Of("same-bridge-flag-ignored-across-two", "a same-bridge line does not count across two host bridges", Distance,
            "if (from is NotListed or ListedForSameBridge || to is NotListed or ListedForSameBridge)",
            "if (from is NotListed || to is NotListed or ListedForSameBridge)"),
        Of("one-listed-bridge-of-two-is-enough", "both host bridges must be listed", Distance,
            "or ListedForSameBridge || to is", "or ListedForSameBridge && to is"),
        Of("same-bridge-line-refused", "a same-bridge line counts below one host bridge", Distance,
            "NotListed => HostBridgeVerdict.Refused,", "NotListed or ListedForSameBridge => HostBridgeVerdict.Refused,"),
        Of("clients-host-bridge-not-asked", "the client's host bridge is asked too", Distance,
            "OfTwoBridges(_listing[from], _listing[to])", "OfTwoBridges(_listing[from], _listing[from])"),
        Of("hygon-taken-for-amd", "Hygon falls to the list", CpuRule,
            "string.Equals(cpu.Vendor, Vendor, StringComparison.Ordinal)", "cpu.Vendor is \"AuthenticAMD\" or \"HygonGenuine\""),
        Of("any-vendor-of-a-new-family", "the family counts for AMD only", CpuRule,
            "string.Equals(cpu.Vendor, Vendor, StringComparison.Ordinal) && ", ""),
        Of("old-amd-family-allowed", "AMD 0x16 falls to the list", List,
            "new HostBridgeCpuRule(\"AuthenticAMD\", 0x17)", "new HostBridgeCpuRule(\"AuthenticAMD\", 0x16)"),
        Of("first-amd-family-refused", "AMD 0x17 itself is allowed", CpuRule, "cpu.Family >= MinFamily", "cpu.Family > MinFamily"),
        Of("any-first-device-speaks", "a first device that is neither 00.0 nor a root port does not speak", Distance,
            "_ => PciTopology.NoFirstDevice,", "_ => first,"),
        Of("root-port-does-not-speak", "a root port at any slot speaks if it is first", Distance,
            "PcieType.RootPort => first,", "PcieType.RootPort => PciTopology.NoFirstDevice,"),
        Of("any-function-of-device-0-speaks", "function 00.0 speaks, not any of device 0", Distance,
            "topology.Addresses[first].DeviceFunction == 0", "topology.Addresses[first].Device == 0"),
        Of("last-device-speaks", "the first device of the root bus speaks", Builder,
            "columns.Address[i].DeviceFunction < columns.Address[first].DeviceFunction",
            "columns.Address[i].DeviceFunction > columns.Address[first].DeviceFunction"),
        Of("scan-order-ignored", "the first device is the first of the kernel's list, where that is known", Builder,
            "if (spec.FirstDevice is PciAddress given)", "if (spec.FirstDevice is PciAddress given && given.Device > 31)"),
        Of("row-forgets-what-is-behind", "a row covers what is behind the provider too", Distance,
            "FillRun(words, doneEnd, Topology.SubtreeEnds[common], hops", "FillRun(words, doneEnd, doneEnd, hops"),
        Of("row-vector-without-hops", "whole vectors of a row carry the path's constant", Distance,
            "(new Vector<ushort>(depths[i..]) + hopsVector) << 2", "new Vector<ushort>(depths[i..]) << 2"),
        Of("row-vector-takes-the-wrong-side", "whole vectors of a row are blocked where the counts differ", Distance,
            "Vector.ConditionalSelect(isClear, clearVector, blockedVector)", "Vector.ConditionalSelect(isClear, blockedVector, clearVector)"),
        Of("many-takes-the-reachable", "one client that cannot be reached refuses all", Distance,
            "isReached &= distance >= 0;", "isReached |= distance >= 0;"),
        Of("unsupported-pair-has-a-distance", "an unsupported pair's distance is -1", Answer,
            "MapType == P2PdmaMapType.NotSupported ? -1 : Hops", "Hops", "p2pdma-list"),
        Of("reason-leaves-out-the-common-bridge", "the reason names the common bridge's bits", Explanation,
            "foreach (int function in path)\n        {\n            AcsControl bits", "foreach (int function in path.SkipLast(1))\n        {\n            AcsControl bits"),
        Of("reason-runs-the-path-backwards", "the path runs down to the client", Explanation, "path.Insert(turn, down);", "path.Add(down);"),
    ];

    private static PlantedFault Of(string name, string rule, string file, string original, string replacement, string check = "p2pdma") =>
        new("topology-" + name, rule, file, original, replacement, check);
}
