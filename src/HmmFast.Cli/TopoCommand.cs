using System.CommandLine;
using System.Text;
using HmmFast.Cli.Topo;
using HmmFast.Simulation.Machines;
using HmmFast.Topology;

namespace HmmFast.Cli;

/// <summary><c>hmmfast topo</c>: draws a machine's PCI tree and says for every pair of devices whether peer-to-peer DMA works, and why.</summary>
public static class TopoCommand
{
    private const int MostPairsInFull = 28;

    /// <summary>Makes the command.</summary>
    /// <param name="io">Where it writes.</param>
    public static Command Create(CommandIo io)
    {
        Argument<string?> file = new("FILE")
        {
            Description = "lspci text, sysfs tree, hwloc or NCCL XML, own JSON, kfd tree, nvidia-smi matrix; nothing: this machine.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string[]> whatIf = new("--what-if")
        {
            Description = "Change one thing and show what changes (again for more, one after the other): " + string.Join("; ", TopologyChange.Forms.Select(form => form.Split(' ')[0])),
        };
        Option<string> list = new("--kernel-list") { Description = "Host bridge list: linux-6.12 or none, with ,vendor:device[:same] for added lines; or a .json file.", DefaultValueFactory = _ => HostBridgeList.Linux612.Name };
        Option<string?> cpu = new("--cpu") { Description = "The processor, where the file does not say: VENDOR:FAMILY, as AuthenticAMD:0x19 or Intel:6." };
        Option<string?> devices = new("--devices") { Description = "Devices of the matrix: GPU, NIC, NVMe, ACC, VGA, DEV, addresses, with commas between; or all." };
        Option<string?> svg = new("--svg") { Description = "Write a picture to this file." };
        Option<string?> compare = new("--compare") { Description = "Lay a second file of the machine beside the first and list the differences." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Option<bool> pairs = new("--pairs") { Description = "Print path and reason of every pair." };
        Option<bool> all = new("--all") { Description = "Draw every function; nothing is folded." };
        Command command = new("topo", "Draws a machine's PCI tree, and says for every pair of devices whether peer-to-peer DMA works, and why.")
        {
            file, whatIf, list, cpu, devices, svg, compare, json, pairs, all,
        };
        command.SetAction(parsed =>
        {
            try
            {
                return Run(io, new Request(
                    parsed.GetValue(file), parsed.GetValue(whatIf) ?? [], parsed.GetValue(list)!, parsed.GetValue(cpu), parsed.GetValue(devices),
                    parsed.GetValue(svg), parsed.GetValue(compare), parsed.GetValue(json), parsed.GetValue(pairs), parsed.GetValue(all)));
            }
            catch (FormatException e)
            {
                throw new UsageException(e.Message);
            }
            catch (PciTopologyException e)
            {
                throw new UsageException(e.Message);
            }
        });
        return command;
    }

    private static int Run(CommandIo io, Request request)
    {
        HostBridgeList list = HostBridgeListFile.Open(request.List);
        MachineDescription machine = Open(request.File, request.Cpu);
        var state = new TopologyState(TopologyFromMachine.Convert(machine), list);
        IReadOnlyList<TopoDevice> devices = Choose(state, machine, request.Devices);
        var view = new TopoView(machine, state, devices);
        var changes = new List<(string Change, TopoView Before, TopoView After)>();
        TopoView last = view;
        foreach (string change in request.WhatIf)
        {
            TopologyState after = TopologyChange.Apply(last.State, change);
            var changed = new TopoView(machine, after, [.. devices.Select(device => device with { Index = after.Topology.IndexOf(device.Address) })]);
            changes.Add((change, last, changed));
            last = changed;
        }

        if (request.Svg is not null)
        {
            File.WriteAllText(request.Svg, TopoSvg.Draw(last, TopoTree.Build(last, request.IsWhole), TopoReasons.Group(last)), new UTF8Encoding(false));
        }

        if (request.IsJson)
        {
            JsonOutput.Write(io, TopoJson.Document(view, [.. changes.Select(change => TopoJson.Change(change.Change, change.Before, change.After))]));
        }
        else
        {
            WriteText(io, request, view, changes);
        }

        return request.Compare is null ? ExitCode.Ok : Compare(io, view, request);
    }

    private static MachineDescription Open(string? file, string? cpu)
    {
        MachineDescription machine = file is null ? MachineReader.ReadRunningMachine() : MachineReader.Open(file);
        if (cpu is null)
        {
            return machine;
        }

        var given = CpuIdentity.Parse(cpu);
        return machine.WithCpu(new CpuDescription { Vendor = given.Vendor, Family = given.Family, Model = given.Model });
    }

    private static IReadOnlyList<TopoDevice> Choose(TopologyState state, MachineDescription machine, string? wanted)
    {
        var rule = new P2PdmaDistance(state.Topology, state.List);
        IReadOnlyList<TopoDevice> devices = DeviceSelection.Choose(state.Topology, machine, wanted, rule);
        return devices.Count <= DeviceSelection.MaxDevices
            ? devices
            : throw new UsageException($"--devices: {devices.Count} devices; a matrix is drawn for at most {DeviceSelection.MaxDevices}");
    }

    private static void WriteText(CommandIo io, Request request, TopoView view, List<(string Change, TopoView Before, TopoView After)> changes)
    {
        var text = new TopoText(io.Tables);
        text.WriteHead(view);
        if (changes.Count > 0 && !request.IsEveryPair && !request.IsWhole)
        {
            WriteChanges(text, request, changes);
            return;
        }

        text.Line("");
        text.WriteTree(TopoTree.Build(view, request.IsWhole));
        if (view.Topology.PrivateLinks.Count > 0)
        {
            text.Heading("Private links");
            text.WriteLinks(view);
        }

        if (view.Devices.Count > 0)
        {
            text.Heading($"Peer-to-peer matrix of {view.Devices.Count} devices");
            text.WriteMatrix(view);
            text.Heading("Why");
            text.WriteReasons(view, TopoReasons.Group(view));
        }

        int pairCount = view.Devices.Count * (view.Devices.Count - 1) / 2;
        if (request.IsEveryPair || (pairCount is > 0 and <= MostPairsInFull && changes.Count == 0))
        {
            text.Heading("Every pair");
            WritePairs(text, view);
        }
        else if (pairCount > 0 && changes.Count == 0)
        {
            text.Line("");
            text.Line("--pairs prints path, port and host bridge line of every pair; --what-if changes one thing.");
        }

        text.WriteRelations(view);
        WriteUnknowns(text, view);
        WriteChanges(text, request, changes);
    }

    private static void WriteChanges(TopoText text, Request request, List<(string Change, TopoView Before, TopoView After)> changes)
    {
        foreach ((string change, TopoView before, TopoView after) in changes)
        {
            WriteChange(text, change, before, after);
        }

        if (request.Svg is not null)
        {
            text.Line("");
            text.Line($"picture: {request.Svg}");
        }
    }

    private static void WritePairs(TopoText text, TopoView view)
    {
        // Every matrix is symmetric (distance, map type and reason), so one direction says it.
        for (int a = 0; a < view.Devices.Count; a++)
        {
            for (int b = a + 1; b < view.Devices.Count; b++)
            {
                text.WritePair(view, a, b);
            }
        }
    }

    private static void WriteUnknowns(TopoText text, TopoView view)
    {
        MachineUnknown[] unknowns = [.. (view.Machine?.Unknowns ?? []).Where(unknown => Matters(unknown.Fact))];
        if (unknowns.Length == 0)
        {
            return;
        }

        text.Heading("Unknown, as far as it matters here");
        foreach (MachineUnknown unknown in unknowns)
        {
            text.Wrapped("  ", unknown.ToString(), null);
        }
    }

    private static bool Matters(MachineFact fact) => fact is MachineFact.Cpu or MachineFact.Functions or MachineFact.DeviceId or MachineFact.PcieType
        or MachineFact.AcsPresence or MachineFact.AcsControl or MachineFact.Parent or MachineFact.RootBus or MachineFact.HostBridgeDevice;

    private static void WriteChange(TopoText text, string change, TopoView before, TopoView after)
    {
        text.Heading($"What if {change}");
        bool Differs(int a, int b) => !TopoView.IsSame(before[a, b], after[a, b]);
        int changed = 0;
        var byCells = new SortedDictionary<string, List<(int, int)>>(StringComparer.Ordinal);
        for (int a = 0; a < before.Devices.Count; a++)
        {
            for (int b = a + 1; b < before.Devices.Count; b++)
            {
                if (Differs(a, b))
                {
                    changed++;
                    string key = $"{TopoView.AnswerText(before[a, b])} -> {TopoView.AnswerText(after[a, b])}";
                    if (!byCells.TryGetValue(key, out List<(int, int)>? pairs))
                    {
                        byCells.Add(key, pairs = []);
                    }

                    pairs.Add((a, b));
                }
            }
        }

        text.Line($"{changed} of {before.Devices.Count * (before.Devices.Count - 1) / 2} pairs change; of all {before.Topology.Count} functions, "
            + $"{ChangedPairs(before, after)} of {(long)before.Topology.Count * before.Topology.Count} ordered pairs.");
        foreach ((string key, List<(int, int)> pairs) in byCells)
        {
            text.Wrapped($"  {pairs.Count,4}  ", $"{key}: {TopoReasons.Members(before, pairs)}", null);
        }

        if (changed > 0)
        {
            text.Line("and the reason is then:");
            text.WriteReasons(after, TopoReasons.Group(after, Differs));
        }
    }

    /// <summary>How many ordered pairs of all functions have another answer, row by row; functions are matched by address.</summary>
    private static long ChangedPairs(TopoView before, TopoView after)
    {
        int count = before.Topology.Count;
        int[] place = new int[count];
        for (int i = 0; i < count; i++)
        {
            place[i] = after.Topology.IndexOf(before.Topology.Addresses[i]);
        }

        long changed = 0;
        var rowBefore = new P2PdmaAnswer[count];
        var rowAfter = new P2PdmaAnswer[count];
        for (int provider = 0; provider < count; provider++)
        {
            before.Rule.FillRow(provider, rowBefore);
            after.Rule.FillRow(place[provider], rowAfter);
            for (int client = 0; client < count; client++)
            {
                changed += rowBefore[client] != rowAfter[place[client]] ? 1 : 0;
            }
        }

        return changed;
    }

    private static int Compare(CommandIo io, TopoView view, Request request)
    {
        MachineDescription other = MachineReader.Open(request.Compare!);
        IReadOnlyList<MachineDifference> differences = MachineComparison.Compare(view.Machine!, other);
        if (request.IsJson)
        {
            JsonOutput.Write(io, differences);
        }
        else
        {
            WriteComparison(new TopoText(io.Tables), view, other, differences);
        }

        return differences.Any(difference => difference.IsContradiction) ? ExitCode.Different : ExitCode.Ok;
    }

    private static void WriteComparison(TopoText text, TopoView view, MachineDescription other, IReadOnlyList<MachineDifference> differences)
    {
        text.Heading($"Compared with {other.Source} ({other.Format}): left is the first file, right this one");
        foreach (MachineDifference difference in differences)
        {
            text.Wrapped(difference.IsContradiction ? "! " : "  ", difference.ToString(), difference.IsContradiction ? "red" : null);
        }

        text.Line($"{differences.Count(difference => difference.IsContradiction)} contradictions, "
            + $"{differences.Count(difference => !difference.IsContradiction)} facts that only one of the two knows");
        PciTopology topology = TopologyFromMachine.Convert(other);
        TopoDevice[] shared = [.. view.Devices.Where(device => topology.TryFind(device.Address, out _))];
        var left = new TopoView(view.Machine, view.State, shared);
        var right = new TopoView(other, view.State with { Topology = topology }, [.. shared.Select(device => device with { Index = topology.IndexOf(device.Address) })]);
        int differing = 0;
        for (int a = 0; a < shared.Length; a++)
        {
            for (int b = a + 1; b < shared.Length; b++)
            {
                if (!TopoView.IsSame(left[a, b], right[a, b]))
                {
                    differing++;
                    text.Wrapped("  ", $"{shared[a].Label} {shared[a].Address} - {shared[b].Label} {shared[b].Address}: {TopoView.AnswerText(left[a, b])} left, {TopoView.AnswerText(right[a, b])} right", null);
                }
            }
        }

        text.Line($"{differing} of {shared.Length * (shared.Length - 1) / 2} pairs of devices that both have are answered differently");
    }

    private sealed record Request(
        string? File,
        IReadOnlyList<string> WhatIf,
        string List,
        string? Cpu,
        string? Devices,
        string? Svg,
        string? Compare,
        bool IsJson,
        bool IsEveryPair,
        bool IsWhole);
}
