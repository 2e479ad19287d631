namespace HmmFast.Reference;

/// <summary>Swap slots: how many entries refer to each, which frame is its cached copy, and what was written there.</summary>
internal sealed class SwapArea
{
    private readonly FramePool? pool;
    private readonly int[] entryCounts;
    private readonly uint[] cachedPlusOne;
    private readonly ulong[]? contents;

    public SwapArea(ulong slotCount, bool trackContent)
    {
        if (slotCount > (1UL << 31) - 1)
        {
            throw new ArgumentOutOfRangeException(nameof(slotCount), slotCount, $"Swap takes at most {(1UL << 31) - 1} slots, not {slotCount}.");
        }

        pool = slotCount == 0 ? null : new FramePool(0, slotCount);
        entryCounts = new int[slotCount];
        cachedPlusOne = new uint[slotCount];
        contents = trackContent ? new ulong[slotCount] : null;
    }

    /// <summary>The lowest free slot.</summary>
    public bool TryTake(out uint slot)
    {
        slot = 0;
        return pool is not null && pool.TryTake(out slot);
    }

    /// <summary>The lowest free aligned run of 512 slots.</summary>
    public bool TryTakeBlock(out uint slot)
    {
        slot = 0;
        return pool is not null && pool.TryTakeBlock(out slot);
    }

    public int EntryCount(uint slot) => entryCounts[slot];

    public void AddEntry(uint slot) => entryCounts[slot]++;

    public void RemoveEntry(uint slot)
    {
        entryCounts[slot]--;
        Release(slot);
    }

    public uint? CachedFrame(uint slot) => cachedPlusOne[slot] == 0 ? null : cachedPlusOne[slot] - 1;

    public void SetCached(uint slot, uint pfn) => cachedPlusOne[slot] = pfn + 1;

    public void ClearCached(uint slot)
    {
        cachedPlusOne[slot] = 0;
        Release(slot);
    }

    /// <summary>Gives back a slot that was taken and not used.</summary>
    public void GiveBack(uint slot) => pool!.Give(slot);

    public ulong ContentOf(uint slot) => contents?[slot] ?? 0;

    public void SetContent(uint slot, ulong tag)
    {
        if (contents is not null)
        {
            contents[slot] = tag;
        }
    }

    private void Release(uint slot)
    {
        if (entryCounts[slot] == 0 && cachedPlusOne[slot] == 0)
        {
            pool!.Give(slot);
        }
    }
}
