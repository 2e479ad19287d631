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

    /// <summary>Writes word and index of every set bit's page and returns their number; may write two elements behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Runs(ulong begins, byte* codes, uint* pfns, uint first, ulong* outWords, uint* outIndices)
    {
        int count = BitOperations.PopCount(begins);

        // Two without asking: most blocks of memory in runs have none, one or two, and which of these cannot be predicted.
        int i = BitOperations.TrailingZeroCount(begins) & 63;
        outWords[0] = Word(codes[i], pfns[i]);
        outIndices[0] = first + (uint)i;
        begins &= begins - 1;
        i = BitOperations.TrailingZeroCount(begins) & 63;
        outWords[1] = Word(codes[i], pfns[i]);
        outIndices[1] = first + (uint)i;
        for (nint at = 2; at < count; at++)
        {
            begins &= begins - 1;
            i = BitOperations.TrailingZeroCount(begins);
            outWords[at] = Word(codes[i], pfns[i]);
            outIndices[at] = first + (uint)i;
        }

        return count;
    }
}
