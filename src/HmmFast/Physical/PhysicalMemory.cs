using System.Runtime.CompilerServices;
using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>
/// All frames: the zero page, system memory, the huge zero page and every pagemap, in one numbering; who holds them, and swap. Knows nothing of page tables.
/// </summary>
/// <remarks>
/// Frame 0 is the zero page, 1..N system memory, then at the next multiple of 512 the huge zero page, then each pagemap at a multiple of 512.
/// The lowest-numbered free frame is taken first.
/// </remarks>
internal sealed unsafe partial class PhysicalMemory : IDisposable
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    private readonly KernelSet _kernels;
    private readonly List<Pagemap> _pagemaps = [];
    private readonly Dictionary<uint, uint> _pins = [];
    private ulong _nextFrame;

    public PhysicalMemory(MemorySystemOptions options, NativeMemoryLedger ledger, KernelSet kernels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SystemFrameCount, 1UL);
        ulong most = FrameTable.FrameLimit - (4 * BlockPages);
        if (options.SystemFrameCount > most)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.SystemFrameCount, $"SystemFrameCount is {options.SystemFrameCount}; frame numbers of 32 bits leave room for {most}.");
        }

        _kernels = kernels;
        HugeZero = (uint)RoundUp(1 + options.SystemFrameCount);
        _nextFrame = HugeZero + BlockPages;
        try
        {
            Frames = new FrameTable(options.TrackContent, ledger);
            System = new FrameRange(Frames, 1, options.SystemFrameCount);
            Swap = new SwapArea(options.SwapSlotCount, options.TrackContent, ledger);
        }
        catch
        {
            Dispose();
            throw;
        }

        // The lowest free frame is taken first, so that a huge page of a column is used up before the next one is touched.
        Frames.AdviseHuge(1, options.SystemFrameCount);
    }

    public FrameTable Frames { get; }

    public FrameRange System { get; }

    public SwapArea Swap { get; }

    public IReadOnlyList<Pagemap> Pagemaps => _pagemaps;

    /// <summary>First of the 512 frames of the huge zero page.</summary>
    public uint HugeZero { get; }

    public bool TracksContent => Frames.Content != null;

    public Pagemap AddPagemap(DeviceOptions options)
    {
        if (options.PageCount == 0 || options.PageCount > FrameTable.FrameLimit - _nextFrame)
        {
            throw new ArgumentException(
                $"Device '{options.Name}' has {options.PageCount} pages; 1..{FrameTable.FrameLimit - _nextFrame} frame numbers are left.", nameof(options));
        }

        var frames = new FrameRange(Frames, _nextFrame, options.PageCount);
        var pagemap = new Pagemap(_pagemaps.Count, options, frames);
        Frames.AdviseHuge((uint)_nextFrame, options.PageCount);
        _nextFrame = RoundUp(_nextFrame + options.PageCount);
        _pagemaps.Add(pagemap);
        return pagemap;
    }

    /// <summary>The pagemap that holds a frame; null for system frames and the zero pages.</summary>
    public Pagemap? PagemapOf(ulong frame)
    {
        if (frame < HugeZero + BlockPages)
        {
            return null;
        }

        foreach (Pagemap pagemap in _pagemaps)
        {
            if (pagemap.Frames.Contains(frame))
            {
                return pagemap;
            }
        }

        return null;
    }

    /// <summary>Frames from one on to the end of its memory (system memory or a pagemap); 0 for the zero pages and for numbers that are no frame.</summary>
    public ulong RoomFrom(ulong frame) => frame - System.First < System.Count ? System.End - frame : PagemapOf(frame) is { } pagemap ? pagemap.Frames.End - frame : 0;

    /// <summary>True for the zero page and the huge zero page's frames.</summary>
    public bool IsZero(uint frame) => frame == 0 || frame - HugeZero < BlockPages;

    /// <summary>True for frames that exist: zero pages, system memory, pagemaps.</summary>
    public bool Exists(ulong frame) => frame < System.End || frame - HugeZero < BlockPages || PagemapOf(frame) is not null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTakeSystem(FrameFlags flags, out uint frame)
    {
        if (!System.TryTake(out frame))
        {
            return false;
        }

        Prepare(frame, flags);
        return true;
    }

    public bool TryTakeDevice(Pagemap pagemap, out uint frame)
    {
        if (!pagemap.Frames.TryTake(out frame))
        {
            return false;
        }

        Prepare(frame, FrameFlags.InUse);
        return true;
    }

    /// <summary>Takes the lowest free frames as one run and fills their columns as mapped once each at consecutive indices.</summary>
    public bool TryTakeMappedRun(ulong most, uint anon, uint firstIndex, out uint first, out ulong count)
    {
        if (!System.TryTakeRun(most, out first, out count))
        {
            return false;
        }

        FillMapped(first, count, FrameFlags.AnonymousPage, anon, firstIndex);
        return true;
    }

    /// <summary>Takes the lowest free aligned run of 512 for a 2 MiB folio, mapped once.</summary>
    public bool TryTakeFolio(uint anon, uint firstIndex, out uint first)
    {
        if (!System.TryTakeBlock(out first))
        {
            return false;
        }

        FillMapped(first, BlockPages, FrameFlags.AnonymousPage | FrameFlags.HugePart, anon, firstIndex);
        Frames.FolioMaps[first / BlockPages] = (uint)BlockPages;
        Frames.FolioEntries[first / BlockPages] = 1;
        return true;
    }

    /// <summary>One 2 MiB entry more of a folio.</summary>
    public void AddFolioMapping(uint head)
    {
        AddMappings(head, BlockPages);
        Frames.FolioEntries[head / BlockPages]++;
    }

    /// <summary>One 2 MiB entry fewer of a folio.</summary>
    public void DropFolioMapping(uint head)
    {
        Frames.FolioEntries[head / BlockPages]--;
        DropMappings(head, BlockPages);
    }

    /// <summary>Entries that map any part of a folio, a 2 MiB one counting once (<c>folio_mapcount</c>); for a single page its mappings.</summary>
    public uint FolioMapCount(uint frame)
    {
        if ((Frames.Flags[frame] & FrameFlags.HugePart) == 0)
        {
            return Frames.MapCount[frame];
        }

        uint entries = Frames.FolioEntries[frame / BlockPages];
        return Frames.FolioMaps[frame / BlockPages] - (entries * (uint)BlockPages) + entries;
    }

    /// <summary>Whether a folio looks mapped by several: exact for a single page and for 2 MiB entries, else judged by the first page, as the kernel does.</summary>
    public bool LooksShared(uint frame)
    {
        uint count = FolioMapCount(frame);
        if ((Frames.Flags[frame] & FrameFlags.HugePart) == 0 || count <= 1)
        {
            return count > 1;
        }

        uint head = frame & ~(uint)(BlockPages - 1);
        return Frames.FolioEntries[frame / BlockPages] > 0 || count > BlockPages || Frames.MapCount[head] > 1;
    }

    /// <summary>The first frame of the folio that a frame belongs to.</summary>
    public uint HeadOf(uint frame) => (Frames.Flags[frame] & FrameFlags.HugePart) != 0 ? frame & ~(uint)(BlockPages - 1) : frame;

    /// <summary>Counts the times that frames in use were mapped once more: while it stays, a frame mapped once is mapped by the same entry.</summary>
    public ulong MappingsAdded { get; private set; }

    /// <summary>One mapping more of a frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddMapping(uint frame)
    {
        if (Frames.MapCount[frame] == ushort.MaxValue)
        {
            throw new InvalidOperationException($"Frame 0x{frame:x} is mapped {ushort.MaxValue} times, which is as often as the column can count.");
        }

        MappingsAdded++;
        Frames.MapCount[frame]++;
        if ((Frames.Flags[frame] & FrameFlags.HugePart) != 0)
        {
            Frames.FolioMaps[frame / BlockPages]++;
        }
    }

    /// <summary>One mapping fewer of a frame; gives it back when nothing holds it any more.</summary>
    public void DropMapping(uint frame)
    {
        FrameFlags flags = Frames.Flags[frame];
        ushort left = --Frames.MapCount[frame];
        if ((flags & FrameFlags.HugePart) != 0)
        {
            if (--Frames.FolioMaps[frame / BlockPages] == 0)
            {
                GiveFolio(frame & ~(uint)(BlockPages - 1));
            }

            return;
        }

        if (left == 0)
        {
            Unused(frame);
        }
    }

    /// <summary>A file's page was written.</summary>
    public void MarkFileDirty(uint frame) => Frames.Flags[frame] = (Frames.Flags[frame] | FrameFlags.Dirty) & ~FrameFlags.ReadAheadMark;

    /// <summary>A frame that nothing maps: freed, or kept by the page cache, the swap cache or a pin.</summary>
    public void Unused(uint frame)
    {
        FrameFlags flags = Frames.Flags[frame];
        if ((flags & (FrameFlags.PageCache | FrameFlags.Held | FrameFlags.Locked)) != 0)
        {
            return;
        }

        if ((flags & FrameFlags.SwapCache) != 0)
        {
            if (Swap.UsesOf(Swap.SlotOf(frame)) > 0)
            {
                return;
            }

            Swap.Uncache(frame);
            Frames.Flags[frame] = (Frames.Flags[frame] & ~FrameFlags.SwapCache) | FrameFlags.Dirty;
        }

        if ((flags & FrameFlags.Pinned) != 0)
        {
            Frames.Flags[frame] |= FrameFlags.Orphan;
            return;
        }

        Give(frame);
    }

    /// <summary>One entry fewer names a swap slot; a frame that only the swap cache still held goes with the last one.</summary>
    public void DropSwap(uint slot)
    {
        if (Swap.DropUse(slot) && Swap.TryGetCached(slot, out uint frame) && Frames.MapCount[frame] == 0)
        {
            Unused(frame);
        }
    }

    /// <summary>A mapping becomes a device-exclusive entry: the page stays in use without being mapped there.</summary>
    public void BeginHold(uint frame)
    {
        Frames.Flags[frame] |= FrameFlags.Held;
        Frames.MapCount[frame]--;
        if ((Frames.Flags[frame] & FrameFlags.HugePart) != 0)
        {
            Frames.FolioMaps[frame / BlockPages]--;
        }
    }

    /// <summary>A device-exclusive entry becomes a mapping again.</summary>
    public void EndHold(uint frame)
    {
        Frames.Flags[frame] &= ~FrameFlags.Held;
        AddMapping(frame);
    }

    /// <summary>A page whose migration is in progress loses some of its entries: its frame stays until the migration ends, even without any.</summary>
    public void DropHeldMapping(uint frame) => Frames.MapCount[frame]--;

    /// <summary>A device-exclusive entry goes for good.</summary>
    public void DropHold(uint frame)
    {
        Frames.Flags[frame] &= ~FrameFlags.Held;
        if ((Frames.Flags[frame] & FrameFlags.HugePart) != 0)
        {
            if (Frames.FolioMaps[frame / BlockPages] == 0)
            {
                GiveFolio(frame & ~(uint)(BlockPages - 1));
            }
        }
        else if (Frames.MapCount[frame] == 0)
        {
            Unused(frame);
        }
    }

    /// <summary>Frees a frame that nothing holds and tells its pagemap's driver.</summary>
    public void Give(uint frame)
    {
        Frames.State[frame] = default;
        if (frame < System.End)
        {
            System.Give(frame, 1);
            return;
        }

        Pagemap pagemap = PagemapOf(frame)!;
        pagemap.Frames.Give(frame, 1);
        pagemap.Ops?.PageFreed(new Pfn(frame));
    }

    /// <summary>Moves a page's identity from one frame to another: flags, mappings, reverse map; the caller has copied the content. The old frame is left without mappings, in use.</summary>
    public void MoveIdentity(uint from, uint to)
    {
        FrameTable frames = Frames;
        FrameFlags kept = frames.Flags[from] & ~(FrameFlags.Pinned | FrameFlags.Orphan | FrameFlags.SwapCache | FrameFlags.HugePart);
        frames.Flags[to] = (frames.Flags[to] & FrameFlags.Pinned) | kept;
        frames.MapCount[to] = frames.MapCount[from];
        frames.ReverseMap[to] = frames.ReverseMap[from];
        frames.MapCount[from] = 0;
    }

    /// <summary>Whether anything is pinned.</summary>
    public bool HasPins => _pins.Count > 0;

    public bool IsPinned(uint frame) => (Frames.Flags[frame] & FrameFlags.Pinned) != 0;

    /// <summary>True when a pin or a device-exclusive entry holds any page of a 2 MiB folio beyond its mappings.</summary>
    public bool IsFolioHeld(uint head)
    {
        for (uint i = 0; i < BlockPages; i++)
        {
            if ((Frames.Flags[head + i] & (FrameFlags.Pinned | FrameFlags.Held)) != 0)
            {
                return true;
            }
        }

        return false;
    }

    public uint PinCount(uint frame) => _pins.GetValueOrDefault(frame);

    public void Pin(uint frame)
    {
        _pins[frame] = _pins.GetValueOrDefault(frame) + 1;
        Frames.Flags[frame] |= FrameFlags.Pinned;
    }

    public void Unpin(uint frame)
    {
        uint left = _pins[frame] - 1;
        if (left > 0)
        {
            _pins[frame] = left;
            return;
        }

        _pins.Remove(frame);
        FrameFlags flags = Frames.Flags[frame] & ~FrameFlags.Pinned;
        Frames.Flags[frame] = flags & ~FrameFlags.Orphan;
        if ((flags & FrameFlags.HugePart) != 0)
        {
            if (Frames.FolioMaps[frame / BlockPages] == 0)
            {
                GiveFolio(frame & ~(uint)(BlockPages - 1));
            }
        }
        else if ((flags & FrameFlags.Orphan) != 0)
        {
            Give(frame);
        }
    }

    public ulong ContentOf(uint frame) => Frames.Content == null ? 0 : Frames.Content[frame];

    /// <summary>Frees the columns: those that there are, when the constructor fails half way.</summary>
    public void Dispose()
    {
        Swap?.Dispose();
        Frames?.Dispose();
    }

    private static ulong RoundUp(ulong frame) => (frame + BlockPages - 1) & ~(BlockPages - 1);

    private void Prepare(uint frame, FrameFlags flags)
    {
        Frames.State[frame] = new FrameState { Flags = flags };
        if (Frames.Content != null)
        {
            Frames.Content[frame] = 0;
        }
    }

    /// <summary>Fills the columns of frames that were just taken, each mapped once.</summary>
    private void FillMapped(uint first, ulong count, FrameFlags flags, uint anon, uint firstIndex)
    {
        int n = checked((int)count);
        Frames.AdviseHuge(first, count);
        Frames.States(first, n).Fill(FrameState.Word(flags, 1));
        _kernels.FillWords(new Span<ulong>(Frames.ReverseMap + first, n), new RmapEntry(anon, firstIndex).Word, 1);
        if (Frames.Content != null)
        {
            new Span<ulong>(Frames.Content + first, n).Clear();
        }
    }

    private void GiveRun(uint first, ulong count)
    {
        Frames.States(first, (int)count).Clear();
        System.Give(first, count);
    }

    /// <summary>Frees the 512 frames of a folio that nothing maps, unless something else holds one of them.</summary>
    private void GiveFolio(uint head)
    {
        if (IsFolioHeld(head))
        {
            return;
        }

        Frames.FolioEntries[head / BlockPages] = 0;
        GiveRun(head, BlockPages);
    }
}
