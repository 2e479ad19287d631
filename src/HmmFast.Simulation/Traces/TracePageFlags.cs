namespace HmmFast.Simulation.Traces;

/// <summary>The letters of an observed page: the page map's flags and the frame's.</summary>
[Flags]
public enum TracePageFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>f: file-backed or shared-anonymous.</summary>
    File = 1,

    /// <summary>e: exclusively mapped.</summary>
    Exclusive = 2,

    /// <summary>s: soft-dirty.</summary>
    SoftDirty = 4,

    /// <summary>A: an anonymous frame.</summary>
    Anonymous = 8,

    /// <summary>B: a swap-backed frame.</summary>
    SwapBacked = 16,

    /// <summary>C: a frame in the swap cache.</summary>
    SwapCache = 32,

    /// <summary>Z: the zero page.</summary>
    Zero = 64,

    /// <summary>T: part of a huge page.</summary>
    HugePart = 128,

    /// <summary>The letters compared from level state on.</summary>
    StateMask = File | Exclusive,

    /// <summary>The frame's letters (kpage).</summary>
    FrameMask = Anonymous | SwapBacked | SwapCache | Zero | HugePart,
}

/// <summary>Writes <see cref="TracePageFlags"/> as a recording does.</summary>
internal static class TracePageFlagsText
{
    private const string Letters = "fesABCZT";

    /// <summary>The letters of the flags, in the order of their bits; a dash for none.</summary>
    internal static string ToLetters(this TracePageFlags flags)
    {
        string text = "";
        for (int bit = 0; bit < Letters.Length; bit++)
        {
            if (((int)flags & (1 << bit)) != 0)
            {
                text += Letters[bit];
            }
        }

        return text.Length == 0 ? "-" : text;
    }
}
