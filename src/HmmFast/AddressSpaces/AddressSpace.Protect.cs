using HmmFast.Kernels;

namespace HmmFast.AddressSpaces;

/// <content>mprotect, and the class translations it shares with the clearing of soft-dirty bits.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>mprotect.</summary>
    public HmmStatus Protect(VpnRange range, Protection protection)
    {
        if (range.IsEmpty)
        {
            return HmmStatus.Ok;
        }

        ulong at = range.Start.Value;
        ulong end = range.End.Value;
        while (at < end)
        {
            Vma? vma = _vmas.Find(at);
            if (vma is null)
            {
                return HmmStatus.OutOfMemory;
            }

            ulong to = Math.Min(end, vma.End);
            if (vma.Protection != protection)
            {
                bool softDirty = vma.SoftDirty;
                Vma changed = _vmas.Modify(vma, at, to, protection, vma.HugeAdvice, AccountedAfter(vma, protection));
                changed.SoftDirty = softDirty;
                ChangeProtection(changed, at, to);
            }

            at = to;
        }

        return HmmStatus.Ok;
    }

    /// <summary>Clears soft-dirty bits everywhere and write-protects present pages, so that the next write is seen.</summary>
    public void ClearSoftDirty()
    {
        for (int i = 0; i < _vmas.Count; i++)
        {
            _vmas[i].SoftDirty = false;
        }

        Invalidate(Everything, InvalidationEvent.SoftDirty);
        for (int i = 0; i < _vmas.Count; i++)
        {
            if (_vmas[i].Kind != MappingKind.DriverPfn)
            {
                Translate(_vmas[i], _vmas[i].Start, _vmas[i].End, Translation.ClearSoftDirty);
            }
        }
    }

    /// <summary>Gives the entries of a part of a VMA, whose protection is set already, the access they may have now.</summary>
    private void ChangeProtection(Vma vma, ulong from, ulong to)
    {
        // Nobody is told of parts that no table was ever made for.
        while (from < to && _columns.Gibibyte[from / PageOrder.PagesPerGibibyte] == 0)
        {
            from = _columns.HoleEnd(from, to);
        }

        if (from == to)
        {
            return;
        }

        Invalidate(VpnRange.FromBounds(new Vpn(from), new Vpn(to)), InvalidationEvent.ProtectVma);
        Translate(vma, from, to, Translation.Protect);
    }

    /// <summary>What mprotect makes of an entry.</summary>
    private static PageClass AfterProtect(Vma vma, PageClass old)
    {
        switch (old.Kind)
        {
            case PageEntryKind.Present:
                return MayBeWritable(vma, old) ? Changed(old, EntryBits.Writable, EntryBits.None) : Changed(old, EntryBits.None, EntryBits.Writable);
            case PageEntryKind.DevicePrivate:
                // Always read-only afterwards, whatever the protection, and a writable one loses its soft-dirty bit.
                return old.IsWritable ? Changed(old, EntryBits.None, EntryBits.Writable | EntryBits.SoftDirty) : old;
            case PageEntryKind.DeviceExclusive:
            case PageEntryKind.Migration:
                return Changed(old, EntryBits.None, EntryBits.Writable);
            default:
                return old;
        }
    }

    private static PageClass AfterClearSoftDirty(PageClass old) =>
        Changed(old, EntryBits.None, EntryBits.SoftDirty | (old.IsPresent ? EntryBits.Writable : EntryBits.None));

    /// <summary>What fork leaves in both page tables: nothing private stays writable or exclusive; what a device had exclusively comes back.</summary>
    private static PageClass AfterFork(PageClass old)
    {
        switch (old.Kind)
        {
            case PageEntryKind.DevicePrivate:
                return old.IsWritable
                    ? Changed(old, EntryBits.None, EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive)
                    : Changed(old, EntryBits.None, EntryBits.Exclusive);
            case PageEntryKind.DeviceExclusive:
                return new PageClass(PageEntryKind.Present, (old.Bits & EntryBits.SoftDirty) | (old.IsWritable ? EntryBits.SoftDirty | EntryBits.Dirty : EntryBits.None));
            default:
                return Changed(old, EntryBits.None, EntryBits.Writable | EntryBits.Exclusive);
        }
    }

    private static PageClass Changed(PageClass old, EntryBits set, EntryBits clear) => old with { Bits = (old.Bits & ~clear) | set };

    /// <summary>Whether mprotect leaves or makes a present entry writable without a fault.</summary>
    private static bool MayBeWritable(Vma vma, PageClass old)
    {
        if (!vma.CanWrite || old.IsZero)
        {
            return false;
        }

        // While soft-dirty is tracked, a page that is not marked must fault on its first write.
        bool isTracked = !vma.SoftDirty && !old.IsSoftDirty;
        if (vma.IsShared)
        {
            return !vma.WantsWriteNotify || (old.IsDirty && !isTracked);
        }

        return old.IsExclusive && !isTracked;
    }

    /// <summary>Private memory that becomes writable counts against the commit limit from then on; only untouched anonymous memory forgets it.</summary>
    private static bool AccountedAfter(Vma vma, Protection protection)
    {
        if ((protection & Protection.Write) != 0)
        {
            return vma.IsAccounted || (!vma.CanWrite && !vma.IsShared && !vma.IsSpecial);
        }

        return vma.IsAccounted && !(vma.IsAnonymous && vma.Anon is null);
    }

    /// <summary>
    /// Replaces every class in a range by what the translation makes of it: one table look-up a page. No 2 MiB entry may reach out of the range.
    /// </summary>
    private void Translate(Vma vma, ulong from, ulong to, Translation translation)
    {
        Span<byte> table = stackalloc byte[PageClassTable.Capacity];
        bool isIdentity = true;
        int count = _classes.Count;
        for (int id = 1; id < count; id++)
        {
            PageClass old = _classes[(byte)id];
            PageClass wanted = translation switch
            {
                Translation.Protect => AfterProtect(vma, old),
                Translation.ClearSoftDirty => AfterClearSoftDirty(old),
                _ => AfterFork(old),
            };

            // A class that no page of the range has must not cost one of the 256.
            if (_classes.TryFind(wanted, out table[id]) || (HasClass(from, to, (byte)id) && (table[id] = _classes.Intern(wanted)) != 0))
            {
                isIdentity &= table[id] == id;
            }
        }

        if (isIdentity)
        {
            return;
        }

        ByteTable byteTable = _core.TranslationTable;
        byteTable.Set(table[..count]);

        while (from < to)
        {
            ulong block = from / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            BlockDescriptor descriptor = _block[block];
            switch (descriptor.Kind)
            {
                case BlockKind.Hole:
                    end = _columns.HoleEnd(from, to);
                    break;
                case BlockKind.Huge:
                    _block[block] = BlockDescriptor.Huge(table[descriptor.Class], descriptor.Frame);
                    break;
                default:
                    while (end < to && _block[end / BlockPages].Kind == BlockKind.Table)
                    {
                        end = Math.Min(to, end + BlockPages);
                    }

                    TranslateTable(from, end, byteTable);
                    break;
            }

            from = end;
        }
    }

    private void TranslateTable(ulong from, ulong to, ByteTable table)
    {
        while (from < to)
        {
            int count = (int)Math.Min(to - from, 1UL << 30);
            var classes = new Span<byte>(_class + from, count);
            _core.Kernels.Map(classes, table, classes);
            from += (ulong)count;
        }
    }

    private bool HasClass(ulong from, ulong to, byte id)
    {
        while (from < to)
        {
            ulong block = from / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            switch (_block[block].Kind)
            {
                case BlockKind.Hole:
                    end = _columns.HoleEnd(from, to);
                    break;
                case BlockKind.Huge when _block[block].Class == id:
                    return true;
                case BlockKind.Table when new ReadOnlySpan<byte>(_class + from, (int)(end - from)).Contains(id):
                    return true;
            }

            from = end;
        }

        return false;
    }

    private enum Translation
    {
        Protect,
        ClearSoftDirty,
        Fork,
    }
}
