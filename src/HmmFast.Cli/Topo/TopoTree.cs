using System.Globalization;
using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>
/// Builds the lines of the drawn tree. What has no device of the matrix below it is folded into one line a bus, and a bridge with a
/// single thing below it shares that thing's line, so that a server of 500 functions fits a few screens.
/// </summary>
public sealed class TopoTree
{
    private const int MaxFunctionsOnALine = 3;

    private readonly TopoView _view;
    private readonly PciTopology _topology;
    private readonly bool _isWhole;
    private readonly bool[] _isShown;

    // Where the text carries no ACS at all, saying so once is enough.
    private readonly bool _knowsAcs;

    private TopoTree(TopoView view, bool isWhole)
    {
        _view = view;
        _topology = view.Topology;
        _isWhole = isWhole;
        _isShown = new bool[_topology.Count];
        foreach (AcsState acs in _topology.Acs)
        {
            _knowsAcs |= acs.IsKnown;
        }

        foreach (TopoDevice device in view.Devices)
        {
            for (int up = device.Index; up >= 0; up = _topology.Parents[up])
            {
                _isShown[up] = true;
            }
        }
    }

    /// <summary>Builds the lines: one node a host bridge, and a last one for the host bridges that are folded.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="isWhole">Whether to show everything.</param>
    /// <returns>The nodes.</returns>
    public static IReadOnlyList<TopoNode> Build(TopoView view, bool isWhole)
    {
        var tree = new TopoTree(view, isWhole);
        var nodes = new List<TopoNode>();
        var folded = new List<int>();
        for (int h = 0; h < tree._topology.HostBridgeCount; h++)
        {
            bool isShown = isWhole;
            for (int i = tree._topology.HostBridgeStarts[h]; i < tree._topology.HostBridgeEnds[h]; i++)
            {
                isShown |= tree._isShown[i];
            }

            if (isShown)
            {
                nodes.Add(tree.HostBridge(h));
            }
            else
            {
                folded.Add(h);
            }
        }

        if (folded.Count > 0)
        {
            nodes.Add(tree.FoldedHostBridges(folded));
        }

        return nodes;
    }

    private TopoNode HostBridge(int h)
    {
        var node = new TopoNode { NumaNode = NumaOf(h) };
        if (_topology.IsPlaceholder[h])
        {
            node.Add("unknown place", TopoSpanKind.Unknown).Add("(the text does not say where this hangs)", TopoSpanKind.Dim);
        }
        else
        {
            node.Add(_topology.RootBuses[h].ToString(), TopoSpanKind.Address).Add("host bridge");
            node.Add(node.NumaNode >= 0 ? $"NUMA {node.NumaNode}" : "");
            AddFinding(node, HostBridgeFinding.Find(_topology, _view.State.List, h));
        }

        AddChildren(node, _topology.HostBridgeStarts[h], _topology.HostBridgeEnds[h]);
        return node;
    }

    private void AddFinding(TopoNode node, HostBridgeFinding finding)
    {
        if (finding.Speaker == PciTopology.FirstDeviceUnknown)
        {
            node.Add("speaker unknown", TopoSpanKind.Unknown);
            return;
        }

        if (finding.Speaker < 0)
        {
            node.Add("no speaker: never listed", TopoSpanKind.Bad);
            return;
        }

        node.Add(_view.Short(_topology.Addresses[finding.Speaker]));
        int vendor = _topology.Vendors[finding.Speaker];
        int device = _topology.Devices[finding.Speaker];
        string ids = vendor < 0 || device < 0 ? "[ids unknown]" : string.Create(CultureInfo.InvariantCulture, $"[{vendor:x4}:{device:x4}]");
        node.Add(ids, vendor < 0 || device < 0 ? TopoSpanKind.Unknown : TopoSpanKind.Plain);
        if (finding.Line >= 0)
        {
            bool isSameOnly = _view.State.List.Entries[finding.Line].SameHostBridgeOnly;
            node.Add($"line {finding.Line + 1} of {_view.State.List.Name}{(isSameOnly ? " (same host bridge only)" : "")}", TopoSpanKind.Good);
        }
        else if (vendor >= 0 && device >= 0)
        {
            node.Add($"not on {_view.State.List.Name}", TopoSpanKind.Bad);
        }
    }

    /// <summary>Adds a line for each function of a bus that is shown, and one for all that are folded.</summary>
    private void AddChildren(TopoNode node, int start, int end)
    {
        var folded = new List<int>();
        for (int i = start; i < end; i = _topology.SubtreeEnds[i])
        {
            if (_isShown[i] || _isWhole)
            {
                node.Children.Add(Function(i));
            }
            else if (!IsOfShownCard(i))
            {
                folded.Add(i);
            }
        }

        if (folded.Count > 0)
        {
            node.Children.Add(Folded(folded));
        }
    }

    /// <summary>Whether a function stands behind a device's first function, in one line with it.</summary>
    private bool IsOfShownCard(int function)
    {
        for (int i = function - 1; i >= 0 && _topology.Parents[i] == _topology.Parents[function]; i--)
        {
            bool isSameSlot = _topology.Addresses[i].BusAddress == _topology.Addresses[function].BusAddress
                && _topology.Addresses[i].Device == _topology.Addresses[function].Device;
            if (!isSameSlot)
            {
                return false;
            }

            if (_view.DeviceAt(i) is TopoDevice device && function < i + device.FunctionCount)
            {
                return true;
            }
        }

        return false;
    }

    private TopoNode Function(int function)
    {
        var node = new TopoNode();
        int last = function;
        AddFunction(node, function);
        for (int shown = 1; shown < MaxFunctionsOnALine && OnlyChild(last) is int child; shown++)
        {
            node.Add("─", TopoSpanKind.Dim);
            AddFunction(node, child);
            last = child;
        }

        AddChildren(node, last + 1, _topology.SubtreeEnds[last]);
        return node;
    }

    /// <summary>The one thing below a bridge, if it is one and shown.</summary>
    private int? OnlyChild(int function)
    {
        int child = function + 1;
        bool isOne = child < _topology.SubtreeEnds[function]
            && (_topology.SubtreeEnds[child] == _topology.SubtreeEnds[function] || AllOfOneCard(child, _topology.SubtreeEnds[function]));
        return isOne && (_isShown[child] || _isWhole) ? child : null;
    }

    private bool AllOfOneCard(int first, int end)
    {
        for (int i = first + 1; i < end; i++)
        {
            if (!IsOfShownCard(i) || _isWhole)
            {
                return false;
            }
        }

        return true;
    }

    private void AddFunction(TopoNode node, int i)
    {
        node.Add(_view.Short(_topology.Addresses[i]), TopoSpanKind.Address);
        if (_topology.HiddenBridgesAbove[i] != 0)
        {
            node.Add(_topology.HiddenBridgesAbove[i] < 0 ? "(+? hidden)" : $"(+{_topology.HiddenBridgesAbove[i]} hidden)", TopoSpanKind.Unknown);
        }

        if (_view.DeviceAt(i) is TopoDevice device)
        {
            node.Add(device.Label, TopoSpanKind.Device);
            node.Add(device.FunctionCount > 1 ? $"({device.FunctionCount} functions)" : "");
        }
        else if (_topology.PhysicalFunctions[i] >= 0)
        {
            node.Add($"virtual function of {_view.Short(_topology.Addresses[_topology.PhysicalFunctions[i]])}");
        }
        else
        {
            node.Add(_topology.IsBridge[i] ? BridgeWord(_topology.PcieTypes[i]) : "");
        }

        AddAcs(node, i);
        node.Add(LinkText(i), TopoSpanKind.Dim);
        bool isPort = _topology.IsBridge[i] && _topology.PcieTypes[i] is PcieType.SwitchDownstream or PcieType.RootPort;
        node.Add(isPort ? "" : _topology.Names[i] ?? "", TopoSpanKind.Dim);
    }

    private void AddAcs(TopoNode node, int i)
    {
        AcsState acs = _topology.Acs[i];
        if (!acs.IsKnown)
        {
            if (!_knowsAcs)
            {
                return;
            }

            node.Add("ACS ?", TopoSpanKind.Unknown);
        }
        else if (acs.RedirectingBits != AcsControl.None)
        {
            node.Add($"ACS {AcsState.BitNames(acs.RedirectingBits)}", TopoSpanKind.Bad);
        }
        else if (_topology.IsBridge[i])
        {
            node.Add(acs.IsPresent ? "ACS off" : "no ACS", acs.IsPresent ? TopoSpanKind.Good : TopoSpanKind.Dim);
        }
    }

    private string LinkText(int i)
    {
        int speed = _topology.LinkSpeedsMtps[i];
        int width = _topology.LinkWidths[i];
        return speed < 0 || width < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"x{width} {speed / 1000.0:0.#}GT/s");
    }

    private static string BridgeWord(PcieType type) => type switch
    {
        PcieType.RootPort => "root port",
        PcieType.SwitchUpstream => "switch",
        PcieType.SwitchDownstream => "port",
        PcieType.PcieToPciBridge => "PCIe-PCI bridge",
        PcieType.PciToPcieBridge => "PCI-PCIe bridge",
        _ => "bridge",
    };

    private TopoNode Folded(List<int> functions)
    {
        int count = 0;
        var classes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (int function in functions)
        {
            for (int i = function; i < _topology.SubtreeEnds[function]; i++)
            {
                string name = ClassName(_topology.ClassCodes[i]);
                classes[name] = classes.GetValueOrDefault(name) + 1;
                count++;
            }
        }

        string what = string.Join(", ", classes.Select(pair => $"{pair.Value} {pair.Key}"));
        return new TopoNode().Add($"+ {count} more: {what}", TopoSpanKind.Dim);
    }

    private TopoNode FoldedHostBridges(List<int> hostBridges)
    {
        int count = 0;
        foreach (int h in hostBridges)
        {
            count += _topology.HostBridgeEnds[h] - _topology.HostBridgeStarts[h];
        }

        string buses = string.Join(" ", hostBridges.Select(h => _topology.RootBuses[h].ToString()));
        return new TopoNode().Add($"+ {hostBridges.Count} host bridges with {count} functions and no device of the matrix: {buses}", TopoSpanKind.Dim);
    }

    private static string ClassName(int classCode) => classCode < 0 ? "of unknown class" : (classCode >> 16) switch
    {
        0x01 => "storage",
        0x02 => "network",
        0x03 => "display",
        0x05 => "memory",
        0x06 => (classCode >> 8) == 0x0604 ? "PCI bridge" : "bridge",
        0x07 => "communication",
        0x08 => "system",
        0x0c => "serial bus",
        0x11 => "counters",
        _ => "other",
    };

    private int NumaOf(int hostBridge)
    {
        for (int i = _topology.HostBridgeStarts[hostBridge]; i < _topology.HostBridgeEnds[hostBridge]; i++)
        {
            if (_topology.NumaNodes[i] >= 0)
            {
                return _topology.NumaNodes[i];
            }
        }

        return -1;
    }
}
