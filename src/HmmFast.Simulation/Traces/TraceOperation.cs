namespace HmmFast.Simulation.Traces;

/// <summary>The operations a recording can hold.</summary>
public enum TraceOperation : byte
{
    /// <summary>mmap: maps at a fixed place.</summary>
    Map,

    /// <summary>munmap.</summary>
    Unmap,

    /// <summary>mprotect.</summary>
    Protect,

    /// <summary>madvise.</summary>
    Advise,

    /// <summary>mremap to a fixed place of the same size.</summary>
    Remap,

    /// <summary>cpu_read.</summary>
    CpuRead,

    /// <summary>cpu_write.</summary>
    CpuWrite,

    /// <summary>child_read.</summary>
    ChildRead,

    /// <summary>child_write.</summary>
    ChildWrite,

    /// <summary>fork.</summary>
    Fork,

    /// <summary>child_exit.</summary>
    ChildExit,

    /// <summary>clear_soft_dirty.</summary>
    ClearSoftDirty,

    /// <summary>dev_read.</summary>
    DeviceRead,

    /// <summary>dev_write.</summary>
    DeviceWrite,

    /// <summary>snapshot.</summary>
    Snapshot,

    /// <summary>migrate_to_dev.</summary>
    MigrateToDevice,

    /// <summary>migrate_to_sys.</summary>
    MigrateToSystem,

    /// <summary>exclusive.</summary>
    Exclusive,

    /// <summary>check_exclusive.</summary>
    CheckExclusive,

    /// <summary>range_fault: one direct hmm_range_fault call.</summary>
    RangeFault,
}
