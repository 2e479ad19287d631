using System.Runtime.CompilerServices;
using HmmFast.Memory;

namespace HmmFast.Kernels;

/// <summary>
/// Pages given by position. Each is a cache miss or two at worst; the processor overlaps them as long as the loop does nothing but load, so there is no vector form.
/// </summary>
internal static unsafe class Scattered
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Resolve(
        ColumnView<byte> classes, ColumnView<uint> pfns, ByteTable table, in WordFormat format, ReadOnlySpan<long> positions, Span<ulong> words)
    {
        byte* c = classes.Pointer;
        uint* p = pfns.Pointer;
        byte* entries = table.Pointer;
        long length = classes.Length;
        bool plain = format.IsPlain;
        ulong keepMask = format.KeepMask;
        int kindShift = format.KindShift;
        for (int i = 0; i < positions.Length; i++)
        {
            long at = positions[i];
            if ((ulong)at >= (ulong)length)
            {
                MemoryThrow.Index(at, length);
            }

            byte code = entries[c[at]];
            if ((code & Resolution.WorkMask) != 0)
            {
                return i;
            }

            words[i] = plain ? Scalar.Word(code, p[at]) : Scalar.Word(code, p[at], words[i], keepMask, kindShift);
        }

        return positions.Length;
    }
}
