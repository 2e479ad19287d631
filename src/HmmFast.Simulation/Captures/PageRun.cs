namespace HmmFast.Simulation.Captures;

/// <summary>Neighbouring pages of one VMA in one state. 16 bytes.</summary>
public readonly record struct PageRun
{
    private readonly ulong _packed;

    /// <summary>Makes a run.</summary>
    /// <param name="start">First page.</param>
    /// <param name="pageCount">Pages in it; at least 1.</param>
    /// <param name="state">What they all are; not <see cref="PageState.None"/>.</param>
    public PageRun(Vpn start, ulong pageCount, PageState state)
    {
        Start = start;
        _packed = (pageCount << 8) | (byte)state;
    }

    /// <summary>First page.</summary>
    public Vpn Start { get; }

    /// <summary>Pages in the run.</summary>
    public ulong PageCount => _packed >> 8;

    /// <summary>What they all are.</summary>
    public PageState State => (PageState)(byte)_packed;

    /// <summary>The page after the last.</summary>
    public Vpn End => Start + PageCount;

    /// <summary>The run as a range.</summary>
    public VpnRange Range => new(Start, PageCount);
}
