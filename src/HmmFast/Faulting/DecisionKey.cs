using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>Everything a decision table rests on. Two calls with equal keys share a table.</summary>
/// <param name="Policy">The policy; null is owner-only.</param>
/// <param name="Client">The importer, or null.</param>
/// <param name="Reach">What it reaches, read once for the call.</param>
/// <param name="Owner">The range's owner.</param>
/// <param name="OwnersVersion">Counts changes of pagemaps' owners.</param>
/// <param name="ClassCount">Classes that exist; more may come.</param>
internal readonly record struct DecisionKey(IHmmPolicy? Policy, HmmClient? Client, ClientReach? Reach, OwnerId Owner, int OwnersVersion, int ClassCount);
