namespace HmmFast;

/// <summary>What a device's pagemap holds: the kernel's <c>enum memory_type</c>.</summary>
public enum DeviceMemoryKind : byte
{
    /// <summary>MEMORY_DEVICE_PRIVATE: no address others can use; the CPU page table holds a swap-like entry.</summary>
    Private,

    /// <summary>MEMORY_DEVICE_COHERENT: CPU and devices access the pages in place; the CPU page table holds present entries.</summary>
    Coherent,

    /// <summary>
    /// MEMORY_DEVICE_PCI_P2PDMA: alias pages over a BAR window of another pagemap's memory. They are never allocated or mapped by the CPU; a policy
    /// hands them out in a private page's stead. The owner may be NULL.
    /// </summary>
    PciP2pdma,
}
