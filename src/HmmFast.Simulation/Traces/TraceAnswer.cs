using HmmFast.Drivers.Mirror;

namespace HmmFast.Simulation.Traces;

/// <summary>What the model answered to one step.</summary>
public sealed class TraceAnswer
{
    /// <summary>The outcome.</summary>
    public HmmStatus Status { get; set; }

    /// <summary>cpages.</summary>
    public ulong CopiedPageCount { get; set; }

    /// <summary>faults.</summary>
    public ulong FaultCount { get; set; }

    /// <summary>EBUSY answers of a direct range fault.</summary>
    public int BusyCount { get; set; }

    /// <summary>Content read, a page each.</summary>
    public ulong[] Tags { get; set; } = [];

    /// <summary>How each page's CPU access ended.</summary>
    public CpuAccessResult[] Accesses { get; set; } = [];

    /// <summary>A snapshot's bytes.</summary>
    public MirrorProtection[] Protections { get; set; } = [];

    /// <summary>A direct range fault's words before the first call.</summary>
    public HmmPfn[] Requests { get; set; } = [];

    /// <summary>And after the last.</summary>
    public HmmPfn[] Words { get; set; } = [];

    /// <summary>The outcome as a recording names it.</summary>
    public string ErrorName => NameOf(Status);

    /// <summary>The recorded name of a status; "0" for Ok.</summary>
    public static string NameOf(HmmStatus status) => status switch
    {
        HmmStatus.Ok => "0",
        HmmStatus.NotPermitted => "EPERM",
        HmmStatus.NoEntry => "ENOENT",
        HmmStatus.TryAgain => "EAGAIN",
        HmmStatus.OutOfMemory => "ENOMEM",
        HmmStatus.AccessDenied => "EACCES",
        HmmStatus.Fault => "EFAULT",
        HmmStatus.Busy => "EBUSY",
        HmmStatus.Invalid => "EINVAL",
        HmmStatus.NotSupported => "EOPNOTSUPP",
        HmmStatus.RemoteIo => "EREMOTEIO",
        _ => status.ToString(),
    };
}
