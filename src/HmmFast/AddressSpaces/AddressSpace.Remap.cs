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
        _vmas.Add(moved);
        Invalidate(range, InvalidationEvent.Unmap);
        MoveEntries(range, to.Value);
        return Unmap(range);
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
                descriptor = _block[block];
            }

            if (descriptor.Kind == BlockKind.Table)
            {
                _columns.EnsureTable(toBlock);
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

            from += count;
            to += count;
        }
    }
}
