using System.Numerics;
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

    /// <summary>Moves the elements of the set bits to the front.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Compress64(ulong bits, ulong* words, uint first, ulong* outWords, uint* outIndices)
    {
        nint at = 0;
        while (bits != 0)
        {
            int i = BitOperations.TrailingZeroCount(bits);
            bits &= bits - 1;
            outWords[at] = words[i];
            outIndices[at] = first + (uint)i;
            at++;
        }
    }
}
