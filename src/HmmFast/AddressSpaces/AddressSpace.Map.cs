using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>mmap, munmap and emptying page table entries.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>mmap at a fixed place.</summary>
    public HmmStatus Map(VpnRange range, Protection protection, MappingKind kind, FileId fileId, FileObject? file, ulong pageOffset)
    {
        if (range.IsEmpty)
        {
            return HmmStatus.Invalid;
        }

        ulong from = range.Start.Value;
        ulong to = range.End.Value;

        // Made before anything is unmapped: it may find no memory.
        FileObject? nameless = kind == MappingKind.SharedAnonymous ? _core.MakeNameless(range.PageCount) : null;
        Unmap(range);
        if (kind == MappingKind.DriverMixed && _physical.System.FreeCount < range.PageCount)
        {
            return HmmStatus.OutOfMemory;
        }

        if (nameless is not null)
        {
            _core.AddNameless(nameless);
            file = nameless;
            pageOffset = 0;
        }

        Vma vma = _vmas.Add(new Vma
        {
            Start = from,
            End = to,
            Protection = protection,
            Kind = kind,
            File = file,
            FileId = fileId,
            IsAccounted = (kind is MappingKind.PrivateAnonymous or MappingKind.PrivateFile) && (protection & Protection.Write) != 0,
            PageOffset = kind == MappingKind.PrivateAnonymous ? from : pageOffset,
        });
        vma.SoftDirty = true;
        if (kind == MappingKind.DriverMixed)
        {
            InsertDriverPages(from, to);
        }

        return HmmStatus.Ok;
    }

    /// <summary>munmap. Ranges without a mapping are no error and tell nobody.</summary>
    public HmmStatus Unmap(VpnRange range)
    {
        if (range.IsEmpty)
        {
            return HmmStatus.Invalid;
        }

        ulong from = range.Start.Value;
        ulong to = range.End.Value;
        int index = _vmas.IndexFrom(from);
        if (index == _vmas.Count || _vmas[index].Start >= to)
        {
            return HmmStatus.Ok;
        }

        _vmas.SplitAt(from);
        _vmas.SplitAt(to);
        Invalidate(range, InvalidationEvent.Unmap);
        for (index = _vmas.IndexFrom(from); index < _vmas.Count && _vmas[index].Start < to; index++)
        {
            Zap(_vmas[index].Start, _vmas[index].End);
        }

        FreeTables(from, to);
        _vmas.Remove(from, to);
        _core.Reap();
        return HmmStatus.Ok;
    }

    /// <summary>Frees the tables under VMAs that go, neighbours closer than 2 MiB taken together. Called while they are still listed.</summary>
    private void FreeTables(ulong from, ulong to)
    {
        int first = _vmas.IndexFrom(from);
        ulong floor = first > 0 ? _vmas[first - 1].End : 0;
        int index = first;
        while (index < _vmas.Count && _vmas[index].Start < to)
        {
            ulong start = _vmas[index].Start;
            ulong end = _vmas[index].End;
            for (index++; index < _vmas.Count && _vmas[index].Start < to && _vmas[index].Start <= end + BlockPages; index++)
            {
                end = _vmas[index].End;
            }

            ulong ceiling = index < _vmas.Count ? _vmas[index].Start : ulong.MaxValue;
            _columns.FreeTables(start, end, floor, ceiling);
        }
    }

    /// <summary>Empties the entries of a range and drops what they held. A 2 MiB entry that reaches out of it is split first.</summary>
    private void Zap(ulong from, ulong to)
    {
        while (from < to)
        {
            ulong block = from / BlockPages;
            ulong end = Math.Min(to, (block + 1) * BlockPages);
            BlockDescriptor descriptor = _block[block];
            if (descriptor.Kind == BlockKind.Hole)
            {
                from = _columns.HoleEnd(from, to);
                continue;
            }

            if (descriptor.Kind == BlockKind.Huge)
            {
                if (end - from == BlockPages)
                {
                    // The page table that was kept beside the 2 MiB entry goes with it.
                    _block[block] = default;
                    if (_classes[descriptor.Class].HoldsFrame)
                    {
                        _physical.DropFolioMapping(descriptor.Frame);
                    }
                }
                else
                {
                    SplitHugeEntry(block);
                    ZapTable(from, end);
                }
            }
            else
            {
                ZapTable(from, end);
            }

            from = end;
        }
    }

    private void ZapTable(ulong from, ulong to)
    {
        byte* classes = _class;
        while (from < to)
        {
            byte id = classes[from];
            int length = RunOf(from, to);
            if (id != 0)
            {
                new Span<byte>(classes + from, length).Clear();
                PageClass pageClass = _classes[id];
                if (pageClass.Kind == PageEntryKind.Migration)
                {
                    for (ulong i = 0; i < (ulong)length; i++)
                    {
                        _physical.DropHeldMapping(_pfn[from + i]);
                    }
                }
                else if (pageClass.HoldsFrame)
                {
                    if (pageClass.IsPresent && pageClass.IsDirty)
                    {
                        NoteDirtyFiles(from, (ulong)length);
                    }

                    DropFrames(from, (ulong)length);
                }
                else if (pageClass.Kind == PageEntryKind.DeviceExclusive)
                {
                    for (ulong i = 0; i < (ulong)length; i++)
                    {
                        _physical.DropHold(_pfn[from + i]);
                    }
                }
                else if (pageClass.Kind == PageEntryKind.Swap)
                {
                    for (ulong i = 0; i < (ulong)length; i++)
                    {
                        _physical.DropSwap(_pfn[from + i]);
                    }
                }
            }

            from += (ulong)length;
        }
    }

    /// <summary>A dirty entry that goes leaves its file's page dirty.</summary>
    private void NoteDirtyFiles(ulong from, ulong count)
    {
        for (ulong vpn = from; vpn < from + count; vpn++)
        {
            if ((_frames.Flags[_pfn[vpn]] & FrameFlags.Anonymous) == 0)
            {
                _physical.MarkFileDirty(_pfn[vpn]);
            }
        }
    }

    /// <summary>Drops one mapping of each frame that the pfn column names over some pages, run by run.</summary>
    private void DropFrames(ulong from, ulong count)
    {
        ulong to = from + count;
        while (from < to)
        {
            int run = PfnRun(from, to);
            _physical.DropMappings(_pfn[from], (ulong)run);
            from += (ulong)run;
        }
    }

    /// <summary>Pages from one on whose frame numbers count up by one. Short runs are found by hand, so that scattered pages do not pay for a vector.</summary>
    private int PfnRun(ulong from, ulong to)
    {
        uint* pfns = _pfn + from;
        int most = (int)Math.Min(to - from, 1UL << 20);
        int hand = Math.Min(most, 8);
        for (int i = 1; i < hand; i++)
        {
            if (pfns[i] != pfns[0] + (uint)i)
            {
                return i;
            }
        }

        return hand == most ? most : _core.Kernels.CountingRun(new ReadOnlySpan<uint>(pfns, most));
    }

    /// <summary>Pages from <paramref name="from"/> on that have one class, up to the end given. Only over tables.</summary>
    private int RunOf(ulong from, ulong to)
    {
        int most = (int)Math.Min(to - from, int.MaxValue);
        int length = new ReadOnlySpan<byte>(_class + from, most).IndexOfAnyExcept(_class[from]);
        return length < 0 ? most : length;
    }

    private void InsertDriverPages(ulong from, ulong to)
    {
        // A driver inserts with the VMA's private protection: readable, never writable without a copy.
        byte present = _classes.Present(EntryBits.None);
        for (ulong vpn = from; vpn < to; vpn++)
        {
            bool taken = _physical.TryTakeSystem(FrameFlags.InUse | FrameFlags.Driver, out uint frame);
            System.Diagnostics.Debug.Assert(taken, "counted before");
            _columns.EnsureTable(vpn / BlockPages);
            _physical.AddMapping(frame);
            SetEntry(vpn, present, frame);
        }
    }

    /// <summary>Tells notifiers that who may use a pagemap's pages changed: one Revoke for every run of pages held in it. Entries stay.</summary>
    public void Revoke(Pagemap pagemap)
    {
        for (int i = 0; i < _vmas.Count; i++)
        {
            ulong at = _vmas[i].Start;
            ulong end = _vmas[i].End;
            while (at < end)
            {
                if (_block[at / BlockPages].Kind == BlockKind.Hole)
                {
                    at = _columns.HoleEnd(at, end);
                    continue;
                }

                ulong from = at;
                while (at < end && ClassAt(at, out uint number) is { HoldsFrame: true, Kind: not PageEntryKind.Migration } && pagemap.Frames.Contains(number))
                {
                    at++;
                }

                if (at > from)
                {
                    Invalidate(VpnRange.FromBounds(new Vpn(from), new Vpn(at)), InvalidationEvent.Revoke, pagemap.Owner);
                }
                else
                {
                    at++;
                }
            }
        }
    }
}
