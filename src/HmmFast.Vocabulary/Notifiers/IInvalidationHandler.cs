namespace HmmFast;

/// <summary>What a driver does when pages it may have mapped are invalidated (<c>mmu_interval_notifier_ops.invalidate</c>).</summary>
public interface IInvalidationHandler
{
    /// <summary>Called before the entries change.</summary>
    /// <param name="notifier">The notifier that overlaps.</param>
    /// <param name="info">What happens.</param>
    /// <returns>True to bump the notifier's sequence (readers must retry); false to ignore the event, as a driver does with its own migrations.</returns>
    bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info);
}
