using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>make_device_exclusive_range.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Faults pages in for write, then makes the entries of anonymous ones exclusive to a device.</summary>
    public HmmStatus MakeDeviceExclusive(VpnRange range, OwnerId owner, Span<Pfn> pages, out ulong faultedPageCount)
    {
        pages.Fill(Pfn.None);
        HmmStatus status = FaultForWrite(range, out ulong end);
        faultedPageCount = end - range.Start.Value;
        if (end == range.Start.Value)
        {
            return status;
        }

        for (ulong vpn = range.Start.Value; vpn < end; vpn++)
        {
            // Pages are looked up once, before any is made exclusive: a page that a folio's head took along is a tail all the same.
            uint frame = _pfn[vpn];
            FrameFlags flags = _frames.Flags[frame];
            bool isTail = (flags & FrameFlags.HugePart) != 0 && frame % BlockPages != 0;
            if ((flags & FrameFlags.Anonymous) == 0 || isTail)
            {
                continue;
            }

            MakeFolioExclusive(frame, owner);
            pages[(int)(vpn - range.Start.Value)] = new Pfn(frame);
        }

        return HmmStatus.Ok;
    }

    /// <summary>Faults a range for write page by page and stops at the first page that cannot be had; 2 MiB entries are split.</summary>
    private HmmStatus FaultForWrite(VpnRange range, out ulong end)
    {
        for (end = range.Start.Value; end < range.End.Value; end++)
        {
            Vma? vma = _vmas.Find(end);
            if (vma is null || !vma.CanWrite || vma.IsUnfaultable)
            {
                return HmmStatus.Fault;
            }

            while (true)
            {
                ulong block = end / BlockPages;
                if (_block[block].Kind == BlockKind.Huge)
                {
                    SplitHugeEntry(block);
                }

                PageClass pageClass = ClassAt(end, out _);
                if (pageClass.IsPresent && pageClass.IsWritable)
                {
                    if (!pageClass.IsDirty)
                    {
                        _frames.Flags[_physical.HeadOf(_pfn[end])] |= FrameFlags.Dirty;
                    }

                    break;
                }

                FaultOutcome outcome = HandleFault(vma, end, write: true);
                if (outcome != FaultOutcome.Done)
                {
                    return StatusOf(outcome);
                }
            }
        }

        return HmmStatus.Ok;
    }

    internal static HmmStatus StatusOf(FaultOutcome outcome) => outcome switch
    {
        FaultOutcome.Done => HmmStatus.Ok,
        FaultOutcome.OutOfMemory => HmmStatus.OutOfMemory,
        FaultOutcome.Busy => HmmStatus.Busy,
        _ => HmmStatus.Fault,
    };

    /// <summary>A page goes alone, a 2 MiB folio as a whole, with every page of it that is still mapped, wherever that is.</summary>
    private void MakeFolioExclusive(uint head, OwnerId owner)
    {
        uint pages = (_frames.Flags[head] & FrameFlags.HugePart) != 0 ? (uint)BlockPages : 1;
        NotifyPlaces(head, pages, InvalidationEvent.Exclusive, owner);
        List<Mapping> mappings = _core.MappingsBuffer;
        for (uint i = 0; i < pages; i++)
        {
            FindMappings(head + i, mappings);
            foreach (Mapping mapping in mappings)
            {
                AddressSpace space = mapping.Space;
                PageClass old = space.ClassAt(mapping.Vpn, out _);
                if (!old.IsPresent)
                {
                    continue;
                }

                if ((old.Bits & EntryBits.Huge) != 0)
                {
                    space.SplitHugeEntry(mapping.Vpn / BlockPages);
                }

                if (old.IsDirty)
                {
                    _frames.Flags[head] |= FrameFlags.Dirty;
                }

                EntryBits bits = old.Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
                space._class[mapping.Vpn] = _classes.Intern(new PageClass(PageEntryKind.DeviceExclusive, bits));
            }
        }
    }
}
