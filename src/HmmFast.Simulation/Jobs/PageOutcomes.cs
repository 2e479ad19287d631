namespace HmmFast.Simulation.Jobs;

/// <summary>Pages counted by what a device was told of them.</summary>
public record struct PageOutcomes
{
    /// <summary>Device-private pages handed out as they are.</summary>
    public ulong Private { get; set; }

    /// <summary>System frames.</summary>
    public ulong System { get; set; }

    /// <summary>The zero page, small or huge.</summary>
    public ulong Zero { get; set; }

    /// <summary>Nothing there (or not to be seen without a fault).</summary>
    public ulong Hole { get; set; }

    /// <summary>Can never be given.</summary>
    public ulong Error { get; set; }

    /// <summary>All of them.</summary>
    public readonly ulong Total => Private + System + Zero + Hole + Error;

    /// <summary>Counts result words.</summary>
    /// <param name="words">The words of a call.</param>
    /// <param name="layout">Their layout.</param>
    /// <param name="hugeZeroFirst">First frame of the huge zero page; device frames follow its 512.</param>
    public void Count(ReadOnlySpan<HmmPfn> words, HmmPfnLayout layout, ulong hugeZeroFirst)
    {
        ulong valid = layout.ValidBit;
        ulong error = layout.ErrorBit;
        ulong frameMask = layout.PfnMask;
        ulong deviceFirst = hugeZeroFirst + PageOrder.PagesPerBlock;
        ulong system = 0;
        ulong zero = 0;
        ulong device = 0;
        ulong errors = 0;
        foreach (HmmPfn word in words)
        {
            if ((word.Raw & valid) == 0)
            {
                errors += (word.Raw & error) != 0 ? 1UL : 0;
                continue;
            }

            ulong frame = word.Raw & frameMask;
            if (frame >= deviceFirst)
            {
                device++;
            }
            else if (frame == 0 || frame >= hugeZeroFirst)
            {
                zero++;
            }
            else
            {
                system++;
            }
        }

        Private += device;
        System += system;
        Zero += zero;
        Error += errors;
        Hole += (ulong)words.Length - device - system - zero - errors;
    }
}
