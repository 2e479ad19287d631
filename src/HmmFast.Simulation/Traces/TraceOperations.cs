namespace HmmFast.Simulation.Traces;

/// <summary>The recorded names of the operations and what sort each is.</summary>
public static class TraceOperations
{
    private static readonly (TraceOperation Operation, string Name)[] Names =
    [
        (TraceOperation.Map, "mmap"),
        (TraceOperation.Unmap, "munmap"),
        (TraceOperation.Protect, "mprotect"),
        (TraceOperation.Advise, "madvise"),
        (TraceOperation.Remap, "mremap"),
        (TraceOperation.CpuRead, "cpu_read"),
        (TraceOperation.CpuWrite, "cpu_write"),
        (TraceOperation.ChildRead, "child_read"),
        (TraceOperation.ChildWrite, "child_write"),
        (TraceOperation.Fork, "fork"),
        (TraceOperation.ChildExit, "child_exit"),
        (TraceOperation.ClearSoftDirty, "clear_soft_dirty"),
        (TraceOperation.DeviceRead, "dev_read"),
        (TraceOperation.DeviceWrite, "dev_write"),
        (TraceOperation.Snapshot, "snapshot"),
        (TraceOperation.MigrateToDevice, "migrate_to_dev"),
        (TraceOperation.MigrateToSystem, "migrate_to_sys"),
        (TraceOperation.Exclusive, "exclusive"),
        (TraceOperation.CheckExclusive, "check_exclusive"),
        (TraceOperation.RangeFault, "range_fault"),
    ];

    /// <summary>Every operation, in the order of the enumeration.</summary>
    public static IReadOnlyList<TraceOperation> All { get; } = Array.ConvertAll(Names, static entry => entry.Operation);

    /// <summary>The name a recording uses.</summary>
    public static string NameOf(TraceOperation operation) => Names[(int)operation].Name;

    /// <summary>The operation of a recorded name.</summary>
    public static bool TryParse(string name, out TraceOperation operation)
    {
        foreach ((TraceOperation candidate, string candidateName) in Names)
        {
            if (candidateName == name)
            {
                operation = candidate;
                return true;
            }
        }

        operation = default;
        return false;
    }

    /// <summary>True for the operations of a device.</summary>
    public static bool IsDeviceOperation(TraceOperation operation) => operation >= TraceOperation.DeviceRead;

    /// <summary>True for the device operations that return cpages and faults (all but the direct range fault).</summary>
    public static bool HasCounts(TraceOperation operation) => IsDeviceOperation(operation) && operation != TraceOperation.RangeFault;

    /// <summary>True for operations on a range of pages.</summary>
    public static bool HasPages(TraceOperation operation) =>
        operation is not (TraceOperation.Fork or TraceOperation.ChildExit or TraceOperation.ClearSoftDirty);

    /// <summary>True for accesses by the CPU, in the parent or the child.</summary>
    public static bool IsCpuAccess(TraceOperation operation) =>
        operation is TraceOperation.CpuRead or TraceOperation.CpuWrite or TraceOperation.ChildRead or TraceOperation.ChildWrite;
}
