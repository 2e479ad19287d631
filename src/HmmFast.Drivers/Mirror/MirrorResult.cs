namespace HmmFast.Drivers.Mirror;

/// <summary>How one of the mirror device's operations ended. The counts say what was done, also when it failed.</summary>
/// <param name="Status">Ok, or the error.</param>
/// <param name="PageCount">Pages copied or moved (the driver's <c>cpages</c>); each operation says which.</param>
/// <param name="FaultRoundCount">Rounds of range faults that were needed (the driver's <c>faults</c>).</param>
public readonly record struct MirrorResult(HmmStatus Status, ulong PageCount, ulong FaultRoundCount)
{
    /// <summary>The outcome of a command whose arguments make no sense: nothing was looked at.</summary>
    public static readonly MirrorResult BadArguments = new(HmmStatus.Invalid, 0, 0);
}
