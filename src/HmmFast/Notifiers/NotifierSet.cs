namespace HmmFast.Notifiers;

/// <summary>The interval notifiers of one address space.</summary>
internal sealed class NotifierSet
{
    // Few, and asked on every invalidation: a plain array that handlers may change while it is walked (they see it from the next event on).
    private IntervalNotifier[] _notifiers = [];

    public IntervalNotifier Insert(VpnRange range, IInvalidationHandler? handler)
    {
        var notifier = new IntervalNotifier(this, range, handler);
        _notifiers = [.. _notifiers, notifier];
        return notifier;
    }

    public void Remove(IntervalNotifier notifier)
    {
        notifier.IsRemoved = true;
        int at = Array.IndexOf(_notifiers, notifier);
        _notifiers = [.. _notifiers.AsSpan(0, at), .. _notifiers.AsSpan(at + 1)];
    }

    public void RemoveAll()
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            notifier.IsRemoved = true;
        }

        _notifiers = [];
    }

    /// <summary>Tells every notifier that overlaps, in the order they were inserted, and bumps the sequences of those that do not ignore it.</summary>
    public void Invalidate(in InvalidationInfo info)
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            if (!notifier.IsRemoved && notifier.Range.Overlaps(info.Range) && (notifier.Handler is null || notifier.Handler.Invalidate(notifier, info)))
            {
                notifier.Sequence++;
            }
        }
    }

    /// <summary>True when nobody with a handler watches any of the pages, so that only counts matter.</summary>
    public bool HasHandler(VpnRange range)
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            if (notifier.Handler is not null && notifier.Range.Overlaps(range))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True when somebody who watches one of the pages must be told of each page by itself.</summary>
    public bool HasPageHandler(VpnRange range)
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            if (notifier.Handler is not (null or IRunInvalidationHandler) && notifier.Range.Overlaps(range))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True when every notifier watches all of the pages or none of them.</summary>
    public bool IsInsideOrOutside(VpnRange range)
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            if (notifier.Range.Overlaps(range) && !notifier.Range.Contains(range))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>As so many single-page <see cref="Invalidate"/> calls inside the range; only where <see cref="IsInsideOrOutside"/> and not <see cref="HasHandler"/>.</summary>
    public void BumpInside(VpnRange range, ulong count)
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            notifier.Sequence += notifier.Range.Overlaps(range) ? count : 0;
        }
    }

    /// <summary>As one single-page <see cref="Invalidate"/> for each page of the range; only where <see cref="HasPageHandler"/> is false.</summary>
    public void InvalidateEach(in InvalidationInfo info)
    {
        foreach (IntervalNotifier notifier in _notifiers)
        {
            VpnRange watched = notifier.Range.Intersect(info.Range);
            if (!watched.IsEmpty)
            {
                notifier.Sequence += notifier.Handler is IRunInvalidationHandler handler ? handler.InvalidateEach(notifier, info with { Range = watched }) : watched.PageCount;
            }
        }
    }
}
