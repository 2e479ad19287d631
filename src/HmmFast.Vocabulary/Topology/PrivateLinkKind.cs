namespace HmmFast.Topology;

/// <summary>The kinds of links beside PCI that devices have among themselves.</summary>
public enum PrivateLinkKind : byte
{
    /// <summary>NVLink.</summary>
    NvLink = 1,

    /// <summary>xGMI (Infinity Fabric).</summary>
    XGmi = 2,

    /// <summary>CXL.</summary>
    Cxl = 3,
}
