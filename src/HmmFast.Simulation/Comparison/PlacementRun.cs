namespace HmmFast.Simulation.Comparison;

/// <summary>One part of the pattern that memory is spread by; the parts follow one another, over and over.</summary>
/// <param name="Device">Index of the device; <see cref="System"/> or <see cref="Untouched"/>.</param>
/// <param name="PageCount">Pages of the run.</param>
public readonly record struct PlacementRun(int Device, ulong PageCount)
{
    /// <summary>System memory.</summary>
    public const int System = -1;

    /// <summary>Memory that nobody has written.</summary>
    public const int Untouched = -2;
}
