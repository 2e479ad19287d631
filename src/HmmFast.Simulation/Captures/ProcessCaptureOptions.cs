namespace HmmFast.Simulation.Captures;

/// <summary>How a live process is captured.</summary>
public sealed record ProcessCaptureOptions
{
    /// <summary>How pages are read.</summary>
    public PageScanMethod Method { get; init; }

    /// <summary>True leaves the kernel's frame numbers out even where they may be seen.</summary>
    public bool WithoutFrames { get; init; }

    /// <summary>Told how many of the mapped pages have been looked at, now and then.</summary>
    public IProgress<(ulong DonePages, ulong TotalPages)>? Progress { get; init; }
}
