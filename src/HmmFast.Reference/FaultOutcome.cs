namespace HmmFast.Reference;

/// <summary>How one page fault ended (vm_fault_t).</summary>
internal enum FaultOutcome
{
    /// <summary>The entry was changed or was good already; whether the access is possible now shows the entry.</summary>
    Done,

    /// <summary>VM_FAULT_SIGBUS: no page can be had there.</summary>
    SigBus,

    /// <summary>VM_FAULT_OOM: no frame is free; the entry is as it was.</summary>
    OutOfMemory,

    /// <summary>VM_FAULT_RETRY: something was read from disk meanwhile; the fault starts again.</summary>
    Retry,

    /// <summary>The page is in the middle of a migration; a kernel would sleep.</summary>
    Wait,
}
