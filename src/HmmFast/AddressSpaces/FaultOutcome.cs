namespace HmmFast.AddressSpaces;

/// <summary>How one page fault ended.</summary>
internal enum FaultOutcome : byte
{
    /// <summary>Something was done; look at the entry again.</summary>
    Done,

    /// <summary>Beyond the end of a file, or a driver's mapping that has nothing there.</summary>
    SigBus,

    /// <summary>No frame to be had; the page is as it was.</summary>
    OutOfMemory,

    /// <summary>Something was read from disk meanwhile; the fault starts again.</summary>
    Retry,

    /// <summary>A migration holds the page.</summary>
    Busy,
}
