using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Faults on empty entries of file mappings, shared anonymous memory and drivers' mappings.</content>
internal sealed unsafe partial class AddressSpace
{
    // Pages around a faulting file page that are mapped along when they are in the page cache (64 KiB).
    private const ulong FaultAroundPages = 16;

    private FaultOutcome FaultFile(Vma vma, ulong vpn, bool write, bool mayRetry)
    {
        if (vma.File is null)
        {
            // Driver mappings are filled when they are made; nothing can be faulted in later.
            return FaultOutcome.SigBus;
        }

        FaultOutcome outcome = FaultFile(vma, vma.File, vpn, write, mayRetry ? FaultAttempt.First : FaultAttempt.Only);
        return outcome == FaultOutcome.Retry ? FaultFile(vma, vma.File, vpn, write, FaultAttempt.Second) : outcome;
    }

    private FaultOutcome FaultFile(Vma vma, FileObject file, ulong vpn, bool write, FaultAttempt attempt)
    {
        if (write && !vma.IsShared)
        {
            return FaultFileCopy(vma, file, vpn, attempt);
        }

        // Neighbours are mapped even when the page itself lies beyond the end.
        if (!write && FaultAround(vma, vpn, file))
        {
            return FaultOutcome.Done;
        }

        FaultOutcome outcome = _core.FindFilePage(file, vma.IndexOf(vpn), attempt, out uint frame);
        if (outcome == FaultOutcome.Done)
        {
            MapFilePage(vma, vpn, frame, write);
        }

        return outcome;
    }

    /// <summary>A write to an absent page of a private file mapping: the copy's frame is taken before the file's page is looked for, and nobody is notified.</summary>
    private FaultOutcome FaultFileCopy(Vma vma, FileObject file, ulong vpn, FaultAttempt attempt)
    {
        _vmas.PrepareAnon(vma);
        byte id = _classes.Present(Written);
        if (!TryTakeAnonymous(vma, vpn, out uint copy))
        {
            return FaultOutcome.OutOfMemory;
        }

        FaultOutcome outcome = _core.FindFilePage(file, vma.IndexOf(vpn), attempt, out uint frame);
        if (outcome != FaultOutcome.Done)
        {
            _physical.DropMapping(copy);
            return outcome;
        }

        if (_physical.TracksContent)
        {
            _frames.Content[copy] = _frames.Content[frame];
        }

        _columns.EnsureTable(vpn / BlockPages);
        SetEntry(vpn, id, copy);
        _core.Counters.PagesCopied++;
        return FaultOutcome.Done;
    }

    private void MapFilePage(Vma vma, ulong vpn, uint frame, bool write)
    {
        EntryBits bits = write ? EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Dirty : EntryBits.None;
        if (vma.IsShared && vma.CanWrite && !vma.WantsWriteNotify)
        {
            bits |= EntryBits.Writable;
        }

        byte id = _classes.Present(bits);
        if (write)
        {
            _physical.MarkFileDirty(frame);
        }

        _columns.EnsureTable(vpn / BlockPages);
        SetEntry(vpn, id, frame);
        _physical.AddMapping(frame);
    }

    /// <summary>
    /// A read fault maps every empty page around it whose file page is in the page cache: 16 pages from the 64 KiB border, or from the VMA's start where that is
    /// later, within VMA and block. True when the faulting page was among them.
    /// </summary>
    private bool FaultAround(Vma vma, ulong vpn, FileObject file)
    {
        ulong from = Math.Max(vpn & ~(FaultAroundPages - 1), vma.Start);
        ulong to = Math.Min(Math.Min(from + FaultAroundPages, vma.End), ((vpn / BlockPages) + 1) * BlockPages);
        bool isMapped = false;
        for (ulong at = from; at < to; at++)
        {
            ulong page = vma.IndexOf(at);
            if (page >= file.PageCount || _class[at] != 0)
            {
                continue;
            }

            uint frame = file.Cache[page];
            if (frame != 0 && (_frames.Flags[frame] & (FrameFlags.ReadAheadMark | FrameFlags.Locked)) == 0)
            {
                MapFilePage(vma, at, frame, write: false);
                isMapped |= at == vpn;
            }
        }

        return isMapped;
    }
}
