namespace HmmFast.Policies;

/// <summary>
/// A BAR window over a device's private memory: which private pages have an alias (a PCI_P2PDMA page) now, and which frame it is.
/// Immutable; mapping a chunk makes a new window.
/// </summary>
/// <remarks>
/// Device memory is cut into chunks, the window into slots of the same size; each slot shows one chunk or none. A window smaller than
/// the memory has fewer slots than there are chunks. The alias frames are a pagemap of their own
/// (<see cref="DeviceMemoryKind.PciP2pdma"/>), with their own struct pages.
/// Pages are 4 KiB. Cost: 4 bytes a chunk; an alias is a division and a look-up, a run as many looks as it has chunks, the way back from an alias and a change a look at all
/// chunks. Any number of threads may ask. Source: the proposal's exporter callback that answers with a page of its BAR, or fails where the BAR shows none.
/// </remarks>
public sealed class AliasWindow
{
    private readonly int[] _slotOfChunk;

    private AliasWindow(Pfn firstDevicePage, ulong devicePageCount, Pfn firstAlias, ulong aliasPageCount, ulong chunkPageCount, long busOffsetBytes, int[] slotOfChunk)
    {
        FirstDevicePage = firstDevicePage;
        DevicePageCount = devicePageCount;
        FirstAlias = firstAlias;
        AliasPageCount = aliasPageCount;
        ChunkPageCount = chunkPageCount;
        BusOffsetBytes = busOffsetBytes;
        _slotOfChunk = slotOfChunk;
        OffersAll = true;
        IsIdentity = true;
        for (int chunk = 0; chunk < slotOfChunk.Length; chunk++)
        {
            OffersAll &= slotOfChunk[chunk] >= 0;
            IsIdentity &= slotOfChunk[chunk] == chunk;
        }
    }

    /// <summary>First frame of the private memory.</summary>
    public Pfn FirstDevicePage { get; }

    /// <summary>Pages of private memory.</summary>
    public ulong DevicePageCount { get; }

    /// <summary>First alias frame: the window's start.</summary>
    public Pfn FirstAlias { get; }

    /// <summary>Size of the window in pages.</summary>
    public ulong AliasPageCount { get; }

    /// <summary>Pages of a chunk.</summary>
    public ulong ChunkPageCount { get; }

    /// <summary>What is added to an alias frame's physical address to get its bus address.</summary>
    public long BusOffsetBytes { get; }

    /// <summary>True when every private page has an alias.</summary>
    public bool OffersAll { get; }

    /// <summary>True when every chunk has its alias in the slot of its own number: alias = page + a constant.</summary>
    public bool IsIdentity { get; }

    /// <summary>Chunks of private memory.</summary>
    public int ChunkCount => _slotOfChunk.Length;

    /// <summary>Slots of the window.</summary>
    public int SlotCount => (int)(AliasPageCount / ChunkPageCount);

    /// <summary>Makes a window that maps as many chunks as fit, in order, each to the slot of its own number.</summary>
    /// <param name="firstDevicePage">First frame of the private memory.</param>
    /// <param name="devicePageCount">Its pages; at least 1.</param>
    /// <param name="firstAlias">First frame of the alias pagemap.</param>
    /// <param name="aliasPageCount">Its pages.</param>
    /// <param name="chunkPageCount">Pages of a chunk; at least 1.</param>
    /// <param name="busOffsetBytes">Bus address minus physical address.</param>
    /// <param name="mapAll">False starts with no chunk mapped.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is 0, or the two frame ranges overlap.</exception>
    public static AliasWindow Create(
        Pfn firstDevicePage,
        ulong devicePageCount,
        Pfn firstAlias,
        ulong aliasPageCount,
        ulong chunkPageCount = 512,
        long busOffsetBytes = 0,
        bool mapAll = true)
    {
        ArgumentOutOfRangeException.ThrowIfZero(devicePageCount);
        ArgumentOutOfRangeException.ThrowIfZero(chunkPageCount);
        if (firstAlias.Value < firstDevicePage.Value + devicePageCount && firstDevicePage.Value < firstAlias.Value + aliasPageCount)
        {
            throw new ArgumentOutOfRangeException(
                nameof(firstAlias),
                firstAlias,
                $"The window of {aliasPageCount} pages from {firstAlias} overlaps the {devicePageCount} private pages from {firstDevicePage}.");
        }

        ulong chunks = ((devicePageCount - 1) / chunkPageCount) + 1;
        if (chunks > int.MaxValue || aliasPageCount / chunkPageCount > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(chunkPageCount), chunkPageCount, $"Chunks of {chunkPageCount} pages make {chunks} chunks; at most {int.MaxValue} fit.");
        }

        int slots = (int)(aliasPageCount / chunkPageCount);
        int[] slotOfChunk = new int[chunks];
        for (int chunk = 0; chunk < slotOfChunk.Length; chunk++)
        {
            slotOfChunk[chunk] = mapAll && chunk < slots ? chunk : -1;
        }

        return new AliasWindow(firstDevicePage, devicePageCount, firstAlias, aliasPageCount, chunkPageCount, busOffsetBytes, slotOfChunk);
    }

    /// <summary>The slot that shows a chunk; -1 when it is not mapped.</summary>
    /// <param name="chunk">0 to <see cref="ChunkCount"/> - 1.</param>
    /// <exception cref="IndexOutOfRangeException">There is no such chunk.</exception>
    public int SlotOf(int chunk) => _slotOfChunk[chunk];

    /// <summary>True when the frame is one of the window's alias frames.</summary>
    public bool Contains(Pfn pfn) => pfn.Value - FirstAlias.Value < AliasPageCount;

    /// <summary>E for one page: its alias, if its chunk is mapped.</summary>
    /// <param name="devicePage">A private page of the device.</param>
    /// <param name="alias">Its alias; <see cref="Pfn.None"/> when there is none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The frame is not one of the device's.</exception>
    public bool TryGetAlias(Pfn devicePage, out Pfn alias)
    {
        ulong offset = OffsetOf(devicePage);
        int slot = _slotOfChunk[offset / ChunkPageCount];
        alias = slot < 0 ? Pfn.None : FirstAlias + (((ulong)slot * ChunkPageCount) + (offset % ChunkPageCount));
        return slot >= 0;
    }

    /// <summary>The longest run of pages from one page on with one answer: all with aliases one after the other, or all without.</summary>
    /// <param name="devicePage">A private page of the device.</param>
    /// <param name="alias">The first page's alias; <see cref="Pfn.None"/> when the run has none.</param>
    /// <returns>Pages in the run; at least 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The frame is not one of the device's.</exception>
    public ulong RunAt(Pfn devicePage, out Pfn alias)
    {
        _ = TryGetAlias(devicePage, out alias);
        ulong offset = OffsetOf(devicePage);
        int chunk = (int)(offset / ChunkPageCount);
        int next = chunk + 1;
        while (next < _slotOfChunk.Length
            && (_slotOfChunk[chunk] < 0 ? _slotOfChunk[next] < 0 : _slotOfChunk[next] == _slotOfChunk[chunk] + (next - chunk)))
        {
            next++;
        }

        return Math.Min((ulong)next * ChunkPageCount, DevicePageCount) - offset;
    }

    /// <summary>The private page an alias frame shows.</summary>
    /// <param name="alias">A frame of the window.</param>
    /// <param name="devicePage">The private page; <see cref="Pfn.None"/> when the slot shows none.</param>
    /// <returns>False when the slot shows none.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The frame is not one of the window's.</exception>
    public bool TryGetDevicePage(Pfn alias, out Pfn devicePage)
    {
        ulong offset = alias.Value - FirstAlias.Value;
        if (offset >= AliasPageCount)
        {
            throw new ArgumentOutOfRangeException(nameof(alias), alias, $"{alias} is not one of the window's {AliasPageCount} frames from {FirstAlias}.");
        }

        int slot = (int)(offset / ChunkPageCount);
        int chunk = Array.IndexOf(_slotOfChunk, slot);
        ulong deviceOffset = chunk < 0 ? ulong.MaxValue : ((ulong)chunk * ChunkPageCount) + (offset % ChunkPageCount);
        devicePage = deviceOffset < DevicePageCount ? FirstDevicePage + deviceOffset : Pfn.None;
        return devicePage.IsFrame;
    }

    /// <summary>The window with one more chunk mapped, in the lowest free slot.</summary>
    /// <param name="chunk">0 to <see cref="ChunkCount"/> - 1.</param>
    /// <param name="mapped">The new window; this one when the chunk is mapped already or nothing fits.</param>
    /// <returns>Ok, or OutOfMemory when no slot is free.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such chunk.</exception>
    public HmmStatus TryMapChunk(int chunk, out AliasWindow mapped)
    {
        CheckChunk(chunk);
        mapped = this;
        if (_slotOfChunk[chunk] >= 0)
        {
            return HmmStatus.Ok;
        }

        bool[] taken = new bool[SlotCount];
        foreach (int slot in _slotOfChunk)
        {
            if (slot >= 0)
            {
                taken[slot] = true;
            }
        }

        int free = Array.IndexOf(taken, false);
        if (free < 0)
        {
            return HmmStatus.OutOfMemory;
        }

        mapped = With(chunk, free);
        return HmmStatus.Ok;
    }

    /// <summary>The window without a chunk. Whoever does this must invalidate the chunk's pages first: an alias dies before its private page does.</summary>
    /// <param name="chunk">0 to <see cref="ChunkCount"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such chunk.</exception>
    public AliasWindow WithoutChunk(int chunk)
    {
        CheckChunk(chunk);
        return _slotOfChunk[chunk] < 0 ? this : With(chunk, -1);
    }

    private AliasWindow With(int chunk, int slot)
    {
        int[] slots = (int[])_slotOfChunk.Clone();
        slots[chunk] = slot;
        return new AliasWindow(FirstDevicePage, DevicePageCount, FirstAlias, AliasPageCount, ChunkPageCount, BusOffsetBytes, slots);
    }

    private void CheckChunk(int chunk)
    {
        if ((uint)chunk >= (uint)_slotOfChunk.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(chunk), chunk, $"There is no chunk {chunk}; the device has {_slotOfChunk.Length}.");
        }
    }

    private ulong OffsetOf(Pfn devicePage)
    {
        ulong offset = devicePage.Value - FirstDevicePage.Value;
        if (offset >= DevicePageCount)
        {
            throw new ArgumentOutOfRangeException(
                nameof(devicePage),
                devicePage,
                $"{devicePage} is not one of the device's {DevicePageCount} pages from {FirstDevicePage}.");
        }

        return offset;
    }
}
