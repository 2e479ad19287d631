using System.Runtime.CompilerServices;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>Everything a decision table rests on. Two calls with equal keys share a table.</summary>
/// <param name="Policy">The policy; null is owner-only.</param>
/// <param name="Client">The importer, or null.</param>
/// <param name="Reach">What it reaches, read once for the call.</param>
/// <param name="Owner">The range's owner.</param>
/// <param name="Owners">Pagemaps' owners by device, read once for the call: another array is another view.</param>
/// <param name="ClassCount">Classes that exist; more may come.</param>
internal readonly record struct DecisionKey(IHmmPolicy? Policy, HmmClient? Client, ClientReach? Reach, OwnerId Owner, OwnerId[] Owners, int ClassCount)
{
    /// <summary>True when both name the very same objects. Equal ones that are not the same answer false.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsSame(in DecisionKey other) =>
        ClassCount == other.ClassCount
        && ReferenceEquals(Owners, other.Owners)
        && Owner == other.Owner
        && ReferenceEquals(Policy, other.Policy)
        && ReferenceEquals(Client, other.Client)
        && ReferenceEquals(Reach, other.Reach);

    /// <summary>As the members' own equality, with what differs most and what costs least looked at first: every call compares its key.</summary>
    public bool Equals(DecisionKey other) =>
        ClassCount == other.ClassCount
        && ReferenceEquals(Owners, other.Owners)
        && Owner == other.Owner
        && (ReferenceEquals(Policy, other.Policy) || (Policy is not null && Policy.Equals(other.Policy)))
        && (ReferenceEquals(Client, other.Client) || (Client is not null && Client.Equals(other.Client)))
        && (ReferenceEquals(Reach, other.Reach) || (Reach is not null && Reach.Equals(other.Reach)));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Policy, Client, Reach, Owner, ClassCount);

    /// <summary>A pagemap's owner as the call sees it; NULL for one that was registered after the call began, which matches nobody.</summary>
    public OwnerId OwnerOf(int device) => device < Owners.Length ? Owners[device] : OwnerId.Null;
}
