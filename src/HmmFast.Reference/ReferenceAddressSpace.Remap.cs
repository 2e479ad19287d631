namespace HmmFast.Reference;

/// <summary>mremap to a fixed place of the same size.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private HmmStatus RemapRange(ulong start, ulong end, ulong to)
    {
        if (start == end)
        {
            return HmmStatus.Invalid;
        }

        if (_vmas.Find(start) is null)
        {
            return HmmStatus.Fault;
        }

        ulong count = end - start;
        if (start < to + count && to < end)
        {
            return HmmStatus.Invalid;
        }

        // The target is given up before the source is looked at closer.
        UnmapRange(to, to + count);
        Vma? vma = _vmas.Find(start);
        if (vma is null || vma.End < end)
        {
            return HmmStatus.Fault;
        }

        Vma made = vma.Part(start, end);
        if (vma.IsAnonymous && vma.Anon is null)
        {
            // Never touched: the pages may as well belong to the new place, which lets it merge there.
            made.PageOffset = to;
        }

        made.Start = to;
        made.End = to + count;
        Vma target = _vmas.Place(made);
        ulong slack = SlackInFront(vma, start, target, to, count);
        Invalidate(start - slack, end, InvalidationEvent.Unmap);
        MoveEntries(start - slack, end, to - slack);
        UnmapRange(start, end);
        return HmmStatus.Ok;
    }

    /// <summary>
    /// How many pages in front of the range may be moved along because nothing is mapped there, so that whole tables can be moved: both places lie alike
    /// in their 2 MiB blocks, are first in them, and the range reaches the block's end.
    /// </summary>
    private ulong SlackInFront(Vma source, ulong start, Vma target, ulong to, ulong count)
    {
        ulong slack = start & (PageTables.PagesPerBlock - 1);
        bool alike = slack == (to & (PageTables.PagesPerBlock - 1)) && count >= PageTables.PagesPerBlock - slack;
        bool first = source.Start == start && target.Start == to && IsFree(start - slack, start) && IsFree(to - slack, to);
        return alike && first ? slack : 0;
    }

    private bool IsFree(ulong start, ulong end) => _vmas.FindAtOrAfter(start) is not { } vma || vma.Start >= end;

    private void MoveEntries(ulong start, ulong end, ulong to)
    {
        for (ulong vpn = start; vpn < end;)
        {
            PmdTable? pmd = _tables.FindPmdTable(vpn);
            if (pmd is null)
            {
                vpn = Math.Min(end, PageTables.GibibyteEnd(vpn));
                continue;
            }

            ref PmdSlot slot = ref PageTables.SlotOf(pmd, vpn);
            ulong target = to + (vpn - start);
            ulong next = Math.Min(Math.Min(end, PageTables.BlockEnd(vpn)), vpn + (PageTables.BlockEnd(target) - target));
            if (!slot.IsEmpty)
            {
                ref PmdSlot into = ref PageTables.SlotOf(_tables.EnsurePmdTable(target), target);
                if (slot.IsHuge && next - vpn == PageTables.PagesPerBlock)
                {
                    into.Huge = slot.Huge;
                    into.Huge.Flags |= EntryFlags.SoftDirty;
                    into.Table = null;
                    slot.Huge = default;
                    vpn = next;
                    continue;
                }

                if (slot.IsHuge)
                {
                    SplitHugeMapping(vpn);
                }
                else if (next - vpn == PageTables.PagesPerBlock && into.IsEmpty)
                {
                    // A whole table moves as it is: its entries are not looked at, so they do not become soft-dirty.
                    into.Table = slot.Table;
                    slot.Table = null;
                    vpn = next;
                    continue;
                }

                MoveTable(slot.Table!, vpn, next, target);
            }

            vpn = next;
        }
    }

    /// <summary>Moves single entries; what was moved counts as soft-dirty.</summary>
    private void MoveTable(PageTable from, ulong start, ulong end, ulong to)
    {
        PageTable into = _tables.EnsureTable(to);
        for (ulong vpn = start; vpn < end; vpn++)
        {
            ref PageEntry entry = ref from.Entries[PageTables.IndexInTable(vpn)];
            if (!entry.IsNone)
            {
                into.Entries[PageTables.IndexInTable(to + (vpn - start))] = entry;
                into.Entries[PageTables.IndexInTable(to + (vpn - start))].Flags |= EntryFlags.SoftDirty;
                entry = default;
            }
        }
    }
}
