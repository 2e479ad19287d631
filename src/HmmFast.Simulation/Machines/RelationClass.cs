namespace HmmFast.Simulation.Machines;

/// <summary>How far two devices are apart where a format tells only the class (the words of <c>nvidia-smi topo -m</c>).</summary>
public enum RelationClass
{
    /// <summary>X: the device itself.</summary>
    Self,

    /// <summary>PIX: at most one PCIe bridge between them.</summary>
    Pix,

    /// <summary>PXB: several PCIe bridges, no host bridge.</summary>
    Pxb,

    /// <summary>PHB: over one PCIe host bridge.</summary>
    Phb,

    /// <summary>NODE: over host bridges within one NUMA node.</summary>
    Node,

    /// <summary>SYS: over the interconnect between NUMA nodes.</summary>
    Sys,

    /// <summary>NV#: over a bundle of NVLinks.</summary>
    NvLink,
}
