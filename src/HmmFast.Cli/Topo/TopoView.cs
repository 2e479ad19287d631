using HmmFast.Simulation.Machines;
using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>A machine as the topo command shows it: the tree, the rule over it, the devices of the matrix and their explained pairs.</summary>
public sealed class TopoView
{
    private readonly P2PdmaExplanation[] _pairs;
    private readonly Dictionary<int, TopoDevice> _deviceOf = [];
    private readonly bool _hasOneDomain = true;

    /// <summary>Prepares the view; every pair of devices is explained once.</summary>
    /// <param name="machine">What was read; null where there is only a tree.</param>
    /// <param name="state">The tree and the list.</param>
    /// <param name="devices">The devices of the matrix.</param>
    public TopoView(MachineDescription? machine, TopologyState state, IReadOnlyList<TopoDevice> devices)
    {
        Machine = machine;
        State = state;
        Devices = devices;
        Rule = new P2PdmaDistance(state.Topology, state.List);
        foreach (PciAddress address in state.Topology.Addresses)
        {
            _hasOneDomain &= address.Domain == 0;
        }

        foreach (TopoDevice device in devices)
        {
            _deviceOf[device.Index] = device;
        }

        _pairs = new P2PdmaExplanation[devices.Count * devices.Count];
        for (int i = 0; i < _pairs.Length; i++)
        {
            _pairs[i] = P2PdmaExplanation.Explain(Rule, devices[i / devices.Count].Index, devices[i % devices.Count].Index);
        }
    }

    /// <summary>What was read.</summary>
    public MachineDescription? Machine { get; }

    /// <summary>The tree and the list.</summary>
    public TopologyState State { get; }

    /// <summary>The tree.</summary>
    public PciTopology Topology => State.Topology;

    /// <summary>The rule over the tree.</summary>
    public P2PdmaDistance Rule { get; }

    /// <summary>The devices of the matrix.</summary>
    public IReadOnlyList<TopoDevice> Devices { get; }

    /// <summary>One explained pair.</summary>
    /// <param name="provider">The provider's place among the devices.</param>
    /// <param name="client">The client's.</param>
    public P2PdmaExplanation this[int provider, int client] => _pairs[(provider * Devices.Count) + client];

    /// <summary>The device whose first function this is; null when it is none.</summary>
    /// <param name="function">A function's index.</param>
    public TopoDevice? DeviceAt(int function) => _deviceOf.GetValueOrDefault(function);

    /// <summary>An address without its domain where all are in domain 0.</summary>
    /// <param name="address">The address.</param>
    public string Short(PciAddress address) => _hasOneDomain ? address.ToString()[5..] : address.ToString();

    /// <summary>A cell of the matrix: B4, H8, - or ?4.</summary>
    /// <param name="why">The pair.</param>
    public static string Cell(P2PdmaExplanation why) => !why.IsCertain
        ? $"?{why.Answer.Hops}"
        : why.Answer.MapType switch
        {
            P2PdmaMapType.BusAddr => $"B{why.Answer.Hops}",
            P2PdmaMapType.ThruHostBridge => $"H{why.Answer.Hops}",
            _ => "-",
        };

    /// <summary>Whether a pair has the same answer, and the same possible answers, as in another view.</summary>
    /// <param name="one">A pair.</param>
    /// <param name="other">The same pair elsewhere.</param>
    public static bool IsSame(P2PdmaExplanation one, P2PdmaExplanation other) =>
        one.Answer == other.Answer && one.PossibleAnswers.SequenceEqual(other.PossibleAnswers);

    /// <summary>A pair's answer in words, every possible one if it is not certain.</summary>
    /// <param name="why">The pair.</param>
    public static string AnswerText(P2PdmaExplanation why)
    {
        string text = string.Join(" or ", why.PossibleAnswers.Select(Words));
        return why.HasUncertainLength && why.PossibleAnswers.Any(answer => answer.Distance >= 0) ? text + " (or more hops)" : text;
    }

    private static string Words(P2PdmaAnswer answer) => answer.MapType switch
    {
        P2PdmaMapType.BusAddr => $"BUS_ADDR {answer.Distance}",
        P2PdmaMapType.ThruHostBridge => $"THRU_HOST_BRIDGE {answer.Distance}",
        _ => "NOT_SUPPORTED -1",
    };
}
