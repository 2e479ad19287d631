namespace HmmFast;

/// <summary>What a VMA maps.</summary>
public enum MappingKind : byte
{
    /// <summary>MAP_PRIVATE | MAP_ANONYMOUS.</summary>
    PrivateAnonymous,

    /// <summary>MAP_SHARED | MAP_ANONYMOUS: a nameless shmem object of its own.</summary>
    SharedAnonymous,

    /// <summary>MAP_PRIVATE of a file: reads map the file's page, writes copy it.</summary>
    PrivateFile,

    /// <summary>MAP_SHARED of a file.</summary>
    SharedFile,

    /// <summary>VM_MIXEDMAP: a driver inserted pages one by one into a private mapping: ordinary ones, and with <see cref="IAddressSpace.InsertMixed"/> such without struct page.</summary>
    DriverMixed,

    /// <summary>VM_PFNMAP: raw frame numbers without struct page; HMM never faults it.</summary>
    DriverPfn,

    /// <summary>VM_IO: device registers; HMM never faults it.</summary>
    DriverIo,
}
