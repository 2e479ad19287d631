namespace HmmFast;

/// <summary>The outcome of a call, numbered as Linux errno values with their sign turned positive; 0 is success.</summary>
/// <remarks>Outcomes are values. Exceptions are for misuse by the caller.</remarks>
public enum HmmStatus
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>EPERM: write access asked of a VMA that has none.</summary>
    NotPermitted = 1,

    /// <summary>ENOENT: something that should be there is not.</summary>
    NoEntry = 2,

    /// <summary>EAGAIN: cannot be done now, may work later (a collapse whose pages are held elsewhere).</summary>
    TryAgain = 11,

    /// <summary>ENOMEM: out of frames (nothing is lost), or an address-space call over a hole.</summary>
    OutOfMemory = 12,

    /// <summary>EACCES: access not allowed.</summary>
    AccessDenied = 13,

    /// <summary>EFAULT: no page can be had there.</summary>
    Fault = 14,

    /// <summary>EBUSY: the notifier's sequence is stale, or a page is held by someone else; try again.</summary>
    Busy = 16,

    /// <summary>EINVAL: the call makes no sense there.</summary>
    Invalid = 22,

    /// <summary>EREMOTEIO: a peer's memory cannot be reached.</summary>
    RemoteIo = 121,

    /// <summary>EOPNOTSUPP: the device or range cannot do this.</summary>
    NotSupported = 95,
}
