using HmmFast.Kernels;

namespace HmmFast.Properties.Kernels;

/// <summary>The plain statement of a result word, which every kernel's words are compared with.</summary>
public static class PlainWord
{
    /// <summary>The word of one page.</summary>
    /// <param name="code">Its <see cref="Resolution"/>.</param>
    /// <param name="pfn">Its frame number.</param>
    /// <param name="old">What the word held before.</param>
    /// <param name="format">What else the word holds.</param>
    public static ulong Of(byte code, uint pfn, ulong old, WordFormat format)
    {
        ulong word = (ulong)(code >> 5) << 61;
        word |= (code & Resolution.Valid) != 0 ? pfn : 0;
        word |= format.KindShift == 0 ? 0 : (ulong)((code & Resolution.KindMask) >> Resolution.KindBit) << format.KindShift;
        return word | (old & format.KeepMask);
    }
}
