namespace HmmFast.Drivers.Importing;

/// <summary>Tells whose private memory a frame is, remembering the run of frames it looked at last: neighbours cost two comparisons.</summary>
internal ref struct FrameCursor
{
    private readonly IMemorySystem _memory;
    private ulong _first;
    private ulong _count;
    private DeviceId? _private;

    public FrameCursor(IMemorySystem memory)
    {
        _memory = memory;
        _first = 0;
        _count = memory.Options.SystemFrameCount + 1;
        _private = null;
    }

    /// <summary>The device whose private memory holds a frame; null for all other frames.</summary>
    public DeviceId? PrivateDeviceOf(Pfn pfn)
    {
        if (pfn.Value - _first >= _count)
        {
            Move(pfn);
        }

        return _private;
    }

    /// <summary>Index of the first valid word from one on that holds a private frame; the end when there is none.</summary>
    public int EndOfMappable(HmmPfnLayout layout, ReadOnlySpan<HmmPfn> words, int from)
    {
        ulong valid = layout.ValidBit;
        ulong mask = layout.PfnMask;
        int i = from;
        for (; i < words.Length; i++)
        {
            ulong word = words[i].Raw;
            if ((word & valid) == 0)
            {
                continue;
            }

            ulong pfn = word & mask;
            if (pfn - _first >= _count)
            {
                Move(new Pfn(pfn));
            }

            if (_private is not null)
            {
                break;
            }
        }

        return i;
    }

    private void Move(Pfn pfn)
    {
        if (_memory.DeviceOf(pfn) is { } device)
        {
            (Pfn first, ulong count) = _memory.DeviceFrames(device);
            _first = first.Value;
            _count = count;
            _private = _memory.KindOf(device) == DeviceMemoryKind.Private ? device : null;
            return;
        }

        // A frame between the pagemaps (the huge zero page): alone is enough.
        _first = pfn.Value <= _memory.Options.SystemFrameCount ? 0 : pfn.Value;
        _count = pfn.Value <= _memory.Options.SystemFrameCount ? _memory.Options.SystemFrameCount + 1 : 1;
        _private = null;
    }
}
