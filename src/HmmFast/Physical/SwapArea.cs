using HmmFast.Memory;

namespace HmmFast.Physical;

/// <summary>Swap slots: how many entries name each, what it holds, and the frame that the swap cache has for it.</summary>
internal sealed unsafe class SwapArea : IDisposable
{
    private readonly SlotRange? _slots;
    private readonly NativeColumn<uint>? _useColumn;
    private readonly NativeColumn<ulong>? _contentColumn;
    private readonly uint* _uses;
    private readonly ulong* _content;
    private readonly Dictionary<uint, uint> _frameOfSlot = [];
    private readonly Dictionary<uint, uint> _slotOfFrame = [];

    public SwapArea(ulong slotCount, bool trackContent, NativeMemoryLedger ledger)
    {
        if (slotCount == 0)
        {
            return;
        }

        try
        {
            _slots = new SlotRange(slotCount, ledger);
            _useColumn = new NativeColumn<uint>("swap slot uses", (long)slotCount, ledger, HugePagePolicy.SystemDefault);
            _contentColumn = trackContent ? new NativeColumn<ulong>("swap slot content", (long)slotCount, ledger, HugePagePolicy.SystemDefault) : null;
        }
        catch
        {
            Dispose();
            throw;
        }

        _uses = _useColumn.Pointer;
        _content = _contentColumn is null ? null : _contentColumn.Pointer;
    }

    public ulong FreeCount => _slots?.FreeCount ?? 0;

    /// <summary>Takes the lowest free slot, named by one entry.</summary>
    public bool TryTake(ulong content, out uint slot)
    {
        slot = 0;
        if (_slots is null || !_slots.TryTake(out slot))
        {
            return false;
        }

        _uses[slot] = 1;
        if (_content != null)
        {
            _content[slot] = content;
        }

        return true;
    }

    public uint UsesOf(uint slot) => _uses[slot];

    public ulong ContentOf(uint slot) => _content == null ? 0 : _content[slot];

    public void SetContent(uint slot, ulong content)
    {
        if (_content != null)
        {
            _content[slot] = content;
        }
    }

    public void AddUse(uint slot) => _uses[slot]++;

    /// <summary>One entry fewer names the slot; the slot is free again when none does and no frame is cached for it.</summary>
    /// <returns>True when a cached frame is all that keeps the slot.</returns>
    public bool DropUse(uint slot)
    {
        if (--_uses[slot] != 0)
        {
            return false;
        }

        if (_frameOfSlot.ContainsKey(slot))
        {
            return true;
        }

        _slots!.Give(slot);
        return false;
    }

    public bool TryGetCached(uint slot, out uint frame) => _frameOfSlot.TryGetValue(slot, out frame);

    public uint SlotOf(uint frame) => _slotOfFrame[frame];

    public void Cache(uint slot, uint frame)
    {
        _frameOfSlot.Add(slot, frame);
        _slotOfFrame.Add(frame, slot);
    }

    /// <summary>Takes a frame out of the swap cache; its slot is freed when no entry names it.</summary>
    public void Uncache(uint frame)
    {
        uint slot = _slotOfFrame[frame];
        _slotOfFrame.Remove(frame);
        _frameOfSlot.Remove(slot);
        if (_uses[slot] == 0)
        {
            _slots!.Give(slot);
        }
    }

    /// <summary>The cached copy of a slot moved to another frame.</summary>
    public void Recache(uint from, uint to)
    {
        _slotOfFrame.Remove(from, out uint slot);
        _slotOfFrame.Add(to, slot);
        _frameOfSlot[slot] = to;
    }

    /// <summary>Takes the lowest free aligned run of 512 slots, each named by one entry.</summary>
    public bool TryTakeBlock(out uint first)
    {
        first = 0;
        if (_slots is null || !_slots.TryTakeBlock(out first))
        {
            return false;
        }

        new Span<uint>(_uses + first, PageOrder.PagesPerBlock).Fill(1);
        return true;
    }

    public void Dispose()
    {
        _slots?.Dispose();
        _useColumn?.Dispose();
        _contentColumn?.Dispose();
    }
}
