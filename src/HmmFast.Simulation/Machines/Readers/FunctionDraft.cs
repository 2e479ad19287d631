using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Where a function's parent comes from.</summary>
internal enum ParentSource
{
    /// <summary>The bridge whose secondary bus is the function's bus.</summary>
    BusNumbers,

    /// <summary>The reader set <see cref="FunctionDraft.Parent"/>; null = on a root bus.</summary>
    Explicit,

    /// <summary>The format does not carry the tree.</summary>
    Unknown,
}

/// <summary>A function while its file is being read.</summary>
internal sealed class FunctionDraft(PciAddress address, string file, int line)
{
    public PciAddress Address { get; } = address;

    public string File { get; } = file;

    public int Line { get; } = line;

    public ParentSource ParentSource { get; set; }

    public PciAddress? Parent { get; set; }

    public int? HiddenBridgesAbove { get; set; } = 0;

    public PciBusAddress? RootBus { get; set; }

    public PciFunctionKind? Kind { get; set; }

    public ushort? VendorId { get; set; }

    public ushort? DeviceId { get; set; }

    public ushort? ClassCode { get; set; }

    public byte? ProgrammingInterface { get; set; }

    public byte? Revision { get; set; }

    public ushort? SubsystemVendorId { get; set; }

    public ushort? SubsystemDeviceId { get; set; }

    public string? Name { get; set; }

    public string? Driver { get; set; }

    public bool? IsMultiFunction { get; set; }

    public bool? IsPcie { get; set; }

    public byte? PcieType { get; set; }

    public byte? HeaderType { get; set; }

    public byte? SecondaryBus { get; set; }

    public byte? SubordinateBus { get; set; }

    public PciAddress? PhysicalFunction { get; set; }

    public AcsDescription Acs { get; set; } = AcsDescription.Unknown;

    public double? Speed { get; set; }

    public int? Width { get; set; }

    public double? MaxSpeed { get; set; }

    public int? MaxWidth { get; set; }

    public double? Bandwidth { get; set; }

    public int? NumaNode { get; set; }

    public int? IommuGroup { get; set; }

    public List<BarDescription>? Bars { get; set; }

    /// <summary>Of the SR-IOV capability: enabled virtual functions, 0 = none or no capability.</summary>
    public int VirtualFunctionCount { get; set; }

    public int VirtualFunctionOffset { get; set; }

    public int VirtualFunctionStride { get; set; }

    public ushort? VirtualFunctionDeviceId { get; set; }

    public bool IsBridge => PcieType is >= 4 and <= 8 || HeaderType is 1 or 2 || SecondaryBus is not null || ClassCode is 0x0604 or 0x0607;

    public PciFunctionKind ResolveKind()
    {
        if (Kind is PciFunctionKind given)
        {
            return given;
        }

        switch (PcieType)
        {
            case 4: return PciFunctionKind.RootPort;
            case 5: return PciFunctionKind.SwitchUpstream;
            case 6: return PciFunctionKind.SwitchDownstream;
            case 7: return PciFunctionKind.PcieToPciBridge;
            case 8: return PciFunctionKind.PciToPcieBridge;
            default: break;
        }

        if (HeaderType == 2 || ClassCode == 0x0607)
        {
            return PciFunctionKind.CardBusBridge;
        }

        if (IsBridge)
        {
            return IsPcie == false ? PciFunctionKind.PciBridge : PciFunctionKind.Bridge;
        }

        return ClassCode == 0x0600 ? PciFunctionKind.HostBridgeDevice
            : ClassCode is null && HeaderType is null && PcieType is null ? PciFunctionKind.Unknown : PciFunctionKind.Endpoint;
    }

    public PciFunctionDescription Complete() => new()
    {
        Address = Address,
        Kind = ResolveKind(),
        Parent = Parent,
        HiddenBridgesAbove = HiddenBridgesAbove,
        RootBus = RootBus,
        VendorId = VendorId,
        DeviceId = DeviceId,
        ClassCode = ClassCode,
        ProgrammingInterface = ProgrammingInterface,
        Revision = Revision,
        SubsystemVendorId = SubsystemVendorId,
        SubsystemDeviceId = SubsystemDeviceId,
        Name = Name,
        Driver = Driver,
        IsMultiFunction = IsMultiFunction,
        IsPcie = IsPcie,
        PcieType = PcieType,
        SecondaryBus = SecondaryBus,
        SubordinateBus = SubordinateBus,
        PhysicalFunction = PhysicalFunction,
        Acs = Acs,
        Link = Speed is null && Width is null && MaxSpeed is null && MaxWidth is null && Bandwidth is null ? null : new()
        {
            SpeedGigatransfers = Speed,
            Width = Width,
            MaxSpeedGigatransfers = MaxSpeed,
            MaxWidth = MaxWidth,
            BandwidthGigabytesPerSecond = Bandwidth,
        },
        NumaNode = NumaNode,
        IommuGroup = IommuGroup,
        Bars = Bars,
    };
}
