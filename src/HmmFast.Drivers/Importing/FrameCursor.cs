using HmmFast.Drivers.Moving;

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
        int i = from;
        while (i < words.Length)
        {
            HmmPfn word = words[i];
            if (!layout.IsValid(word))
            {
                i++;
            }
            else if (PrivateDeviceOf(layout.PfnOf(word)) is not null)
            {
                break;
            }
            else
            {
                i = EndOfDevice(layout, words, i);
            }
        }

        return i;
    }

    /// <summary>Index of the first word from one on that is not a valid one of the run of frames looked at last; that one is.</summary>
    public readonly int EndOfDevice(HmmPfnLayout layout, ReadOnlySpan<HmmPfn> words, int from) =>
        WordBand.OfFrames(layout, _first, _count).EndOfRun(words, from);

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
