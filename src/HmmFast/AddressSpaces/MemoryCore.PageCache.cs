using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>What a fault does to find a file's page, with the reading ahead that a disk brings.</content>
internal sealed partial class MemoryCore
{
    // Pages that a fault on a page which is not in memory reads around it (128 KiB).
    private const ulong ReadAroundPages = 32;

    /// <summary>A file's page for a fault: from the cache, from swap, from disk, or new.</summary>
    /// <param name="file">The file.</param>
    /// <param name="page">Its page.</param>
    /// <param name="attempt">Which attempt of the fault it is.</param>
    /// <param name="frame">The page's frame.</param>
    public unsafe FaultOutcome FindFilePage(FileObject file, ulong page, FaultAttempt attempt, out uint frame)
    {
        FaultOutcome afterReading = attempt == FaultAttempt.First ? FaultOutcome.Retry : FaultOutcome.Done;
        frame = 0;
        if (page >= file.PageCount)
        {
            return FaultOutcome.SigBus;
        }

        frame = file.Cache[page];
        if (frame != 0)
        {
            if ((Physical.Frames.Flags[frame] & FrameFlags.Locked) != 0)
            {
                return FaultOutcome.Busy;
            }

            if (attempt == FaultAttempt.Second || (Physical.Frames.Flags[frame] & FrameFlags.ReadAheadMark) == 0)
            {
                return FaultOutcome.Done;
            }

            ReadAhead(file, page, frame);
            return afterReading;
        }

        if (file.TryGetSlot(page, out uint slot))
        {
            return BringFilePageBack(file, page, slot, out frame);
        }

        if (file.Kind == FileKind.Memfd)
        {
            return TryFillCache(file, page, 0, out frame) ? FaultOutcome.Done : FaultOutcome.OutOfMemory;
        }

        file.ReadAheadStart = page - Math.Min(page, ReadAroundPages / 2);
        file.ReadAheadSize = ReadAroundPages;
        file.ReadAheadAsyncSize = ReadAroundPages / 4;
        ReadWindow(file);
        frame = file.Cache[page];
        return frame != 0 || TryFillCache(file, page, file.InitialTagOf(page), out frame) ? afterReading : FaultOutcome.OutOfMemory;
    }

    private FaultOutcome BringFilePageBack(FileObject file, ulong page, uint slot, out uint frame)
    {
        if (!TryFillCache(file, page, Physical.Swap.ContentOf(slot), out frame))
        {
            return FaultOutcome.OutOfMemory;
        }

        file.ClearSlot(page);
        Physical.Swap.DropUse(slot);
        Physical.MarkFileDirty(frame);
        Counters.PagesSwappedIn++;
        return FaultOutcome.Done;
    }

    /// <summary>A fault met the marked page: reads on behind the last window, or behind what is there, up to twice as much as last time.</summary>
    private unsafe void ReadAhead(FileObject file, ulong page, uint marked)
    {
        Physical.Frames.Flags[marked] &= ~FrameFlags.ReadAheadMark;
        if (page == file.ReadAheadStart + file.ReadAheadSize - file.ReadAheadAsyncSize)
        {
            file.ReadAheadStart += file.ReadAheadSize;
            file.ReadAheadSize = Math.Max(file.ReadAheadSize, Grown(file.ReadAheadSize));
        }
        else
        {
            ulong miss = page + 1;
            while (miss - page <= ReadAroundPages && miss < file.PageCount && file.Cache[miss] != 0)
            {
                miss++;
            }

            if (miss - page > ReadAroundPages)
            {
                return;
            }

            file.ReadAheadStart = miss;
            file.ReadAheadSize = Grown(miss - page + ReadAroundPages);
        }

        file.ReadAheadAsyncSize = file.ReadAheadSize;
        ReadWindow(file);
    }

    private static ulong Grown(ulong pages) => pages switch
    {
        < ReadAroundPages / 16 => pages * 4,
        <= ReadAroundPages / 2 => pages * 2,
        _ => ReadAroundPages,
    };

    /// <summary>Reads the window's missing pages in order, as far as the file and the free frames go, and marks the page where the next read-ahead starts.</summary>
    private unsafe void ReadWindow(FileObject file)
    {
        ulong end = Math.Min(file.ReadAheadStart + file.ReadAheadSize, file.PageCount);
        for (ulong page = file.ReadAheadStart; page < end; page++)
        {
            if (file.Cache[page] != 0)
            {
                continue;
            }

            if (!TryFillCache(file, page, file.InitialTagOf(page), out uint frame))
            {
                return;
            }

            if (page + file.ReadAheadAsyncSize == end)
            {
                Physical.Frames.Flags[frame] |= FrameFlags.ReadAheadMark;
            }
        }
    }

    private unsafe bool TryFillCache(FileObject file, ulong page, ulong tag, out uint frame)
    {
        FrameFlags flags = FrameFlags.InUse | FrameFlags.PageCache | (file.Kind == FileKind.Memfd ? FrameFlags.SwapBacked : FrameFlags.None);
        if (!Physical.TryTakeSystem(flags, out frame))
        {
            return false;
        }

        Physical.Frames.ReverseMap[frame] = new RmapEntry(file.Object, (uint)page);
        if (Physical.TracksContent)
        {
            Physical.Frames.Content[frame] = tag;
        }

        file.Cache[page] = frame;
        return true;
    }
}
