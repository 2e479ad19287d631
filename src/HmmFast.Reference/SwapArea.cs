namespace HmmFast.Reference;

/// <summary>Swap slots: how many entries refer to each, which frame is its cached copy, and what was written there.</summary>
internal sealed class SwapArea
{
    private readonly FramePool? _pool;
    private readonly int[] _entryCounts;
    private readonly uint[] _cachedPlusOne;
    private readonly ulong[]? _contents;

    public SwapArea(ulong slotCount, bool trackContent)
    {
        if (slotCount > (1UL << 31) - 1)
        {
            throw new ArgumentOutOfRangeException(nameof(slotCount), slotCount, $"Swap takes at most {(1UL << 31) - 1} slots, not {slotCount}.");
        }

        _pool = slotCount == 0 ? null : new FramePool(0, slotCount);
        _entryCounts = new int[slotCount];
        _cachedPlusOne = new uint[slotCount];
        _contents = trackContent ? new ulong[slotCount] : null;
    }

    /// <summary>The lowest free slot.</summary>
    public bool TryTake(out uint slot)
    {
        slot = 0;
        return _pool is not null && _pool.TryTake(out slot);
    }

    /// <summary>The lowest free aligned run of 512 slots.</summary>
    public bool TryTakeBlock(out uint slot)
    {
        slot = 0;
        return _pool is not null && _pool.TryTakeBlock(out slot);
    }

    public int EntryCount(uint slot) => _entryCounts[slot];

    public void AddEntry(uint slot) => _entryCounts[slot]++;

    public void RemoveEntry(uint slot)
    {
        _entryCounts[slot]--;
        Release(slot);
    }

    public uint? CachedFrame(uint slot) => _cachedPlusOne[slot] == 0 ? null : _cachedPlusOne[slot] - 1;

    public void SetCached(uint slot, uint pfn) => _cachedPlusOne[slot] = pfn + 1;

    public void ClearCached(uint slot)
    {
        _cachedPlusOne[slot] = 0;
        Release(slot);
    }

    /// <summary>Gives back a slot that was taken and not used.</summary>
    public void GiveBack(uint slot) => _pool!.Give(slot);

    public ulong ContentOf(uint slot) => _contents?[slot] ?? 0;

    public void SetContent(uint slot, ulong tag)
    {
        if (_contents is not null)
        {
            _contents[slot] = tag;
        }
    }

    private void Release(uint slot)
    {
        if (_entryCounts[slot] == 0 && _cachedPlusOne[slot] == 0)
        {
            _pool!.Give(slot);
        }
    }
}
