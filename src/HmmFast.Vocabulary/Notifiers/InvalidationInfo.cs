namespace HmmFast;

/// <summary>One invalidation as a notifier sees it.</summary>
/// <param name="Range">The pages concerned (not cut to the notifier's own range).</param>
/// <param name="Event">Why.</param>
/// <param name="Owner">For <see cref="InvalidationEvent.Migrate"/> and <see cref="InvalidationEvent.Exclusive"/>: who did it; else NULL.</param>
public readonly record struct InvalidationInfo(VpnRange Range, InvalidationEvent Event, OwnerId Owner);
