using System.Text;

namespace HmmFast.Topology;

/// <summary>
/// One pair's answer with its reason: the path, the ports whose ACS bits decide, the processor rule or host bridge line that
/// decides, and where the description does not carry enough, every answer that is possible.
/// </summary>
public sealed class P2PdmaExplanation
{
    private readonly PciTopology _topology;

    private P2PdmaExplanation(P2PdmaDistance distance, int provider, int client)
    {
        _topology = distance.Topology;
        List = distance.List;
        Provider = _topology.Addresses[provider];
        Client = _topology.Addresses[client];
        Answer = distance.Answer(provider, client);
        int common = _topology.CommonBridge(provider, client);
        CommonBridge = common < 0 ? null : _topology.Addresses[common];

        var path = new List<int>();
        for (int up = provider; up != common && up >= 0; up = _topology.Parents[up])
        {
            path.Add(up);
        }

        UpwardCount = path.Count;
        if (common >= 0)
        {
            path.Add(common);
        }

        int turn = path.Count;
        for (int down = client; down != common && down >= 0; down = _topology.Parents[down])
        {
            path.Insert(turn, down);
        }

        PathIndices = path;
        Redirectors = common < 0 ? [] : FindRedirectors(_topology, path);
        UnknownAcs = common < 0 ? [] : FindUnknown(_topology, path, common);
        MayMeetUnseen = common < 0
            && (_topology.IsPlaceholder[_topology.HostBridgeOf[provider]] || _topology.IsPlaceholder[_topology.HostBridgeOf[client]]);
        HasUncertainLength = MayMeetUnseen || path.Exists(i => i != common && _topology.HiddenBridgesAbove[i] < 0);
        int from = _topology.HostBridgeOf[provider];
        int to = _topology.HostBridgeOf[client];
        Verdict = distance.Verdict(from, to);
        CpuRule = _topology.Cpu is CpuIdentity cpu && List.IndexOfCpuRule(cpu) is >= 0 and int rule ? List.CpuRules[rule] : null;
        ProviderBridge = HostBridgeFinding.Find(_topology, List, from);
        ClientBridge = from == to ? ProviderBridge : HostBridgeFinding.Find(_topology, List, to);
        PossibleAnswers = FindPossible(Answer.Hops, common >= 0 || MayMeetUnseen, Redirectors.Count > 0, UnknownAcs.Count > 0 || MayMeetUnseen, Verdict);
    }

    /// <summary>The function whose memory it is.</summary>
    public PciAddress Provider { get; }

    /// <summary>The function that reads or writes it.</summary>
    public PciAddress Client { get; }

    /// <summary>The host bridge list that was asked.</summary>
    public HostBridgeList List { get; }

    /// <summary>The answer under the assumptions that the rule was prepared with.</summary>
    public P2PdmaAnswer Answer { get; }

    /// <summary>Every answer that the description leaves possible; one when nothing that matters is unknown.</summary>
    public IReadOnlyList<P2PdmaAnswer> PossibleAnswers { get; }

    /// <summary>Whether nothing unknown could change the answer.</summary>
    public bool IsCertain => PossibleAnswers.Count == 1 && !HasUncertainLength;

    /// <summary>Whether there may be bridges on the path that the description does not show, so that hops is the least it can be.</summary>
    public bool HasUncertainLength { get; }

    /// <summary>Whether it is unknown where one of the two hangs, so that they may share a bridge that the description does not show.</summary>
    public bool MayMeetUnseen { get; }

    /// <summary>The closest common bridge; null when the two meet in a host bridge or not at all.</summary>
    public PciAddress? CommonBridge { get; }

    /// <summary>The functions of the path by index: provider upward, the common bridge if there is one, downward to the client.</summary>
    public IReadOnlyList<int> PathIndices { get; }

    /// <summary>How many of <see cref="PathIndices"/> come before the turn (the common bridge, or the host bridges).</summary>
    public int UpwardCount { get; }

    /// <summary>The functions up to and including the common bridge that redirect, in the path's order; the first decides. Empty without common bridge.</summary>
    public IReadOnlyList<P2PdmaRedirector> Redirectors { get; }

    /// <summary>The functions up to and including the common bridge whose ACS is unknown. Empty without common bridge.</summary>
    public IReadOnlyList<PciAddress> UnknownAcs { get; }

    /// <summary>Whether peer traffic may go through the host bridges; asked only when the answer is not BusAddr.</summary>
    public HostBridgeVerdict Verdict { get; }

    /// <summary>The processor rule that allows all host bridges; null when none does.</summary>
    public HostBridgeCpuRule? CpuRule { get; }

    /// <summary>The provider's host bridge in the list.</summary>
    public HostBridgeFinding ProviderBridge { get; }

    /// <summary>The client's host bridge in the list; the same object when it is the same.</summary>
    public HostBridgeFinding ClientBridge { get; }

    /// <summary>Explains one pair. Cost: the two depths; allocates.</summary>
    /// <param name="distance">The rule and the machine.</param>
    /// <param name="provider">Index of the function whose memory it is.</param>
    /// <param name="client">Index of the client.</param>
    /// <returns>The explanation.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a function's.</exception>
    public static P2PdmaExplanation Explain(P2PdmaDistance distance, int provider, int client)
    {
        ArgumentNullException.ThrowIfNull(distance);
        _ = distance.Answer(provider, client);
        return new P2PdmaExplanation(distance, provider, client);
    }

    /// <summary>The path in words: <c>19:00.0 &gt; 18:02.0 &gt; [17:00.0] &gt; 18:03.0 &gt; 1a:00.0</c>, the turn in brackets.</summary>
    /// <returns>The text.</returns>
    public string PathText()
    {
        var text = new StringBuilder();
        for (int i = 0; i < PathIndices.Count; i++)
        {
            if (i == UpwardCount && CommonBridge is null)
            {
                text.Append(" > ").Append(HostBridgesText());
            }

            string address = _topology.Addresses[PathIndices[i]].ToString();
            text.Append(text.Length == 0 ? "" : " > ");
            text.Append(i == UpwardCount && CommonBridge is not null ? $"[{address}]" : address);
        }

        return text.ToString();
    }

    /// <summary>The reason in sentences: what decides the map type, by name of the port and bit or of the host bridge line.</summary>
    /// <returns>The text.</returns>
    public string Reason()
    {
        var text = new StringBuilder();
        bool isRedirected = Redirectors.Count > 0;
        if (CommonBridge is PciAddress common)
        {
            string where = Provider == Client ? "It is one function" : $"Both meet at {common}";
            if (isRedirected)
            {
                text.Append(where).Append(", but ACS sends the traffic up: ").AppendJoin(", ", Redirectors).Append('.');
            }
            else if (UnknownAcs.Count > 0)
            {
                text.Append(where).Append("; no ACS bit is known to send the traffic up, but the ACS of ")
                    .AppendJoin(", ", UnknownAcs).Append(" is unknown: off gives BusAddr, on asks the host bridge.");
            }
            else
            {
                text.Append(where).Append(" and no ACS bit up to there sends the traffic up.");
                return text.ToString();
            }
        }
        else if (MayMeetUnseen)
        {
            text.Append("It is not known where both hang: they may share a bridge that the description does not show (")
                .Append(HostBridgesText()).Append(").");
        }
        else
        {
            text.Append("They share no bridge (").Append(HostBridgesText()).Append(").");
        }

        return text.Append(' ').Append(VerdictText()).ToString();
    }

    private string HostBridgesText() => ProviderBridge.RootBus == ClientBridge.RootBus
        ? $"host bridge {ProviderBridge.RootBus}"
        : $"host bridges {ProviderBridge.RootBus} and {ClientBridge.RootBus}";

    private string VerdictText()
    {
        if (CpuRule is HostBridgeCpuRule rule)
        {
            return $"The processor ({_topology.Cpu}) is covered by {List}: {rule}; no host bridge line is asked.";
        }

        bool isOne = ProviderBridge.RootBus == ClientBridge.RootBus;
        string findings = isOne ? ProviderBridge.Text : $"{ProviderBridge.Text}; {ClientBridge.Text}";
        string verdict = Verdict switch
        {
            HostBridgeVerdict.Allowed => isOne ? "so it passes." : "so both pass.",
            HostBridgeVerdict.Refused when !isOne && ProviderBridge.Line >= 0 && ClientBridge.Line >= 0 =>
                "across two host bridges no line may ask for one, so it is refused.",
            HostBridgeVerdict.Refused => "so it is refused.",
            _ => _topology.Cpu is null && List.CpuRules.Length > 0
                ? $"the processor is unknown: {List.CpuRules[0]} passes, any other is refused here."
                : "so it is unknown whether it passes.",
        };
        string text = $"{findings}; {verdict}";
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    private static List<P2PdmaRedirector> FindRedirectors(PciTopology topology, List<int> path)
    {
        var found = new List<P2PdmaRedirector>();
        foreach (int function in path)
        {
            AcsControl bits = topology.Acs[function].RedirectingBits;
            if (bits != AcsControl.None)
            {
                found.Add(new P2PdmaRedirector(function, topology.Addresses[function], bits));
            }
        }

        return found;
    }

    private static List<PciAddress> FindUnknown(PciTopology topology, List<int> path, int common)
    {
        var found = new List<PciAddress>();
        foreach (int function in path)
        {
            bool isHiddenAbove = function != common && topology.HiddenBridgesAbove[function] != 0;
            if (!topology.Acs[function].IsKnown || isHiddenAbove)
            {
                found.Add(topology.Addresses[function]);
            }
        }

        return found;
    }

    private static List<P2PdmaAnswer> FindPossible(int hops, bool hasCommon, bool isRedirected, bool isUnknown, HostBridgeVerdict verdict)
    {
        var answers = new List<P2PdmaAnswer>(3);
        if (hasCommon && !isRedirected)
        {
            answers.Add(new P2PdmaAnswer(P2PdmaMapType.BusAddr, hops));
        }

        if (!hasCommon || isRedirected || isUnknown)
        {
            if (verdict != HostBridgeVerdict.Refused)
            {
                answers.Add(new P2PdmaAnswer(P2PdmaMapType.ThruHostBridge, hops));
            }

            if (verdict != HostBridgeVerdict.Allowed)
            {
                answers.Add(new P2PdmaAnswer(P2PdmaMapType.NotSupported, hops));
            }
        }

        return answers;
    }
}
