namespace HmmFast.AddressSpaces;

/// <summary>Which attempt of a fault it is: a CPU's fault that had to read from disk starts again, once; a device's does not.</summary>
internal enum FaultAttempt : byte
{
    /// <summary>Of a device or a driver: goes on whatever was read.</summary>
    Only,

    /// <summary>Of the CPU: ends in <see cref="FaultOutcome.Retry"/> when something was read.</summary>
    First,

    /// <summary>Of the CPU, again: reads nothing ahead any more.</summary>
    Second,
}
