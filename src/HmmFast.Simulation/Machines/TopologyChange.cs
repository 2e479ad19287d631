using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>Changes one thing of a machine, to ask "what if": ACS bits, the kernel's list, the processor, the IOMMU, a card's place.</summary>
public static class TopologyChange
{
    /// <summary>The changes that <see cref="Apply"/> understands, one a line.</summary>
    public static IReadOnlyList<string> Forms { get; } =
    [
        "acs-clear=ADDRESS|all    switch RR, CR and EC off",
        "acs-set=ADDRESS|all      switch RR and CR on",
        "kernel-list=NAME[,LINE]  ask another kernel's host bridge list, built in or a .json file; LINE is vendor:device[:same]",
        "cpu=VENDOR:FAMILY        another processor, as AuthenticAMD:0x19",
        "iommu=on                 what a kernel with an IOMMU does: SV, RR, CR, UF on wherever a function can",
        "move=CARD,PLACE          move a card (all functions of its slot) below the bridge PLACE, or onto the root bus PLACE",
    ];

    /// <summary>Applies one change.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="change">The change, in one of the <see cref="Forms"/>.</param>
    /// <returns>The state after; the one before is left alone.</returns>
    /// <exception cref="FormatException">No such change, or its value is not what it takes; the message quotes it.</exception>
    /// <exception cref="PciTopologyException">The change names a function that is not there, or makes no tree.</exception>
    public static TopologyState Apply(TopologyState state, string change)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(change);
        int equals = change.IndexOf('=', StringComparison.Ordinal);
        string what = equals < 0 ? change : change[..equals];
        string value = equals < 0 ? "" : change[(equals + 1)..];
        return what switch
        {
            "acs-clear" => ChangeAcs(state, value, static acs => acs.Control & ~AcsControl.Redirecting),
            "acs-set" => ChangeAcs(state, value, static acs => acs.Control | AcsControl.RequestRedirect | AcsControl.CompletionRedirect),
            "kernel-list" => state with { List = HostBridgeListFile.Open(value) },
            "cpu" => ChangeCpu(state, CpuIdentity.Parse(value)),
            "iommu" when value == "on" => ChangeAcs(state, "all", static acs => acs.Control | (acs.Capability & AcsControl.KernelDefault)),
            "move" => Move(state, value),
            _ => throw new FormatException($"'{change}' is no change; there are:\n  {string.Join("\n  ", Forms)}"),
        };
    }

    private static TopologyState ChangeAcs(TopologyState state, string where, Func<AcsState, AcsControl> control)
    {
        PciTopologyBuilder builder = state.Topology.ToBuilder();
        if (where == "all")
        {
            for (int i = 0; i < state.Topology.Count; i++)
            {
                PciFunctionSpec function = state.Topology.Describe(i);
                if (function.Acs.IsPresent)
                {
                    builder.ReplaceFunction(function with { Acs = AcsState.Present(function.Acs.Capability, control(function.Acs)) });
                }
            }
        }
        else
        {
            PciFunctionSpec function = builder.Function(PciAddress.Parse(where));
            if (function.Acs.IsKnown && !function.Acs.IsPresent)
            {
                throw new PciTopologyException(function.Address, "it has no ACS capability, so none of its bits can be changed");
            }

            // Changing what was unknown makes it known: a port with the bits asked for.
            builder.ReplaceFunction(function with { Acs = AcsState.Present(function.Acs.Capability, control(function.Acs)) });
        }

        return state with { Topology = builder.Build() };
    }

    private static TopologyState ChangeCpu(TopologyState state, CpuIdentity cpu)
    {
        PciTopologyBuilder builder = state.Topology.ToBuilder();
        builder.Cpu = cpu;
        return state with { Topology = builder.Build() };
    }

    private static TopologyState Move(TopologyState state, string value)
    {
        string[] parts = value.Split(',');
        if (parts.Length != 2)
        {
            throw new FormatException($"'move={value}' is not move=CARD,PLACE (a function's address and a bridge's, or a root bus)");
        }

        PciTopology topology = state.Topology;
        PciAddress card = PciAddress.Parse(parts[0]);
        bool isBridge = PciAddress.TryParse(parts[1], out PciAddress bridge);
        PciBusAddress rootBus = isBridge ? default : PciBusAddress.Parse(parts[1]);
        PciTopologyBuilder builder = topology.ToBuilder();
        PciFunctionSpec moved = builder.Function(card);
        if (moved.PhysicalFunction is not null)
        {
            throw new PciTopologyException(card, $"it is a virtual function and moves with its physical one, {moved.PhysicalFunction}");
        }

        for (int i = 0; i < topology.Count; i++)
        {
            PciFunctionSpec function = topology.Describe(i);
            bool isOfCard = function.Address.BusAddress == card.BusAddress && function.Address.Device == card.Device
                && function.Parent == moved.Parent && function.PhysicalFunction is null;
            if (!isOfCard)
            {
                continue;
            }

            int home = topology.HostBridgeOf[i];
            if (topology.FirstDevices[home] == i)
            {
                builder.ForgetFirstDevice(topology.RootBuses[home]);
            }

            builder.ReplaceFunction(function with { Parent = isBridge ? bridge : null, RootBus = isBridge ? null : rootBus });
        }

        return state with { Topology = builder.Build() };
    }
}
