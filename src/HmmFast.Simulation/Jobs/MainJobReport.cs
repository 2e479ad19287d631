using HmmFast.Simulation.Captures;

namespace HmmFast.Simulation.Jobs;

/// <summary>What the main job found.</summary>
public sealed record MainJobReport
{
    /// <summary>The process.</summary>
    public required string Process { get; init; }

    /// <summary>The policy nic0 was answered under.</summary>
    public string Policy { get; init; } = "owner-only";

    /// <summary>The capture's totals.</summary>
    public required CaptureSummary Captured { get; init; }

    /// <summary>How well the rebuilt process shows what the capture does.</summary>
    public required CaptureFidelity Fidelity { get; init; }

    /// <summary>What could not be rebuilt as it was.</summary>
    public required IReadOnlyList<string> Approximations { get; init; }

    /// <summary>Anonymous pages that the share was taken of.</summary>
    public ulong AnonymousPages { get; init; }

    /// <summary>Pages put on gpu0.</summary>
    public ulong PagesPlaced { get; init; }

    /// <summary>Bytes put on gpu0.</summary>
    public ulong BytesPlaced => PagesPlaced * PageOrder.PageSizeBytes;

    /// <summary>Pages wanted on gpu0 that stayed: pinned, or gpu0 was full.</summary>
    public ulong PagesNotPlaced { get; init; }

    /// <summary>migrate_vma calls.</summary>
    public ulong MigrationCalls { get; init; }

    /// <summary>Seconds inside migrate_vma and the driver's part of it.</summary>
    public double PlacingSeconds { get; init; }

    /// <summary>Pages that nic0's faults brought back from gpu0.</summary>
    public ulong PagesMigratedBack { get; init; }

    /// <summary>Bytes that nic0's faults brought back.</summary>
    public ulong BytesMigratedBack => PagesMigratedBack * PageOrder.PageSizeBytes;

    /// <summary>Page faults that nic0 caused.</summary>
    public ulong Faults { get; init; }

    /// <summary>gpu0 looks at the process, its own pages on it.</summary>
    public required PassReport OwnerLooks { get; init; }

    /// <summary>nic0 faults all of it.</summary>
    public required PassReport ClientFaults { get; init; }

    /// <summary>nic0 looks again, with nothing left to fault.</summary>
    public required PassReport ClientLooks { get; init; }

    /// <summary>The implementation's counters at the end.</summary>
    public MemoryCounters Counters { get; init; }

    /// <summary>Seconds to rebuild the process.</summary>
    public double LoadSeconds { get; init; }

    /// <summary>What the comparison said; null when none was asked for.</summary>
    public VerifyReport? Verify { get; init; }
}
