namespace HmmFast.Simulation.Captures;

/// <summary>What a capture says about itself.</summary>
public sealed record CaptureFacts
{
    /// <summary>The process's name (comm), or the scenario's.</summary>
    public required string ProcessName { get; init; }

    /// <summary>Its pid; 0 for a made-up process.</summary>
    public int ProcessId { get; init; }

    /// <summary>The kernel's release string; empty for a made-up process.</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>Whether the frame numbers are the kernel's or made up.</summary>
    public FrameSource FrameSource { get; init; } = FrameSource.Synthetic;

    /// <summary>How pages were read; never <see cref="PageScanMethod.Auto"/> in a capture of a process.</summary>
    public PageScanMethod Method { get; init; } = PageScanMethod.PlainReads;

    /// <summary>True when <see cref="PageState.Huge"/> is known; false when the reader could not tell (plain reads without frame numbers).</summary>
    public bool KnowsHugePages { get; init; } = true;

    /// <summary>True when <see cref="PageState.Zero"/> is known of single pages; false when the reader could not tell (plain reads without frame numbers).</summary>
    public bool KnowsZeroPages { get; init; } = true;

    /// <summary>True when transparent huge pages are on for every VMA that does not refuse them.</summary>
    public bool HugePagesAlways { get; init; }

    /// <summary>True when the process changed its VMAs while it was read: the capture mixes two moments.</summary>
    public bool LayoutChanged { get; init; }

    /// <summary>VMAs left out because no address of theirs fits (the vsyscall page).</summary>
    public int SkippedVmaCount { get; init; }
}
