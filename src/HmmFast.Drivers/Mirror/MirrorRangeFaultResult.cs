namespace HmmFast.Drivers.Mirror;

/// <summary>How a direct range fault ended.</summary>
/// <param name="Status">Outcome of the last call.</param>
/// <param name="BusyCount">Calls that answered Busy, the last one included.</param>
public readonly record struct MirrorRangeFaultResult(HmmStatus Status, int BusyCount);
