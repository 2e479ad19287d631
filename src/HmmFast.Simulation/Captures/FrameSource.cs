namespace HmmFast.Simulation.Captures;

/// <summary>Where a capture's frame numbers come from.</summary>
public enum FrameSource : byte
{
    /// <summary>The kernel showed them: two pages with one frame number share a frame.</summary>
    Kernel,

    /// <summary>
    /// The reader may not see them (no CAP_SYS_ADMIN), or asked for none. The numbers are made up: counted upward in page order for anonymous memory,
    /// one number a file page for files, 0 for the zero page. Sharing of anonymous frames is then not in the capture.
    /// </summary>
    Synthetic,
}
