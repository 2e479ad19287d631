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

        if (vmas.Find(start) is null)
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
        Vma? vma = vmas.Find(start);
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
        vmas.Place(made);
        MoveEntries(start, end, to);
        UnmapRange(start, end);
        return HmmStatus.Ok;
    }

    private void MoveEntries(ulong start, ulong end, ulong to)
    {
        Invalidate(start, end, InvalidationEvent.Unmap);
        for (ulong vpn = start; vpn < end;)
        {
            PmdTable? pmd = tables.FindPmdTable(vpn);
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
                ref PmdSlot into = ref PageTables.SlotOf(tables.EnsurePmdTable(target), target);
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

                MoveTable(slot.Table!, vpn, next, target);
            }

            vpn = next;
        }
    }

    /// <summary>Moves single entries; what was moved counts as soft-dirty.</summary>
    private void MoveTable(PageTable from, ulong start, ulong end, ulong to)
    {
        PageTable into = tables.EnsureTable(to);
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
