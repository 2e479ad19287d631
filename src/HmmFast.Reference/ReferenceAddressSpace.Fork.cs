namespace HmmFast.Reference;

/// <summary>fork: VMAs copied, private pages shared copy-on-write.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private ReferenceAddressSpace ForkInto()
    {
        ReferenceAddressSpace child = new(_memory);
        _memory.Spaces.Add(child);
        foreach (Vma vma in _vmas.Items)
        {
            Vma copy = vma.Part(vma.Start, vma.End);
            if (vma.Anon is not null)
            {
                copy.Anon = _memory.Anons.Make(parent: vma.Anon);
            }

            child._vmas.Add(copy);

            // Pages that a fault would bring in just as well are not copied.
            if (vma.Anon is null && !vma.Traits.IsSpecial)
            {
                continue;
            }

            if (vma.IsPrivate)
            {
                Invalidate(vma.Start, vma.End, InvalidationEvent.ProtectPage);
            }

            CopyEntries(child, vma);
        }

        return child;
    }

    private void CopyEntries(ReferenceAddressSpace child, Vma vma) => ForEachSlot(vma.Start, vma.End, (ref PmdSlot slot, ulong from, ulong to) =>
    {
        if (slot.IsHuge)
        {
            ref PmdSlot target = ref PageTables.SlotOf(child._tables.EnsurePmdTable(from), from);
            ShareHuge(ref slot.Huge);
            target.Huge = slot.Huge;
            return;
        }

        PageTable table = child._tables.EnsureTable(from);
        for (ulong vpn = from; vpn < to; vpn++)
        {
            int index = PageTables.IndexInTable(vpn);
            table.Entries[index] = CopyEntry(vma, ref slot.Table!.Entries[index]);
        }
    });

    private void ShareHuge(ref PageEntry huge)
    {
        huge.Set(EntryFlags.Writable, false);
        if (!_physical.IsHugeZero(huge.Number))
        {
            _physical[huge.Number].Set(FrameFlags.AnonExclusive, false);
            _physical.Get(huge.Number);
            _physical.LargeOf(huge.Number).EntireMapCount++;
            _physical.LargeOf(huge.Number).TotalMapCount++;
        }
    }

    /// <summary>What the child's entry holds; the parent's becomes read-only where the page is shared copy-on-write.</summary>
    private PageEntry CopyEntry(Vma vma, ref PageEntry entry)
    {
        if (entry.Kind == PageEntryKind.DeviceExclusive)
        {
            // Exclusive access ends here, for both.
            RestoreExclusive(vma, ref entry);
        }

        switch (entry.Kind)
        {
            case PageEntryKind.None:
                return default;
            case PageEntryKind.Marker:
                return entry;
            case PageEntryKind.Swap:
                _physical.Swap.AddEntry(entry.Number);
                entry.Set(EntryFlags.Exclusive, false);
                return entry;
            case PageEntryKind.DevicePrivate:
                if (entry.IsWritable)
                {
                    // Made anew, and its soft-dirty bit is lost.
                    entry.Flags = EntryFlags.None;
                }

                break;
            case PageEntryKind.Migration:
                entry.Flags &= ~(EntryFlags.Writable | EntryFlags.Exclusive);
                return entry;
            default:
                if (vma.IsPrivate)
                {
                    entry.Set(EntryFlags.Writable, false);
                }

                if (entry.IsZeroPage || entry.IsSpecial)
                {
                    return entry;
                }

                break;
        }

        _physical[entry.Number].Set(FrameFlags.AnonExclusive, false);
        _physical.Get(entry.Number);
        _physical.AddMapping(entry.Number);
        return entry;
    }
}
