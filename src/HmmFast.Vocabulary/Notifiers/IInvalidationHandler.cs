namespace HmmFast;

/// <summary>What a driver does when pages it may have mapped are invalidated (<c>mmu_interval_notifier_ops.invalidate</c>).</summary>
/// <remarks>
/// Handlers of one address space are called in the order their notifiers were inserted, on the thread that invalidates, before the entries change; one that is inserted or
/// removed meanwhile counts from the next event on. Cost: one call for each event that overlaps, and single pages (copy-on-write, a page brought back) are events of their own: a
/// handler that needs no look at the memory is better an <see cref="IRunInvalidationHandler"/>.
/// </remarks>
public interface IInvalidationHandler
{
    /// <summary>Called before the entries change.</summary>
    /// <param name="notifier">The notifier that overlaps.</param>
    /// <param name="info">What happens.</param>
    /// <returns>True to bump the notifier's sequence (readers must retry); false to ignore the event, as a driver does with its own migrations.</returns>
    bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info);
}
