namespace HmmFast.Reference;

/// <summary>mprotect and the clearing of soft-dirty bits.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private HmmStatus ProtectRange(ulong start, ulong end, Protection protection)
    {
        if (start == end)
        {
            return HmmStatus.Ok;
        }

        for (ulong at = start; at < end;)
        {
            Vma? vma = _vmas.Find(at);
            if (vma is null)
            {
                return HmmStatus.OutOfMemory;
            }

            ulong to = Math.Min(end, vma.End);
            at = ProtectPart(vma, at, to, protection);
        }

        return HmmStatus.Ok;
    }

    /// <summary>One VMA's part (mprotect_fixup). Returns where the next part begins.</summary>
    private ulong ProtectPart(Vma vma, ulong start, ulong end, Protection protection)
    {
        if (vma.Protection == protection)
        {
            return end;
        }

        // Private memory that becomes writable counts against the commit limit from then on; only untouched anonymous memory forgets it.
        bool account = vma.Traits.Account;
        if ((protection & Protection.Write) != 0)
        {
            account |= !vma.CanWrite && vma.IsPrivate;
        }
        else if (vma.IsAnonymous && vma.Anon is null)
        {
            account = false;
        }

        VmaTraits traits = vma.Traits with { Protection = protection, Account = account };
        bool softDirty = vma.SoftDirty;
        Vma changed = _vmas.Modify(vma, start, end, traits);
        changed.Traits = traits;
        changed.SoftDirty = softDirty;
        ChangeProtection(changed, start, end);
        return Math.Max(end, changed.End);
    }

    private void ChangeProtection(Vma vma, ulong start, ulong end)
    {
        // Entries may become writable at once only where a later write need not be noticed.
        bool upgrade = vma.IsShared ? vma.WantsWriteNotify : vma.CanWrite;
        bool told = false;
        for (ulong vpn = start; vpn < end;)
        {
            ulong next = Math.Min(end, PageTables.BlockEnd(vpn));
            PmdTable? pmd = _tables.FindPmdTable(vpn);
            if (pmd is null)
            {
                vpn = Math.Min(end, PageTables.GibibyteEnd(vpn));
                continue;
            }

            if (!told)
            {
                told = true;
                Invalidate(vpn, end, InvalidationEvent.ProtectVma);
            }

            ref PmdSlot slot = ref PageTables.SlotOf(pmd, vpn);
            if (slot.IsHuge && next - vpn == PageTables.PagesPerBlock)
            {
                ChangePresent(vma, ref slot.Huge, upgrade);
            }
            else
            {
                if (slot.IsHuge)
                {
                    SplitHugeMapping(vpn);
                }

                for (ulong page = vpn; slot.Table is not null && page < next; page++)
                {
                    ChangeEntry(vma, ref slot.Table.Entries[PageTables.IndexInTable(page)], upgrade);
                }
            }

            vpn = next;
        }
    }

    private void ChangeEntry(Vma vma, ref PageEntry entry, bool upgrade)
    {
        switch (entry.Kind)
        {
            case PageEntryKind.Present:
                ChangePresent(vma, ref entry, upgrade);
                break;
            case PageEntryKind.DevicePrivate when entry.IsWritable:
                // Read-only from now on, whatever the new protection; its soft-dirty bit is lost.
                entry.Flags = EntryFlags.None;
                break;
            case PageEntryKind.DeviceExclusive:
            case PageEntryKind.Migration:
                entry.Set(EntryFlags.Writable, false);
                break;
        }
    }

    private void ChangePresent(Vma vma, ref PageEntry entry, bool upgrade)
    {
        entry.Set(EntryFlags.Writable, vma.MapsWritableOnRead);
        if (upgrade && !entry.IsWritable && CanBecomeWritable(vma, entry))
        {
            entry.Set(EntryFlags.Writable, true);
        }
    }

    /// <summary>A write through the entry would need nothing but the bit (can_change_pte_writable).</summary>
    private bool CanBecomeWritable(Vma vma, PageEntry entry)
    {
        if (!vma.SoftDirty && !entry.IsSoftDirty)
        {
            return false;
        }

        if (vma.IsShared)
        {
            return entry.IsDirty;
        }

        bool zero = entry.Number == PhysicalMemory.ZeroFrame || _physical.IsHugeZero(entry.Number);
        return !zero && _physical[entry.Number].Has(FrameFlags.AnonExclusive);
    }

    private void ClearSoftDirtyBits()
    {
        foreach (Vma vma in _vmas.Items)
        {
            vma.SoftDirty = false;
        }

        Invalidate(0, VpnRange.LimitVpn, InvalidationEvent.SoftDirty);
        foreach (Vma vma in _vmas.Items)
        {
            ForEachSlot(vma.Start, vma.End, static (ref PmdSlot slot, ulong from, ulong to) =>
            {
                if (slot.IsHuge)
                {
                    slot.Huge.Flags &= ~(EntryFlags.SoftDirty | EntryFlags.Writable);
                }

                for (ulong vpn = from; slot.Table is not null && vpn < to; vpn++)
                {
                    ref PageEntry entry = ref slot.Table.Entries[PageTables.IndexInTable(vpn)];

                    // Present pages are write-protected so that the next write is seen; other entries only lose the bit.
                    entry.Flags &= entry.IsPresent ? ~(EntryFlags.SoftDirty | EntryFlags.Writable) : ~EntryFlags.SoftDirty;
                }
            });
        }
    }

    private delegate void SlotAction(ref PmdSlot slot, ulong from, ulong to);

    /// <summary>Visits every PMD entry that is not empty, with the part of the range under it.</summary>
    private void ForEachSlot(ulong start, ulong end, SlotAction action)
    {
        for (ulong vpn = start; vpn < end;)
        {
            PmdTable? pmd = _tables.FindPmdTable(vpn);
            if (pmd is null)
            {
                vpn = Math.Min(end, PageTables.GibibyteEnd(vpn));
                continue;
            }

            ulong next = Math.Min(end, PageTables.BlockEnd(vpn));
            ref PmdSlot slot = ref PageTables.SlotOf(pmd, vpn);
            if (!slot.IsEmpty)
            {
                action(ref slot, vpn, next);
            }

            vpn = next;
        }
    }
}
