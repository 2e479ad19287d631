using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>Turns what a file says of a machine into the checked tree that the peer-to-peer rule is asked of.</summary>
/// <remarks>
/// What the file does not carry stays unknown. A function whose root bus is not known hangs on a placeholder host bridge: pairs below
/// one bridge are answered as always, and pairs that meet nowhere are answered with every answer that is possible.
/// </remarks>
public static class TopologyFromMachine
{
    // Placeholders that meet a real root bus of the same number are put into domains from the top down.
    private const uint FirstFreeDomain = uint.MaxValue;

    /// <summary>Makes the tree.</summary>
    /// <param name="machine">The machine as it was read.</param>
    /// <returns>The tree, with the machine's processor and private links.</returns>
    /// <exception cref="MachineReadException">The description is no tree; the message carries the source and the function.</exception>
    public static PciTopology Convert(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        try
        {
            return ConvertChecked(machine);
        }
        catch (PciTopologyException e)
        {
            throw new MachineReadException(machine.Source, 0, e.Address?.ToString(), e.Message, e);
        }
    }

    private static PciTopology ConvertChecked(MachineDescription machine)
    {
        var builder = new PciTopologyBuilder { Cpu = Cpu(machine.Cpu) };
        foreach (HostBridgeDescription hostBridge in machine.HostBridges)
        {
            builder.AddHostBridge(new PciHostBridgeSpec
            {
                RootBus = hostBridge.RootBus,
                FirstDevice = hostBridge.FirstDevice,
                IsComplete = hostBridge.FirstDevice is not null,
            });
        }

        var parents = new HashSet<PciAddress>();
        foreach (PciFunctionDescription function in machine.Functions)
        {
            if (function.Parent is PciAddress parent)
            {
                parents.Add(parent);
            }
        }

        var placeholders = new Dictionary<PciBusAddress, PciBusAddress>();
        foreach (PciFunctionDescription function in machine.Functions)
        {
            PciBusAddress? rootBus = function.RootBus;
            if (function.Parent is null && function.PhysicalFunction is null)
            {
                rootBus = rootBus is PciBusAddress given ? RealRoot(builder, given) : Placeholder(builder, placeholders, function.Address);
            }

            builder.AddFunction(Function(function, rootBus, parents.Contains(function.Address)));
        }

        foreach (PrivateLinkDescription link in machine.Links)
        {
            AddLink(builder, machine, link);
        }

        return builder.Build();
    }

    /// <summary>The processor, if what is known of it decides the rule: AMD without a family does not.</summary>
    private static CpuIdentity? Cpu(CpuDescription? cpu)
    {
        if (cpu?.Vendor is not string vendor || (cpu.Family is null && vendor == "AuthenticAMD"))
        {
            return null;
        }

        return new CpuIdentity(vendor, cpu.Family ?? CpuIdentity.UnknownFamily, cpu.Model ?? 0);
    }

    private static PciBusAddress RealRoot(PciTopologyBuilder builder, PciBusAddress rootBus)
    {
        if (!builder.HasHostBridge(rootBus))
        {
            builder.AddHostBridge(new PciHostBridgeSpec { RootBus = rootBus, IsComplete = false });
        }

        return rootBus;
    }

    private static PciBusAddress Placeholder(
        PciTopologyBuilder builder,
        Dictionary<PciBusAddress, PciBusAddress> placeholders,
        PciAddress address)
    {
        if (placeholders.TryGetValue(address.BusAddress, out PciBusAddress placeholder))
        {
            return placeholder;
        }

        placeholder = address.BusAddress;
        for (uint domain = FirstFreeDomain; builder.HasHostBridge(placeholder); domain--)
        {
            placeholder = placeholder with { Domain = domain };
        }

        placeholders.Add(address.BusAddress, placeholder);
        builder.AddHostBridge(new PciHostBridgeSpec
        {
            RootBus = placeholder,
            IsComplete = false,
            IsPlaceholder = true,
            Name = "unknown place",
        });
        return placeholder;
    }

    private static PciFunctionSpec Function(PciFunctionDescription from, PciBusAddress? rootBus, bool isParent) => new()
    {
        Address = from.Address,
        Parent = from.PhysicalFunction is null ? from.Parent : null,
        RootBus = rootBus,
        HiddenBridgesAbove = from.Parent is null && from.RootBus is null ? 0 : from.HiddenBridgesAbove,
        PhysicalFunction = from.PhysicalFunction,
        Vendor = from.VendorId,
        Device = from.DeviceId,
        ClassCode = from.ClassCode is ushort classCode ? (classCode << 8) | (from.ProgrammingInterface ?? 0) : null,
        PcieType = TypeOf(from),
        IsBridge = from.IsBridge || isParent,
        SecondaryBus = from.SecondaryBus,
        Acs = AcsOf(from.Acs),
        LinkSpeedMtps = Mtps(from.Link?.SpeedGigatransfers),
        LinkWidth = from.Link?.Width is > 0 and int width ? width : null,
        MaxLinkSpeedMtps = Mtps(from.Link?.MaxSpeedGigatransfers),
        MaxLinkWidth = from.Link?.MaxWidth is > 0 and int maxWidth ? maxWidth : null,
        NumaNode = from.NumaNode,
        IommuGroup = from.IommuGroup,
        Name = from.Name,
    };

    private static PcieType TypeOf(PciFunctionDescription function)
    {
        if (function.PcieType is byte type)
        {
            // Types that no one has defined yet are not taken for any that the rule asks for.
            return Enum.IsDefined((PcieType)type) ? (PcieType)type : PcieType.Unknown;
        }

        if (function.IsPcie == false)
        {
            return PcieType.Conventional;
        }

        return function.Kind switch
        {
            PciFunctionKind.RootPort => PcieType.RootPort,
            PciFunctionKind.SwitchUpstream => PcieType.SwitchUpstream,
            PciFunctionKind.SwitchDownstream => PcieType.SwitchDownstream,
            PciFunctionKind.PcieToPciBridge => PcieType.PcieToPciBridge,
            PciFunctionKind.PciToPcieBridge => PcieType.PciToPcieBridge,
            PciFunctionKind.PciBridge => PcieType.Conventional,
            _ => PcieType.Unknown,
        };
    }

    private static AcsState AcsOf(AcsDescription acs)
    {
        if (acs.IsPresent == false)
        {
            return AcsState.Absent;
        }

        return acs.Control is ushort control
            ? AcsState.Present((AcsControl)(acs.Capability ?? control), (AcsControl)control)
            : AcsState.Unknown;
    }

    private static int? Mtps(double? gigatransfers) => gigatransfers is > 0 and double speed ? (int)Math.Round(speed * 1000) : null;

    private static void AddLink(PciTopologyBuilder builder, MachineDescription machine, PrivateLinkDescription link)
    {
        PrivateLinkKind? kind = link.Kind switch
        {
            LinkKind.NvLink => PrivateLinkKind.NvLink,
            LinkKind.Xgmi => PrivateLinkKind.XGmi,
            LinkKind.Cxl => PrivateLinkKind.Cxl,
            _ => null,
        };

        // Links among processors, of devices without a place in the tree, and from a device to itself stay in the description only.
        if (kind is null || link.FromAddress is not PciAddress from || machine.Find(from) is null || link.ToAddress == from)
        {
            return;
        }

        bool isToDescribed = link.ToAddress is PciAddress to && machine.Find(to) is not null;
        builder.AddPrivateLink(new PrivateLinkSpec
        {
            From = from,
            To = isToDescribed ? link.ToAddress : null,
            Kind = kind.Value,
            LinkCount = link.LinkCount is > 0 ? link.LinkCount : null,
            BandwidthBytesPerSecond = link.BandwidthMegabytesPerSecond * 1e6,
            LatencyNs = link.LatencyNs,
            IsLive = link.IsLive,
        });
    }
}
