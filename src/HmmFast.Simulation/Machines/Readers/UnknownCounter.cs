namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Counts what a description lacks, the same way for every format, so that the list cannot disagree with the data.</summary>
internal static class UnknownCounter
{
    public static MachineDescription WithUnknowns(MachineDescription machine, IReadOnlyDictionary<MachineFact, string> reasons)
    {
        var unknowns = new List<MachineUnknown>();
        void Report(MachineFact fact, int count, int outOf)
        {
            if (count > 0)
            {
                unknowns.Add(new MachineUnknown(fact, count, outOf, reasons.GetValueOrDefault(fact) ?? Usual(machine.Format, fact)));
            }
        }

        IReadOnlyList<PciFunctionDescription> functions = machine.Functions;
        int Functions(Func<PciFunctionDescription, bool> lacks) => functions.Count(lacks);
        Report(MachineFact.Cpu, machine.Cpu is { IsKnown: true } ? 0 : 1, 1);
        Report(MachineFact.Functions, functions.Count == 0 ? 1 : 0, 1);
        Report(MachineFact.DeviceId, Functions(static f => f.VendorId is null || f.DeviceId is null), functions.Count);
        Report(MachineFact.ClassCode, Functions(static f => f.ClassCode is null), functions.Count);
        Report(MachineFact.PcieType, Functions(static f => f.IsPcie is null), functions.Count);
        Report(MachineFact.AcsPresence, Functions(static f => f.Acs.IsPresent is null), functions.Count);
        Report(MachineFact.AcsControl, Functions(static f => f.Acs.Redirects is null), Functions(static f => f.Acs.IsPresent != false));
        Report(MachineFact.Parent, Functions(static f => f.HiddenBridgesAbove != 0), functions.Count);
        Report(MachineFact.RootBus, Functions(static f => f.RootBus is null), functions.Count);
        Report(MachineFact.HostBridgeDevice, machine.HostBridges.Count(static b => b.FirstDevice is null), machine.HostBridges.Count);
        Report(MachineFact.SecondaryBus, Functions(static f => f.IsBridge && f.SecondaryBus is null), Functions(static f => f.IsBridge));
        Report(MachineFact.PcieLink, Functions(static f => HasLink(f) && f.Link?.SpeedGigatransfers is null
            && f.Link?.BandwidthGigabytesPerSecond is null), Functions(HasLink));
        Report(MachineFact.NumaNode, Functions(static f => f.NumaNode is null), functions.Count);
        Report(MachineFact.IommuGroup, Functions(static f => f.IommuGroup is null), functions.Count);
        Report(MachineFact.BarSize, Functions(static f => f.Bars is null || f.Bars.Any(static bar => bar.SizeBytes is null)), functions.Count);
        Report(MachineFact.DeviceAddress, machine.Devices.Count(static d => d.Kind != MachineDeviceKind.Cpu && d.Address is null),
            machine.Devices.Count(static d => d.Kind != MachineDeviceKind.Cpu));
        Report(MachineFact.LinkBandwidth, machine.Links.Count(static l => l.BandwidthMegabytesPerSecond is null), machine.Links.Count);
        Report(MachineFact.LinkLatency, machine.Links.Count(static l => l.LatencyNs is null), machine.Links.Count);
        Report(MachineFact.LinkLive, machine.Links.Count(static l => l.IsLive is null), machine.Links.Count);
        return new MachineDescription(machine.Source, machine.Format, functions)
        {
            Name = machine.Name,
            Cpu = machine.Cpu,
            HostBridges = machine.HostBridges,
            Devices = machine.Devices,
            Links = machine.Links,
            Relations = machine.Relations,
            Remarks = machine.Remarks,
            Unknowns = unknowns,
        };
    }

    // Integrated endpoints (9) and event collectors (10) have no link; the type of virtual functions' links is their owner's.
    private static bool HasLink(PciFunctionDescription function) =>
        function.IsPcie != false && function.PcieType is not (9 or 10) && !function.IsVirtualFunction;

    private static string Usual(MachineFormat format, MachineFact fact) => format switch
    {
        MachineFormat.Json => "the file leaves it out",
        MachineFormat.RunningMachine => fact is MachineFact.AcsPresence or MachineFact.AcsControl or MachineFact.PcieType
            ? "configuration space past its first 64 bytes is readable by root only" : "the kernel does not say",
        MachineFormat.SysfsTree => fact switch
        {
            MachineFact.AcsPresence or MachineFact.AcsControl or MachineFact.PcieType => "the copied config files are cut short",
            MachineFact.Cpu => "no cpuinfo beside the copied tree",
            MachineFact.IommuGroup => "no iommu_group links in the copied tree",
            _ => "the copied tree does not say",
        },
        MachineFormat.LspciText or MachineFormat.LspciHexDump => fact switch
        {
            MachineFact.Cpu => "lspci does not carry the processor",
            MachineFact.DeviceId => "names instead of numbers; run lspci with -nn",
            MachineFact.AcsPresence or MachineFact.AcsControl or MachineFact.PcieType =>
                "the capabilities are not in the text; run lspci -vvv as root",
            MachineFact.Parent or MachineFact.RootBus => "the listing leaves out the bridges above",
            MachineFact.IommuGroup or MachineFact.NumaNode => "the text has no such line",
            _ => "the text does not say",
        },
        MachineFormat.LspciTree => "lspci -t does not carry it",
        MachineFormat.Markdown => "none of the page's texts says it",
        MachineFormat.HwlocXml => fact == MachineFact.HostBridgeDevice
            ? "hwloc XML leaves out devices that it takes for unimportant" : "hwloc XML does not carry it, or has it as 0",
        MachineFormat.NcclXml => fact == MachineFact.Parent
            ? "NCCL XML leaves out every second bridge (root ports and downstream ports)" : "NCCL XML does not carry it, or has it empty",
        MachineFormat.KfdTree => fact is MachineFact.LinkLatency or MachineFact.LinkBandwidth
            ? "the driver gives 0 for it" : "kfd does not carry it",
        MachineFormat.NvidiaSmiMatrix => "nvidia-smi topo -m does not carry it",
        _ => "not said",
    };
}
