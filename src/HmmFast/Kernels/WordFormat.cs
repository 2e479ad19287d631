namespace HmmFast.Kernels;

/// <summary>What a result word holds besides the frame number and its top three bits.</summary>
/// <param name="KeepMask">Bits of the old word that survive (the sticky DMA bits). 0 lets the kernels write without reading.</param>
/// <param name="KindShift">Bit that the lowest kind bit goes to, 33..58; 0: the word has no kind bits.</param>
public readonly record struct WordFormat(ulong KeepMask, int KindShift)
{
    /// <summary>
    /// Words of the whole result that these are a part of; 0: they are all of it. What is large goes past the caches, part by part too; who writes parts calls
    /// <see cref="KernelSet.Publish"/> behind the last one.
    /// </summary>
    public long ResultWords { get; init; }

    /// <summary>Only frame number, valid, write, error; nothing of the old word survives.</summary>
    public static WordFormat Plain => default;

    /// <summary>True when neither old bits nor kinds matter, which is the fast case.</summary>
    public bool IsPlain => KeepMask == 0 && KindShift == 0;
}
