namespace HmmFast.Simulation.Machines;

/// <summary>What a device named by a format is.</summary>
public enum MachineDeviceKind
{
    /// <summary>A processor or NUMA node.</summary>
    Cpu,

    /// <summary>A GPU or other accelerator.</summary>
    Gpu,

    /// <summary>A network interface.</summary>
    Nic,

    /// <summary>A switch of private links (NVSwitch).</summary>
    LinkSwitch,

    /// <summary>Anything else: disks, co-processors, frame buffers.</summary>
    Other,
}
