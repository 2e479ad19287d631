namespace HmmFast;

/// <summary>How a CPU access to one page ended.</summary>
public enum CpuAccessResult : byte
{
    /// <summary>It went through.</summary>
    Ok,

    /// <summary>SIGSEGV, SEGV_MAPERR: no VMA there.</summary>
    SegvMapErr,

    /// <summary>SIGSEGV, SEGV_ACCERR: the VMA does not allow it.</summary>
    SegvAccErr,

    /// <summary>SIGBUS: beyond the end of the file, a page that failed, or a page that a driver never inserted.</summary>
    SigBus,

    /// <summary>No frame to be had; the page is as it was.</summary>
    OutOfMemory,
}
