namespace HmmFast.Reference;

/// <summary>The VMAs of an address space in address order, split and merged by the kernel's rules.</summary>
/// <param name="anons">Makes anon_vmas.</param>
/// <param name="beforeBorder">Told before a border comes to lie inside a VMA at a page: 2 MiB mappings do not lie across one.</param>
internal sealed class VmaList(AnonVmas anons, Action<Vma, ulong> beforeBorder)
{
    private readonly List<Vma> _items = [];

    public IReadOnlyList<Vma> Items => _items;

    /// <summary>find_vma: the first VMA that ends after the page; it may start after it too.</summary>
    public Vma? FindAtOrAfter(ulong vpn)
    {
        int index = IndexAtOrAfter(vpn);
        return index < _items.Count ? _items[index] : null;
    }

    /// <summary>The VMA that holds the page.</summary>
    public Vma? Find(ulong vpn)
    {
        Vma? vma = FindAtOrAfter(vpn);
        return vma is not null && vma.Start <= vpn ? vma : null;
    }

    /// <summary>The VMA in front of a place, and the one at or behind it.</summary>
    public (Vma? Previous, Vma? Next) Around(ulong start, ulong end)
    {
        int index = IndexAtOrAfter(start);
        Vma? next = FindAtOrAfter(end);
        return (index > 0 ? _items[index - 1] : null, next);
    }

    public Vma? Before(Vma vma)
    {
        int index = IndexAtOrAfter(vma.Start);
        return index > 0 ? _items[index - 1] : null;
    }

    public Vma? After(Vma vma) => FindAtOrAfter(vma.End);

    public void Add(Vma vma)
    {
        vma.Stamp = anons.NextStamp();
        _items.Insert(IndexAtOrAfter(vma.Start), vma);
    }

    public void Remove(Vma vma) => _items.Remove(vma);

    public void Clear() => _items.Clear();

    /// <summary>Cuts a VMA in two; returns the upper part, the VMA itself stays the lower one.</summary>
    public Vma Split(Vma vma, ulong at)
    {
        beforeBorder(vma, at);
        Vma upper = vma.Part(at, vma.End);
        vma.End = at;
        Add(upper);
        vma.Stamp = anons.NextStamp();
        return upper;
    }

    /// <summary>Places a new range: joins it to its neighbours where it can, else inserts <paramref name="made"/>.</summary>
    /// <remarks>A neighbour that takes the range in keeps its own flags; the caller sets soft-dirty as its call wants it.</remarks>
    public Vma Place(Vma made)
    {
        (Vma? previous, Vma? next) = Around(made.Start, made.End);
        if (made.Traits.IsSpecial)
        {
            Add(made);
            return made;
        }

        bool left = CanJoinAfter(previous, made.Start, made.Traits, made);
        bool right = CanJoinBefore(next, made.Start, made.End, made.Traits, made)
            && (!left || AnonsCompatible(previous!.Anon, next!.Anon, null));
        if (left)
        {
            previous!.End = right ? next!.End : made.End;
            if (right)
            {
                TakeAnon(previous, next!);
                Remove(next!);
            }

            TakeAnon(previous, made);
            previous.Stamp = anons.NextStamp();
            return previous;
        }

        if (right)
        {
            next!.PageOffset -= made.PageCount;
            next.Start = made.Start;
            TakeAnon(next, made);
            next.Stamp = anons.NextStamp();
            return next;
        }

        Add(made);
        return made;
    }

    /// <summary>
    /// Makes <c>[start, end)</c> of a VMA ready for new traits: joined to neighbours that have them already, else cut out. Returns the VMA that
    /// now holds the range; the caller gives it the traits.
    /// </summary>
    public Vma Modify(Vma vma, ulong start, ulong end, VmaTraits traits)
    {
        bool leftSide = start == vma.Start;
        bool rightSide = end == vma.End;
        if (!traits.IsSpecial && (leftSide || rightSide))
        {
            Vma? previous = leftSide ? Before(vma) : null;
            Vma? next = rightSide ? After(vma) : null;
            bool left = leftSide && CanJoinAfter(previous, start, traits, vma);
            bool right = rightSide && CanJoinBefore(next, start, end, traits, vma)
                && (!left || AnonsCompatible(previous!.Anon, next!.Anon, null));
            if (left)
            {
                TakeAnon(previous!, right && next!.Anon is not null ? next : vma);
                RemoveFront(vma, end);
                previous!.End = end;
                if (right)
                {
                    Remove(next!);
                    previous.End = next!.End;
                }

                previous.Stamp = anons.NextStamp();
                return previous;
            }

            if (right)
            {
                TakeAnon(next!, vma);
                if (leftSide)
                {
                    Remove(vma);
                }
                else
                {
                    beforeBorder(vma, start);
                    vma.End = start;
                    vma.Stamp = anons.NextStamp();
                }

                next!.PageOffset -= end - start;
                next.Start = start;
                next.Stamp = anons.NextStamp();
                return next;
            }
        }

        if (vma.Start < start)
        {
            vma = Split(vma, start);
        }

        if (vma.End > end)
        {
            Split(vma, end);
        }

        return vma;
    }

    /// <summary>anon_vma_prepare: the VMA gets an anon_vma, a neighbour's where the two could one day merge.</summary>
    public void PrepareAnon(Vma vma)
    {
        if (vma.Anon is not null)
        {
            return;
        }

        Vma? next = After(vma);
        Vma? previous = Before(vma);
        if (next is not null && MayShareAnon(vma, next) && HasOwnAnonOnly(next))
        {
            vma.Anon = next.Anon;
        }
        else if (previous is not null && MayShareAnon(previous, vma) && HasOwnAnonOnly(previous))
        {
            vma.Anon = previous.Anon;
        }
        else
        {
            vma.Anon = anons.Make(parent: null);
        }
    }

    private static bool HasOwnAnonOnly(Vma vma) => vma.Anon is { Parent: null };

    private static bool MayShareAnon(Vma lower, Vma upper) =>
        lower.End == upper.Start
        && ReferenceEquals(lower.File, upper.File)
        && lower.Traits with { Protection = Protection.None } == upper.Traits with { Protection = Protection.None }
        && upper.PageOffset == lower.PageOffset + lower.PageCount;

    private static void TakeAnon(Vma into, Vma from)
    {
        if (into.Anon is null && from.Anon is not null)
        {
            into.Anon = from.Anon;
        }
    }

    // The neighbour's chain is looked at, not the range's own: a neighbour without any anon_vma does not take a range that has one.
    private static bool AnonsCompatible(AnonVma? first, AnonVma? second, Vma? neighbour) =>
        ((first is null || second is null) && (neighbour is null || HasOwnAnonOnly(neighbour))) || ReferenceEquals(first, second);

    private static bool CanJoinAfter(Vma? previous, ulong start, VmaTraits traits, Vma range) =>
        previous is not null
        && previous.End == start
        && previous.Traits == traits
        && ReferenceEquals(previous.File, range.File)
        && AnonsCompatible(range.Anon, previous.Anon, previous)
        && previous.PageOffset + previous.PageCount == range.IndexOf(start);

    private static bool CanJoinBefore(Vma? next, ulong start, ulong end, VmaTraits traits, Vma range) =>
        next is not null
        && next.Start == end
        && next.Traits == traits
        && ReferenceEquals(next.File, range.File)
        && AnonsCompatible(range.Anon, next.Anon, next)
        && next.PageOffset == range.IndexOf(start) + (end - start);

    private void RemoveFront(Vma vma, ulong end)
    {
        if (end == vma.End)
        {
            Remove(vma);
            return;
        }

        beforeBorder(vma, end);
        vma.PageOffset = vma.IndexOf(end);
        vma.Start = end;
        vma.Stamp = anons.NextStamp();
    }

    private int IndexAtOrAfter(ulong vpn)
    {
        int low = 0;
        int high = _items.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_items[middle].End > vpn)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
