using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HmmFast.Simulation.Captures.Live;

/// <summary>Reads a process's page table through /proc/N/pagemap, VMA by VMA, into a builder.</summary>
internal sealed class ProcessPages
{
    private const int EntryBytes = 8;
    private const int EntriesPerRead = 64 * 1024;
    private const int RegionsPerScan = 1024;
    private const ulong PresentBit = 1UL << 63;
    private const ulong SwappedBit = 1UL << 62;
    private const ulong FileBit = 1UL << 61;
    private const ulong ExclusiveBit = 1UL << 56;
    private const ulong SoftDirtyBit = 1UL << 55;
    private const ulong FrameMask = (1UL << 55) - 1;

    private readonly SafeFileHandle _pagemap;
    private readonly CaptureBuilder _builder;
    private readonly string _process;
    private readonly bool _hasFrames;
    private readonly ulong _zeroFrame;
    private readonly byte[] _bytes = new byte[EntriesPerRead * EntryBytes];
    private readonly PagemapScan.Region[] _regions = new PagemapScan.Region[RegionsPerScan];
    private readonly HugePageTest? _hugePages;

    /// <summary>Prepares to read.</summary>
    /// <param name="pagemap">The open file.</param>
    /// <param name="builder">Receives the pages.</param>
    /// <param name="process">The process, for messages.</param>
    /// <param name="hasFrames">True to keep the frame numbers that pagemap shows.</param>
    /// <param name="zeroFrame">Frame of the zero page, where frames show; 0 where not.</param>
    /// <param name="hugePages">Tells huge pages from frames where the scan cannot; null where nothing can.</param>
    public ProcessPages(SafeFileHandle pagemap, CaptureBuilder builder, string process, bool hasFrames, ulong zeroFrame, HugePageTest? hugePages)
    {
        _pagemap = pagemap;
        _builder = builder;
        _process = process;
        _hasFrames = hasFrames;
        _zeroFrame = zeroFrame;
        _hugePages = hugePages;
    }

    private Span<ulong> Entries => MemoryMarshal.Cast<byte, ulong>(_bytes.AsSpan());

    /// <summary>Reads a VMA with PAGEMAP_SCAN.</summary>
    /// <returns>False when this kernel does not have it; nothing is read then.</returns>
    public bool TryScan(CapturedVma vma)
    {
        ulong at = vma.Range.Start.Value * PageOrder.PageSizeBytes;
        ulong end = vma.Range.End.Value * PageOrder.PageSizeBytes;
        while (at < end)
        {
            ulong from = at;
            if (!PagemapScan.TryScan(_pagemap, ref at, end, _regions, out int count))
            {
                return false;
            }

            if (at <= from || at > end)
            {
                throw Ended();
            }

            foreach (PagemapScan.Region region in _regions.AsSpan(0, count))
            {
                PageState extra = ((region.Categories & PagemapScan.Categories.Huge) != 0 ? PageState.Huge : 0)
                    | ((region.Categories & PagemapScan.Categories.Zero) != 0 ? PageState.Zero : 0);
                ReadEntries(
                    vma,
                    new Vpn(region.Start / PageOrder.PageSizeBytes),
                    (region.End - region.Start) / PageOrder.PageSizeBytes,
                    extra,
                    isPlain: false);
            }
        }

        return true;
    }

    /// <summary>Reads every entry of a VMA.</summary>
    public void ReadPlain(CapturedVma vma) => ReadEntries(vma, vma.Range.Start, vma.Range.PageCount, PageState.None, isPlain: true);

    private void ReadEntries(CapturedVma vma, Vpn start, ulong pageCount, PageState extra, bool isPlain)
    {
        bool isPrivateAnonymous = vma.Kind == MappingKind.PrivateAnonymous;
        while (pageCount > 0)
        {
            // Reads end at 2 MiB borders (or at the VMA's end), so that a block is seen whole and can be told to be huge.
            int count = (int)Math.Min(pageCount, EntriesPerRead - (start.Value % PageOrder.PagesPerBlock));
            Fill(start, count);
            Span<ulong> entries = Entries[..count];
            int i = 0;
            while (i < count)
            {
                Vpn vpn = start + (ulong)i;
                PageState found = extra;
                int run = 1;
                if (isPlain && _hugePages is not null && vpn.Value % PageOrder.PagesPerBlock == 0 && count - i >= PageOrder.PagesPerBlock
                    && _hugePages.IsHuge(entries.Slice(i, PageOrder.PagesPerBlock)))
                {
                    found |= PageState.Huge;
                    run = PageOrder.PagesPerBlock;
                }

                for (int j = 0; j < run; j++)
                {
                    Append(vpn + (ulong)j, entries[i + j], found, isPlain && isPrivateAnonymous);
                }

                i += run;
            }

            start += (ulong)count;
            pageCount -= (ulong)count;
        }
    }

    private void Append(Vpn vpn, ulong entry, PageState extra, bool fileMeansZero)
    {
        if ((entry & (PresentBit | SwappedBit)) == 0)
        {
            return; // empty, or gone since the scan
        }

        PageState state = ((entry & FileBit) != 0 ? PageState.FileOrShared : 0)
            | ((entry & ExclusiveBit) != 0 ? PageState.Exclusive : 0)
            | ((entry & SoftDirtyBit) != 0 ? PageState.SoftDirty : 0);
        if ((entry & PresentBit) == 0)
        {
            _builder.AppendSynthetic(vpn, 1, state | PageState.Swapped);
            return;
        }

        state |= PageState.Present | extra;

        // Plain reads say nothing of zero pages. The small one shows no owner at all and is told by its frame; the huge one is the only page in
        // private anonymous memory that is not anonymous.
        bool isZero = fileMeansZero && ((entry & FileBit) != 0 || (_zeroFrame != 0 && (entry & FrameMask) == _zeroFrame));
        state |= isZero ? PageState.Zero : 0;
        if (_hasFrames)
        {
            _builder.Append(vpn, state, new Pfn(entry & FrameMask));
        }
        else
        {
            _builder.AppendSynthetic(vpn, 1, state);
        }
    }

    private void Fill(Vpn start, int count)
    {
        Span<byte> wanted = _bytes.AsSpan(0, count * EntryBytes);
        long offset = (long)start.Value * EntryBytes;
        while (!wanted.IsEmpty)
        {
            int got = RandomAccess.Read(_pagemap, wanted, offset);
            if (got == 0)
            {
                throw Ended();
            }

            wanted = wanted[got..];
            offset += got;
        }
    }

    private CaptureException Ended() => new(_process, "ended while it was being captured.");
}
