namespace HmmFast;

/// <summary>What a device's pagemap holds: the kernel's <c>enum memory_type</c>.</summary>
public enum DeviceMemoryKind : byte
{
    /// <summary>MEMORY_DEVICE_PRIVATE: no address others can use; the CPU page table holds a swap-like entry.</summary>
    Private,

    /// <summary>MEMORY_DEVICE_COHERENT: CPU and devices access the pages in place; the CPU page table holds present entries.</summary>
    Coherent,
}
