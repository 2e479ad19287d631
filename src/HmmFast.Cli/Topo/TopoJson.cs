using HmmFast.Simulation.Machines;
using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>A machine and its answers as one JSON document: what is unknown is null, never left out.</summary>
internal static class TopoJson
{
    /// <summary>The document.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="changes">What was changed and what that does; empty when nothing was.</param>
    public static object Document(TopoView view, IReadOnlyList<object> changes)
    {
        PciTopology topology = view.Topology;
        return new
        {
            Source = view.Machine?.Source,
            Format = view.Machine?.Format,
            Cpu = topology.Cpu is CpuIdentity cpu ? new { cpu.Vendor, Family = cpu.Family == CpuIdentity.UnknownFamily ? null : (int?)cpu.Family, cpu.Model } : null,
            HostBridgeList = new
            {
                view.State.List.Name,
                view.State.List.KernelVersion,
                view.State.List.Evidence,
                Processors = view.State.List.CpuRules.ToArray().Select(rule => rule.ToString()).ToArray(),
                Lines = view.State.List.Entries.ToArray().Select(line => line.ToString()).ToArray(),
            },
            HostBridges = Enumerable.Range(0, topology.HostBridgeCount).Select(h => HostBridge(view, h)).ToArray(),
            Functions = Enumerable.Range(0, topology.Count).Select(i => Function(topology, i)).ToArray(),
            Links = topology.PrivateLinks.Select(link => new
            {
                From = link.From.ToString(),
                To = link.To?.ToString(),
                Kind = link.Kind.ToString(),
                link.LinkCount,
                link.BandwidthBytesPerSecond,
                link.LatencyNs,
                link.IsLive,
            }).ToArray(),
            Devices = view.Devices.Select(device => new { device.Label, Address = device.Address.ToString(), device.FunctionCount }).ToArray(),
            Pairs = Pairs(view),
            Unknowns = (view.Machine?.Unknowns ?? []).Select(unknown => unknown.ToString()).ToArray(),
            WhatIf = changes,
        };
    }

    /// <summary>What a change does to the pairs of devices.</summary>
    /// <param name="change">The change.</param>
    /// <param name="before">The machine before.</param>
    /// <param name="after">The machine after, with the same devices.</param>
    public static object Change(string change, TopoView before, TopoView after)
    {
        var pairs = new List<object>();
        for (int a = 0; a < before.Devices.Count; a++)
        {
            for (int b = 0; b < before.Devices.Count; b++)
            {
                if (!TopoView.IsSame(before[a, b], after[a, b]))
                {
                    pairs.Add(new
                    {
                        Provider = before.Devices[a].Address.ToString(),
                        Client = before.Devices[b].Address.ToString(),
                        Before = TopoView.AnswerText(before[a, b]),
                        After = TopoView.AnswerText(after[a, b]),
                        Reason = after[a, b].Reason(),
                    });
                }
            }
        }

        return new { Change = change, ChangedPairs = pairs };
    }

    private static object HostBridge(TopoView view, int h)
    {
        var finding = HostBridgeFinding.Find(view.Topology, view.State.List, h);
        return new
        {
            RootBus = view.Topology.IsPlaceholder[h] ? null : finding.RootBus.ToString(),
            Speaker = finding.Speaker < 0 ? null : view.Topology.Addresses[finding.Speaker].ToString(),
            Line = finding.Line < 0 ? null : (int?)(finding.Line + 1),
            finding.Text,
        };
    }

    private static object Function(PciTopology topology, int i)
    {
        PciFunctionSpec spec = topology.Describe(i);
        return new
        {
            Address = spec.Address.ToString(),
            Parent = spec.Parent?.ToString(),
            RootBus = spec.RootBus?.ToString(),
            PhysicalFunction = spec.PhysicalFunction?.ToString(),
            spec.HiddenBridgesAbove,
            Vendor = spec.Vendor?.ToString("x4", null),
            Device = spec.Device?.ToString("x4", null),
            Class = spec.ClassCode?.ToString("x6", null),
            PcieType = spec.PcieType == PcieType.Unknown ? null : spec.PcieType.ToString(),
            spec.IsBridge,
            SecondaryBus = spec.SecondaryBus?.ToString("x2", null),
            Acs = !spec.Acs.IsKnown ? null : new
            {
                spec.Acs.IsPresent,
                Capability = ((int)spec.Acs.Capability).ToString("x4", null),
                Control = ((int)spec.Acs.Control).ToString("x4", null),
                Redirects = AcsState.BitNames(spec.Acs.RedirectingBits),
            },
            spec.LinkSpeedMtps,
            spec.LinkWidth,
            spec.MaxLinkSpeedMtps,
            spec.MaxLinkWidth,
            spec.NumaNode,
            spec.IommuGroup,
            spec.Name,
        };
    }

    private static object[] Pairs(TopoView view)
    {
        int count = view.Devices.Count;
        object[] pairs = new object[count * count];
        for (int i = 0; i < pairs.Length; i++)
        {
            P2PdmaExplanation why = view[i / count, i % count];
            pairs[i] = new
            {
                Provider = why.Provider.ToString(),
                Client = why.Client.ToString(),
                MapType = why.Answer.MapType.ToString(),
                why.Answer.Distance,
                why.IsCertain,
                Possible = why.PossibleAnswers.Select(answer => new { MapType = answer.MapType.ToString(), answer.Distance }).ToArray(),
                CommonBridge = why.CommonBridge?.ToString(),
                Path = why.PathIndices.Select(index => view.Topology.Addresses[index].ToString()).ToArray(),
                Redirectors = why.Redirectors.Select(redirector => new
                {
                    Address = redirector.Address.ToString(),
                    Bits = AcsState.BitNames(redirector.Bits),
                }).ToArray(),
                UnknownAcs = why.UnknownAcs.Select(address => address.ToString()).ToArray(),
                HostBridges = why.ProviderBridge == why.ClientBridge
                    ? new[] { why.ProviderBridge.Text }
                    : [why.ProviderBridge.Text, why.ClientBridge.Text],
                Reason = why.Reason(),
            };
        }

        return pairs;
    }
}
