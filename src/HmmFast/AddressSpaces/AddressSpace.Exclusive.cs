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

            if ((flags & FrameFlags.HugePart) != 0)
            {
                MakeFolioExclusive(frame, owner);
            }
            else
            {
                MakeEntryExclusive(vpn, owner);
            }

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

    private void MakeEntryExclusive(ulong vpn, OwnerId owner)
    {
        InvalidatePage(vpn, InvalidationEvent.Exclusive, owner);
        PageClass old = _classes[_class[vpn]];
        EntryBits bits = old.Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
        _class[vpn] = _classes.Intern(new PageClass(PageEntryKind.DeviceExclusive, bits));
    }

    /// <summary>A 2 MiB folio goes as a whole, with every page of it that is still mapped, wherever that is.</summary>
    private void MakeFolioExclusive(uint head, OwnerId owner)
    {
        NotifyFolio(head, InvalidationEvent.Exclusive, owner);
        List<Mapping> mappings = _core.MappingsBuffer;
        for (uint i = 0; i < BlockPages; i++)
        {
            FindMappings(head + i, mappings);
            foreach (Mapping mapping in mappings)
            {
                AddressSpace space = mapping.Space;
                PageClass old = space.ClassAt(mapping.Vpn, out _);
                if (old.IsPresent)
                {
                    if ((old.Bits & EntryBits.Huge) != 0)
                    {
                        space.SplitHugeEntry(mapping.Vpn / BlockPages);
                    }

                    EntryBits bits = old.Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
                    space._class[mapping.Vpn] = _classes.Intern(new PageClass(PageEntryKind.DeviceExclusive, bits));
                }
            }
        }
    }
}
