namespace HmmFast.Reference;

/// <content>What a fault does to find a file's page, with the reading ahead that a disk brings.</content>
public sealed partial class ReferenceMemorySystem
{
    /// <summary>Pages a fault on a page that is not in memory reads around it (128 KiB).</summary>
    private const ulong ReadAroundPages = 32;

    /// <summary>The file's page for a fault (the vm_ops fault handler): from the cache, from swap, from disk, or new.</summary>
    /// <param name="file">The file.</param>
    /// <param name="index">Its page.</param>
    /// <param name="attempt">Which attempt of the fault it is.</param>
    /// <param name="pfn">The page's frame.</param>
    internal FaultOutcome FindFilePage(PageFile file, ulong index, FaultAttempt attempt, out uint pfn)
    {
        pfn = 0;
        FaultOutcome afterReading = attempt == FaultAttempt.First ? FaultOutcome.Retry : FaultOutcome.Done;
        if (index >= file.PageCount)
        {
            return FaultOutcome.SigBus;
        }

        CachedPage page = file[index];
        if (page.Kind == CachedPageKind.Swapped)
        {
            return BringShmemPageBack(file, index, page.Number, out pfn);
        }

        if (page.Kind == CachedPageKind.InMemory)
        {
            pfn = page.Number;
            if (Physical[pfn].Has(FrameFlags.Locked))
            {
                return FaultOutcome.Wait;
            }

            if (attempt == FaultAttempt.Second || !Physical[pfn].Has(FrameFlags.ReadAheadMark))
            {
                return FaultOutcome.Done;
            }

            ReadAhead(file, index, pfn);
            return afterReading;
        }

        if (file.Kind == FileKind.Memfd)
        {
            return TryAddCachePage(file, index, 0, out pfn) ? FaultOutcome.Done : FaultOutcome.OutOfMemory;
        }

        file.ReadAheadStart = index - Math.Min(index, ReadAroundPages / 2);
        file.ReadAheadSize = ReadAroundPages;
        file.ReadAheadAsyncSize = ReadAroundPages / 4;
        ReadWindow(file);
        pfn = file[index].Number;
        return file[index].Kind == CachedPageKind.InMemory || TryReadPage(file, index, out pfn) ? afterReading : FaultOutcome.OutOfMemory;
    }

    private FaultOutcome BringShmemPageBack(PageFile file, ulong index, uint slot, out uint pfn)
    {
        if (!TryAddCachePage(file, index, Physical.Swap.ContentOf(slot), out pfn))
        {
            return FaultOutcome.OutOfMemory;
        }

        Physical.MarkDirty(pfn);
        Physical.FreeSwapEntry(slot);
        _counters.PagesSwappedIn++;
        return FaultOutcome.Done;
    }

    /// <summary>A fault met the marked page: reads on behind the last window, or behind what is there, twice as much as last time.</summary>
    private void ReadAhead(PageFile file, ulong index, uint marked)
    {
        Physical[marked].Set(FrameFlags.ReadAheadMark, false);
        if (index == file.ReadAheadStart + file.ReadAheadSize - file.ReadAheadAsyncSize)
        {
            file.ReadAheadStart += file.ReadAheadSize;
            file.ReadAheadSize = Math.Max(file.ReadAheadSize, Grow(file.ReadAheadSize));
        }
        else
        {
            ulong miss = index + 1;
            while (miss - index <= ReadAroundPages && file[miss].Kind == CachedPageKind.InMemory)
            {
                miss++;
            }

            if (miss - index > ReadAroundPages)
            {
                return;
            }

            file.ReadAheadStart = miss;
            file.ReadAheadSize = Grow(miss - index + ReadAroundPages);
        }

        file.ReadAheadAsyncSize = file.ReadAheadSize;
        ReadWindow(file);
    }

    private static ulong Grow(ulong pages) => pages switch
    {
        < ReadAroundPages / 16 => pages * 4,
        <= ReadAroundPages / 2 => pages * 2,
        _ => ReadAroundPages,
    };

    /// <summary>Reads the window's missing pages in order, as far as the file and the free frames go, and marks the page where the next read-ahead starts.</summary>
    private void ReadWindow(PageFile file)
    {
        ulong end = Math.Min(file.ReadAheadStart + file.ReadAheadSize, file.PageCount);
        for (ulong index = file.ReadAheadStart; index < end; index++)
        {
            if (file[index].Kind != CachedPageKind.Absent)
            {
                continue;
            }

            if (!TryReadPage(file, index, out uint pfn))
            {
                return;
            }

            Physical[pfn].Set(FrameFlags.ReadAheadMark, index + file.ReadAheadAsyncSize == end);
        }
    }

    private bool TryReadPage(PageFile file, ulong index, out uint pfn) =>
        TryAddCachePage(file, index, file.InitialTag is null ? 0 : file.DiskTagOf(index), out pfn);
}
