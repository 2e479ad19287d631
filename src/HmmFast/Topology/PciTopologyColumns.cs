namespace HmmFast.Topology;

/// <summary>The columns of a <see cref="PciTopology"/>, filled by its builder and owned by it afterwards.</summary>
internal sealed class PciTopologyColumns
{
    public PciTopologyColumns(int functionCount, int hostBridgeCount)
    {
        Address = new PciAddress[functionCount];
        Parent = new int[functionCount];
        SubtreeEnd = new int[functionCount];
        Depth = new ushort[functionCount];
        HostBridge = new int[functionCount];
        PhysicalFunction = new int[functionCount];
        HiddenBridgesAbove = new int[functionCount];
        Acs = new AcsState[functionCount];
        PcieType = new PcieType[functionCount];
        IsBridge = new bool[functionCount];
        Vendor = new int[functionCount];
        Device = new int[functionCount];
        ClassCode = new int[functionCount];
        SecondaryBus = new int[functionCount];
        LinkSpeedMtps = new int[functionCount];
        LinkWidth = new int[functionCount];
        MaxLinkSpeedMtps = new int[functionCount];
        MaxLinkWidth = new int[functionCount];
        NumaNode = new int[functionCount];
        IommuGroup = new int[functionCount];
        Name = new string?[functionCount];
        RootBus = new PciBusAddress[hostBridgeCount];
        HostBridgeName = new string?[hostBridgeCount];
        HostBridgeStart = new int[hostBridgeCount];
        HostBridgeEnd = new int[hostBridgeCount];
        FirstDevice = new int[hostBridgeCount];
        IsPlaceholder = new bool[hostBridgeCount];
    }

    public PciAddress[] Address { get; }

    public int[] Parent { get; }

    public int[] SubtreeEnd { get; }

    public ushort[] Depth { get; }

    public int[] HostBridge { get; }

    public int[] PhysicalFunction { get; }

    public int[] HiddenBridgesAbove { get; }

    public AcsState[] Acs { get; }

    public PcieType[] PcieType { get; }

    public bool[] IsBridge { get; }

    public int[] Vendor { get; }

    public int[] Device { get; }

    public int[] ClassCode { get; }

    public int[] SecondaryBus { get; }

    public int[] LinkSpeedMtps { get; }

    public int[] LinkWidth { get; }

    public int[] MaxLinkSpeedMtps { get; }

    public int[] MaxLinkWidth { get; }

    public int[] NumaNode { get; }

    public int[] IommuGroup { get; }

    public string?[] Name { get; }

    public PciBusAddress[] RootBus { get; }

    public string?[] HostBridgeName { get; }

    public int[] HostBridgeStart { get; }

    public int[] HostBridgeEnd { get; }

    public int[] FirstDevice { get; }

    public bool[] IsPlaceholder { get; }

    public PrivateLinkSpec[] PrivateLinks { get; set; } = [];

    /// <summary>Copies what a function's description says for itself, without its place in the tree.</summary>
    public void SetFacts(int index, PciFunctionSpec spec)
    {
        Address[index] = spec.Address;
        HiddenBridgesAbove[index] = spec.HiddenBridgesAbove ?? -1;
        Acs[index] = spec.Acs;
        PcieType[index] = spec.PcieType;
        IsBridge[index] = spec.IsBridge;
        Vendor[index] = spec.Vendor ?? -1;
        Device[index] = spec.Device ?? -1;
        ClassCode[index] = spec.ClassCode ?? -1;
        SecondaryBus[index] = spec.SecondaryBus ?? -1;
        LinkSpeedMtps[index] = spec.LinkSpeedMtps ?? -1;
        LinkWidth[index] = spec.LinkWidth ?? -1;
        MaxLinkSpeedMtps[index] = spec.MaxLinkSpeedMtps ?? -1;
        MaxLinkWidth[index] = spec.MaxLinkWidth ?? -1;
        NumaNode[index] = spec.NumaNode ?? -1;
        IommuGroup[index] = spec.IommuGroup ?? -1;
        Name[index] = spec.Name;
    }
}
