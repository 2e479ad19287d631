namespace HmmFast;

/// <summary>
/// A handler that looks at nothing but tables of its own: not at entries, frames or counters of the memory, and it inserts and removes no notifier. For such a
/// handler many pages that are invalidated one by one may come as one call; nobody could tell the difference.
/// </summary>
/// <remarks>
/// No kernel has it: there each page's event is a call. It is what lets faults that migrate, copy or map again go by runs of columns instead of page by page under a notifier.
/// </remarks>
public interface IRunInvalidationHandler : IInvalidationHandler
{
    /// <summary>Does what one <see cref="IInvalidationHandler.Invalidate"/> for each page of the range, in order, would do.</summary>
    /// <param name="notifier">The notifier that overlaps.</param>
    /// <param name="info">What happens to each page; the pages are all inside the notifier's range.</param>
    /// <returns>How many of those calls would have answered true: what the notifier's sequence is bumped by.</returns>
    ulong InvalidateEach(IMmuIntervalNotifier notifier, in InvalidationInfo info);
}
