using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>The per-page steps in plain arithmetic, for the scalar width and wherever no vector form pays.</summary>
internal static unsafe class Scalar
{
    private const ulong TopBits = 0xE000_0000_0000_0000;

    /// <summary>One result word. The code's sign bit is "valid": spread over the word it keeps or drops the frame number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Word(byte code, uint pfn) => ((ulong)code << 56) | (pfn & (ulong)(long)((sbyte)code >> 7));

    /// <summary>One result word with kept and kind bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Word(byte code, uint pfn, ulong old, ulong keepMask, int kindShift)
    {
        ulong kind = kindShift == 0 ? 0 : (ulong)((code & Resolution.KindMask) >> Resolution.KindBit) << kindShift;
        return (Word(code, pfn) & (TopBits | uint.MaxValue)) | kind | (old & keepMask);
    }
}
