namespace HmmFast.Simulation.Machines;

/// <summary>What a machine's description was read from; each format carries its own part of the truth.</summary>
public enum MachineFormat
{
    /// <summary>The project's own JSON; carries everything that the model has.</summary>
    Json,

    /// <summary>/sys of the machine that this process runs on.</summary>
    RunningMachine,

    /// <summary>A copy of /sys/bus/pci/devices, as a folder or a packed tar file.</summary>
    SysfsTree,

    /// <summary>The text of <c>lspci -v</c> to <c>-vvv</c>, with or without <c>-nn</c> and <c>-D</c>.</summary>
    LspciText,

    /// <summary>The hexadecimal dump of <c>lspci -x</c> to <c>-xxxx</c>.</summary>
    LspciHexDump,

    /// <summary>The drawn tree of <c>lspci -t</c>, with or without <c>-v</c>.</summary>
    LspciTree,

    /// <summary>A Markdown page with lspci texts in fenced blocks.</summary>
    Markdown,

    /// <summary>hwloc's (lstopo's) XML, versions 1, 2 and 3.</summary>
    HwlocXml,

    /// <summary>The topology XML of NCCL and RCCL.</summary>
    NcclXml,

    /// <summary>A copy of /sys/class/kfd/kfd/topology, as a folder or a packed tar file.</summary>
    KfdTree,

    /// <summary>The matrix of <c>nvidia-smi topo -m</c>.</summary>
    NvidiaSmiMatrix,
}
