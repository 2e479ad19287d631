using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>fork: columns are translated to what both processes may keep, then copied.</content>
internal sealed unsafe partial class AddressSpace
{
    // Entries copied and then counted in one go. Counting them while they are in cache pays less than a long copy does: of copying 16 Mi pages' columns into fresh memory
    // a fork is 0.43 in pieces of 16 Ki pages, 0.44 of 64 Ki, 0.54 of 1 Mi, 0.55 of 16 Mi (Zen 4).
    private const ulong CopiedPages = 1 << 24;

    /// <summary>A child that shares everything private copy-on-write.</summary>
    public AddressSpace Fork()
    {
        var child = new AddressSpace(_core, this);
        for (int i = 0; i < _vmas.Count; i++)
        {
            Vma vma = _vmas[i];
            Vma copy = vma.Part(vma.Start, vma.End);
            if (vma.Anon is not null)
            {
                copy.Anon = _core.MakeAnon(vma.Anon);
            }

            child._vmas.Append(copy);
            if (NeedsCopy(vma))
            {
                if (!vma.IsShared && !vma.IsUnfaultable)
                {
                    Invalidate(vma.Range, InvalidationEvent.ProtectPage);
                }

                ShareWith(child, vma);
            }
        }

        return child;
    }

    /// <summary>Without private pages of its own a VMA is not copied: the child faults its pages in anew.</summary>
    private static bool NeedsCopy(Vma vma) => vma.IsSpecial || vma.Anon is not null;

    private void ShareWith(AddressSpace child, Vma vma)
    {
        EndExclusives(vma);
        Translate(vma, vma.Start, vma.End, Translation.Fork);
        ulong from = vma.Start;
        while (from < vma.End)
        {
            ulong block = from / BlockPages;
            ulong end = Math.Min(vma.End, (block + 1) * BlockPages);
            BlockDescriptor descriptor = _block[block];
            switch (descriptor.Kind)
            {
                case BlockKind.Hole:
                    end = _columns.HoleEnd(from, vma.End);
                    break;
                case BlockKind.Huge:
                    child._columns.SetHuge(block, descriptor.Class, descriptor.Frame);
                    if (_classes[descriptor.Class].HoldsFrame)
                    {
                        _physical.AddFolioMapping(descriptor.Frame);
                    }

                    break;
                default:
                    child._columns.EnsureTable(block);
                    while (end < vma.End && _block[end / BlockPages].Kind == BlockKind.Table)
                    {
                        child._columns.EnsureTable(end / BlockPages);
                        end = Math.Min(vma.End, end + BlockPages);
                    }

                    child._columns.AdviseHuge(from, end);
                    for (ulong at = from; at < end; at += CopiedPages)
                    {
                        ulong to = Math.Min(end, at + CopiedPages);
                        child.CopyEntries(this, at, to);
                        CountShared(at, to);
                    }

                    break;
            }

            from = end;
        }
    }

    private void CopyEntries(AddressSpace parent, ulong from, ulong to)
    {
        int count = (int)(to - from);
        new Span<byte>(parent._class + from, count).CopyTo(new Span<byte>(_class + from, count));
        new Span<uint>(parent._pfn + from, count).CopyTo(new Span<uint>(_pfn + from, count));
    }

    /// <summary>Counts the child's entries of a table at their frames and slots.</summary>
    private void CountShared(ulong from, ulong to)
    {
        while (from < to)
        {
            PageClass pageClass = _classes[_class[from]];
            ulong end = from + (ulong)RunOf(from, to);
            if (pageClass.HoldsFrame)
            {
                AddFrames(from, end);
            }
            else if (pageClass.Kind == PageEntryKind.Swap)
            {
                for (ulong vpn = from; vpn < end; vpn++)
                {
                    _physical.Swap.AddUse(_pfn[vpn]);
                }
            }

            from = end;
        }
    }

    /// <summary>One mapping more of each frame that the pfn column names over some pages, run by run.</summary>
    private void AddFrames(ulong from, ulong to)
    {
        while (from < to)
        {
            int run = PfnRun(from, to);
            _physical.AddMappings(_pfn[from], (ulong)run);
            from += (ulong)run;
        }
    }

    /// <summary>What a device had exclusively is mapped again before it is shared (the translation makes the entries ordinary ones).</summary>
    private void EndExclusives(Vma vma)
    {
        ReadOnlySpan<PageClass> all = _classes.All;
        for (int id = 0; id < all.Length; id++)
        {
            if (all[id].Kind != PageEntryKind.DeviceExclusive || !HasClass(vma.Start, vma.End, (byte)id))
            {
                continue;
            }

            for (ulong vpn = vma.Start; vpn < vma.End; vpn++)
            {
                if (_block[vpn / BlockPages].Kind == BlockKind.Table && _class[vpn] == id)
                {
                    _physical.EndHold(_pfn[vpn]);
                }
            }
        }
    }
}
