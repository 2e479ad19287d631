namespace HmmFast.AddressSpaces;

/// <summary>The VMAs of an address space in address order, split and merged as the kernel does.</summary>
internal sealed class VmaList
{
    private readonly List<Vma> _vmas = [];
    private readonly MemoryCore _core;
    private readonly AddressSpace _space;

    public VmaList(MemoryCore core, AddressSpace space)
    {
        _core = core;
        _space = space;
    }

    public int Count => _vmas.Count;

    public Vma this[int index] => _vmas[index];

    /// <summary>Index of the first VMA that ends behind a page.</summary>
    public int IndexFrom(ulong vpn)
    {
        int low = 0;
        int high = _vmas.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_vmas[middle].End > vpn)
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

    /// <summary>The VMA that holds a page, or null.</summary>
    public Vma? Find(ulong vpn)
    {
        int index = IndexFrom(vpn);
        return index < _vmas.Count && _vmas[index].Start <= vpn ? _vmas[index] : null;
    }

    /// <summary>Makes a VMA border at a page, if one VMA reaches over it.</summary>
    public void SplitAt(ulong vpn)
    {
        int index = IndexFrom(vpn);
        if (index < _vmas.Count && _vmas[index].Start < vpn)
        {
            Vma left = _vmas[index];
            _space.SplitHugeAcross(left, vpn);
            Vma right = left.Part(vpn, left.End);
            left.End = vpn;
            Insert(index + 1, right);
            left.Stamp = _core.NextStamp();
        }
    }

    /// <summary>Takes away the VMAs of a range whose borders are split already.</summary>
    public void Remove(ulong from, ulong to)
    {
        int first = IndexFrom(from);
        int last = first;
        while (last < _vmas.Count && _vmas[last].Start < to)
        {
            Dropped(_vmas[last]);
            last++;
        }

        _vmas.RemoveRange(first, last - first);
    }

    /// <summary>Adds a VMA over pages that have none, growing a neighbour where it fits. Returns the VMA that holds the pages then.</summary>
    public Vma Add(Vma added)
    {
        int index = IndexFrom(added.Start);
        Vma? left = index > 0 && _vmas[index - 1].End == added.Start ? _vmas[index - 1] : null;
        Vma? right = index < _vmas.Count && _vmas[index].Start == added.End ? _vmas[index] : null;
        bool withLeft = left is not null && CanJoin(left, added, added) && AnonFits(added.Anon, left.Anon, left);
        bool withRight = right is not null && CanJoin(added, right, added) && AnonFits(added.Anon, right.Anon, right);
        if (withLeft && withRight && AnonFits(left!.Anon, right!.Anon, null))
        {
            left.End = right.End;
            TakeAnon(left, right);
            TakeAnon(left, added);
            RemoveAt(index);
            left.Stamp = _core.NextStamp();
            return left;
        }

        if (withLeft)
        {
            left!.End = added.End;
            TakeAnon(left, added);
            left.Stamp = _core.NextStamp();
            return left;
        }

        if (withRight)
        {
            right!.PageOffset -= added.PageCount;
            right.Start = added.Start;
            TakeAnon(right, added);
            right.Stamp = _core.NextStamp();
            return right;
        }

        Insert(index, added);
        return added;
    }

    /// <summary>
    /// Gives the part <c>[from, to)</c> of a VMA other attributes: merges it into a neighbour that has them, or splits it out. Returns the VMA that holds the part.
    /// </summary>
    public Vma Modify(Vma vma, ulong from, ulong to, Protection protection, HugeAdvice advice, bool isAccounted)
    {
        Vma wanted = vma.Part(from, to);
        wanted.Protection = protection;
        wanted.HugeAdvice = advice;
        wanted.IsAccounted = isAccounted;
        int index = IndexFrom(from);
        bool leftSide = from == vma.Start;
        bool rightSide = to == vma.End;
        Vma? left = leftSide && index > 0 && _vmas[index - 1].End == from ? _vmas[index - 1] : null;
        Vma? right = rightSide && index + 1 < _vmas.Count && _vmas[index + 1].Start == to ? _vmas[index + 1] : null;
        bool withLeft = left is not null && CanJoin(left, wanted, wanted) && AnonFits(vma.Anon, left.Anon, left);
        bool withRight = right is not null && CanJoin(wanted, right, wanted) && AnonFits(vma.Anon, right.Anon, right);
        if (withLeft && withRight && AnonFits(left!.Anon, right!.Anon, null))
        {
            // Both borders are the part's own, so the part is the whole VMA, and it goes with the right neighbour.
            left.End = right.End;
            TakeAnon(left, right.Anon is not null ? right : vma);
            RemoveAt(index + 1);
            RemoveAt(index);
            left.Stamp = _core.NextStamp();
            return left;
        }

        if (withLeft)
        {
            TakeAnon(left!, vma);
            if (rightSide)
            {
                RemoveAt(index);
            }
            else
            {
                _space.SplitHugeAcross(vma, to);
                vma.PageOffset += to - from;
                vma.Start = to;
                vma.Stamp = _core.NextStamp();
            }

            left!.End = to;
            left.Stamp = _core.NextStamp();
            return left;
        }

        if (withRight)
        {
            TakeAnon(right!, vma);
            if (leftSide)
            {
                RemoveAt(index);
            }
            else
            {
                _space.SplitHugeAcross(vma, from);
                vma.End = from;
                vma.Stamp = _core.NextStamp();
            }

            right!.PageOffset -= to - from;
            right.Start = from;
            right.Stamp = _core.NextStamp();
            return right;
        }

        SplitAt(from);
        SplitAt(to);
        Vma part = Find(from)!;
        part.Protection = protection;
        part.HugeAdvice = advice;
        part.IsAccounted = isAccounted;
        return part;
    }

    /// <summary>Gives a VMA its anon_vma before the first private page is made: a neighbour's that could be one VMA with it but for protections, or a new one.</summary>
    public void PrepareAnon(Vma vma)
    {
        if (vma.Anon is not null)
        {
            return;
        }

        int index = IndexFrom(vma.Start);
        Vma? next = index + 1 < _vmas.Count ? _vmas[index + 1] : null;
        Vma? previous = index > 0 ? _vmas[index - 1] : null;
        if (next is { Anon.Parent: null } && SharesAnon(vma, next))
        {
            vma.Anon = next.Anon;
        }
        else if (previous is { Anon.Parent: null } && SharesAnon(previous, vma))
        {
            vma.Anon = previous.Anon;
        }
        else
        {
            vma.Anon = _core.MakeAnon(parent: null);
        }
    }

    /// <summary>Appends a VMA behind all others (fork copies in order).</summary>
    public void Append(Vma vma) => Insert(_vmas.Count, vma);

    private static void TakeAnon(Vma into, Vma from)
    {
        into.Anon ??= from.Anon;
    }

    /// <summary>Whether two VMAs side by side are one mapping with the attributes of <paramref name="wanted"/>.</summary>
    private static bool CanJoin(Vma left, Vma right, Vma wanted)
    {
        Vma other = ReferenceEquals(left, wanted) ? right : left;
        return !wanted.IsSpecial
            && other.Kind == wanted.Kind
            && other.Protection == wanted.Protection
            && other.HugeAdvice == wanted.HugeAdvice
            && other.IsAccounted == wanted.IsAccounted
            && ReferenceEquals(other.File, wanted.File)
            && left.PageOffset + left.PageCount == right.PageOffset;
    }

    /// <summary>Equal anon_vmas go together; none goes with any, unless that VMA was cloned by a fork.</summary>
    private static bool AnonFits(AnonVma? one, AnonVma? two, Vma? vma) =>
        ReferenceEquals(one, two) || ((one is null || two is null) && (vma is null || (vma.Anon is { Parent: null })));

    private static bool SharesAnon(Vma left, Vma right) =>
        left.End == right.Start
        && left.Kind == right.Kind
        && left.HugeAdvice == right.HugeAdvice
        && left.IsAccounted == right.IsAccounted
        && ReferenceEquals(left.File, right.File)
        && left.PageOffset + left.PageCount == right.PageOffset;

    private void Insert(int index, Vma vma)
    {
        if (vma.File is not null)
        {
            vma.File.VmaCount++;
        }

        vma.Stamp = _core.NextStamp();
        _vmas.Insert(index, vma);
    }

    private void RemoveAt(int index)
    {
        Dropped(_vmas[index]);
        _vmas.RemoveAt(index);
    }

    private void Dropped(Vma vma)
    {
        if (vma.File is not null && --vma.File.VmaCount == 0)
        {
            _core.FileUnmapped(vma.File);
        }
    }
}
