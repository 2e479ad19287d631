using HmmFast.Policies;

namespace HmmFast.Drivers.Fabric;

/// <summary>A private link between two members; it works both ways.</summary>
/// <param name="From">One member's index.</param>
/// <param name="To">The other's.</param>
/// <param name="Path">What it can do in one direction.</param>
/// <param name="IsUpAtStart">Its live state at the start.</param>
public sealed record FabricLink(int From, int To, PathEstimate Path, bool IsUpAtStart = true);
