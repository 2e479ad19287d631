using System.Runtime.CompilerServices;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>Everything a decision table rests on. Two calls with equal keys share a table.</summary>
/// <param name="Policy">The policy; null is owner-only.</param>
/// <param name="Client">The importer, or null.</param>
/// <param name="Reach">What it reaches, read once for the call.</param>
/// <param name="Owner">The range's owner.</param>
/// <param name="OwnersVersion">Counts changes of pagemaps' owners.</param>
/// <param name="ClassCount">Classes that exist; more may come.</param>
internal readonly record struct DecisionKey(IHmmPolicy? Policy, HmmClient? Client, ClientReach? Reach, OwnerId Owner, int OwnersVersion, int ClassCount)
{
    /// <summary>True when both name the very same objects. Equal ones that are not the same answer false.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsSame(in DecisionKey other) =>
        ClassCount == other.ClassCount
        && OwnersVersion == other.OwnersVersion
        && Owner == other.Owner
        && ReferenceEquals(Policy, other.Policy)
        && ReferenceEquals(Client, other.Client)
        && ReferenceEquals(Reach, other.Reach);

    /// <summary>As the members' own equality, with what differs most and what costs least looked at first: every call compares its key.</summary>
    public bool Equals(DecisionKey other) =>
        ClassCount == other.ClassCount
        && OwnersVersion == other.OwnersVersion
        && Owner == other.Owner
        && (ReferenceEquals(Policy, other.Policy) || (Policy is not null && Policy.Equals(other.Policy)))
        && (ReferenceEquals(Client, other.Client) || (Client is not null && Client.Equals(other.Client)))
        && (ReferenceEquals(Reach, other.Reach) || (Reach is not null && Reach.Equals(other.Reach)));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Policy, Client, Reach, Owner, OwnersVersion, ClassCount);
}
