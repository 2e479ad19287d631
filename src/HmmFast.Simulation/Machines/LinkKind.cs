namespace HmmFast.Simulation.Machines;

/// <summary>The technology of a link between two devices.</summary>
public enum LinkKind
{
    /// <summary>NVIDIA's NVLink.</summary>
    NvLink,

    /// <summary>AMD's xGMI (Infinity Fabric).</summary>
    Xgmi,

    /// <summary>Compute Express Link.</summary>
    Cxl,

    /// <summary>A path over PCI Express, as kfd lists them beside the private links.</summary>
    Pcie,

    /// <summary>HyperTransport, between processors.</summary>
    HyperTransport,

    /// <summary>A type that its format defines and that carries no device memory traffic of interest here.</summary>
    Other,
}
