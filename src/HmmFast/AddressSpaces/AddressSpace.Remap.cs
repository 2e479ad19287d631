namespace HmmFast.AddressSpaces;

/// <content>mremap to a fixed place.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Moves a range to a place of the same size, which it replaces.</summary>
    public HmmStatus Remap(VpnRange range, Vpn to)
    {
        if (range.IsEmpty)
        {
            return HmmStatus.Invalid;
        }

        Vma? vma = _vmas.Find(range.Start.Value);
        if (vma is null)
        {
            return HmmStatus.Fault;
        }

        var target = new VpnRange(to, range.PageCount);
        if (range.Overlaps(target))
        {
            return HmmStatus.Invalid;
        }

        // The target is unmapped before the source is looked at again, and stays unmapped when that fails.
        Unmap(target);
        vma = _vmas.Find(range.Start.Value);
        if (vma is null || range.End.Value > vma.End)
        {
            return HmmStatus.Fault;
        }

        ulong from = range.Start.Value;
        Vma moved = vma.Part(from, range.End.Value);
        if (vma.IsAnonymous && vma.Anon is null)
        {
            // Without private pages nothing remembers the old place.
            moved.PageOffset = to.Value;
        }

        ulong delta = to.Value - from;
        moved.Start += delta;
        moved.End += delta;
        Vma placed = _vmas.Add(moved);
        ulong slack = SlackInFront(vma, from, placed, to.Value, range.PageCount);
        var source = VpnRange.FromBounds(new Vpn(from - slack), range.End);
        Invalidate(source, InvalidationEvent.Unmap);
        MoveEntries(source, to.Value - slack);
        return Unmap(range);
    }

    /// <summary>
    /// How many pages in front of the range may be moved along because nothing is mapped there, so that whole tables can be moved: both places lie alike in
    /// their 2 MiB blocks, are first in them, and the range reaches the block's end.
    /// </summary>
    private ulong SlackInFront(Vma source, ulong from, Vma target, ulong to, ulong count)
    {
        ulong slack = from % BlockPages;
        bool isAlike = slack == to % BlockPages && count >= BlockPages - slack;
        return isAlike && source.Start == from && target.Start == to && IsUnmapped(from - slack, from) && IsUnmapped(to - slack, to) ? slack : 0;
    }

    private bool IsUnmapped(ulong from, ulong to)
    {
        int index = _vmas.IndexFrom(from);
        return index == _vmas.Count || _vmas[index].Start >= to;
    }

    private void MoveEntries(VpnRange range, ulong to)
    {
        ulong from = range.Start.Value;
        ulong end = range.End.Value;
        while (from < end)
        {
            ulong block = from / BlockPages;
            ulong toBlock = to / BlockPages;
            BlockDescriptor descriptor = _block[block];

            // Pieces end at borders of blocks on both sides.
            ulong count = Math.Min(end - from, Math.Min(BlockPages - (from % BlockPages), BlockPages - (to % BlockPages)));
            if (descriptor.Kind == BlockKind.Huge)
            {
                if (count == BlockPages && _block[toBlock].Kind == BlockKind.Hole)
                {
                    byte huge = _classes.Change(descriptor.Class, EntryBits.SoftDirty, EntryBits.None);
                    _columns.SetHuge(toBlock, huge, descriptor.Frame);
                    _block[block] = default;
                    from += count;
                    to += count;
                    continue;
                }

                SplitHugeEntry(block);
                MoveSingleEntries(from, to, count);
            }
            else if (descriptor.Kind == BlockKind.Table && count == BlockPages && _block[toBlock].Kind == BlockKind.Hole)
            {
                MoveTable(block, toBlock);
            }
            else if (descriptor.Kind == BlockKind.Table)
            {
                MoveSingleEntries(from, to, count);
            }

            from += count;
            to += count;
        }
    }

    /// <summary>A whole table moves as it is: its entries are not looked at, so they do not become soft-dirty.</summary>
    private void MoveTable(ulong block, ulong toBlock)
    {
        int count = (int)BlockPages;
        Span<byte> classes = new(_class + (block * BlockPages), count);
        classes.CopyTo(new Span<byte>(_class + (toBlock * BlockPages), count));
        classes.Clear();
        new Span<uint>(_pfn + (block * BlockPages), count).CopyTo(new Span<uint>(_pfn + (toBlock * BlockPages), count));
        _columns.EnsureTable(toBlock);
        _block[block] = default;
    }

    /// <summary>Moves entries one by one; what was moved counts as soft-dirty.</summary>
    private void MoveSingleEntries(ulong from, ulong to, ulong count)
    {
        _columns.EnsureTable(to / BlockPages);
        for (ulong i = 0; i < count; i++)
        {
            byte id = _class[from + i];
            if (id != 0)
            {
                SetEntry(to + i, _classes.Change(id, EntryBits.SoftDirty, EntryBits.None), _pfn[from + i]);
                _class[from + i] = 0;
            }
        }
    }
}
