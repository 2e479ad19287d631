using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>
/// Counts how often each of the eight bits of a code is set, for all bits at once: blocks are added as one-bit numbers in carry-save form (three registers
/// in, sum and carry out, one ternary operation each), so that only every eighth block's carry has to be counted out bit by bit.
/// </summary>
/// <remarks>
/// Example for one bit position: five of eight blocks have it. ones = 1, twos = 0, fours = 1, no carry into eights: 1 + 0 + 4 = 5.
/// </remarks>
/// <typeparam name="TLanes">A 512-bit width.</typeparam>
internal static unsafe class Classify512<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Full blocks: adds to the eight bit counts of the counting table and writes the work bitmap. Count is a multiple of 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Blocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
    {
        byte* stack = stackalloc byte[(8 * 64) + 64];
        byte* codes = (byte*)(((nuint)stack + 63) & ~(nuint)63);
        TLanes lanes = TLanes.Load(table.CountingPointer, table.RowCount);
        Vector512<byte> ones = default;
        Vector512<byte> twos = default;
        Vector512<byte> fours = default;
        long bit0 = 0;
        long bit1 = 0;
        long bit2 = 0;
        long bit5 = 0;
        long bit7 = 0;
        nint i = 0;
        for (; i + 512 <= count; i += 512)
        {
            lanes.Lookup64(classes + i, codes);
            lanes.Lookup64(classes + i + 64, codes + 64);
            lanes.Lookup64(classes + i + 128, codes + 128);
            lanes.Lookup64(classes + i + 192, codes + 192);
            lanes.Lookup64(classes + i + 256, codes + 256);
            lanes.Lookup64(classes + i + 320, codes + 320);
            lanes.Lookup64(classes + i + 384, codes + 384);
            lanes.Lookup64(classes + i + 448, codes + 448);
            Vector512<byte> twosA = Add(ref ones, codes, codes + 64);
            Vector512<byte> twosB = Add(ref ones, codes + 128, codes + 192);
            Vector512<byte> foursA = Add(ref twos, twosA, twosB);
            twosA = Add(ref ones, codes + 256, codes + 320);
            twosB = Add(ref ones, codes + 384, codes + 448);
            Vector512<byte> foursB = Add(ref twos, twosA, twosB);
            Vector512<byte> eights = Add(ref fours, foursA, foursB);
            bit0 += Count(eights, 1);
            bit1 += Count(eights, 2);
            bit2 += Count(eights, 4);
            bit5 += Count(eights, 32);
            bit7 += Count(eights, 128);
            if (bitmap != null)
            {
                ulong* words = bitmap + (i >> 6);
                words[0] = Blocks512.Test64(codes, 7);
                words[1] = Blocks512.Test64(codes + 64, 7);
                words[2] = Blocks512.Test64(codes + 128, 7);
                words[3] = Blocks512.Test64(codes + 192, 7);
                words[4] = Blocks512.Test64(codes + 256, 7);
                words[5] = Blocks512.Test64(codes + 320, 7);
                words[6] = Blocks512.Test64(codes + 384, 7);
                words[7] = Blocks512.Test64(codes + 448, 7);
            }
        }

        bits[0] = (8 * bit0) + (4 * Count(fours, 1)) + (2 * Count(twos, 1)) + Count(ones, 1);
        bits[1] = (8 * bit1) + (4 * Count(fours, 2)) + (2 * Count(twos, 2)) + Count(ones, 2);
        bits[2] = (8 * bit2) + (4 * Count(fours, 4)) + (2 * Count(twos, 4)) + Count(ones, 4);
        bits[5] = (8 * bit5) + (4 * Count(fours, 32)) + (2 * Count(twos, 32)) + Count(ones, 32);
        bits[7] = (8 * bit7) + (4 * Count(fours, 128)) + (2 * Count(twos, 128)) + Count(ones, 128);
        for (; i < count; i += 64)
        {
            lanes.Lookup64(classes + i, codes);
            Vector512<byte> code = Vector512.Load(codes);
            bits[0] += Count(code, 1);
            bits[1] += Count(code, 2);
            bits[2] += Count(code, 4);
            bits[5] += Count(code, 32);
            bits[7] += Count(code, 128);
            if (bitmap != null)
            {
                bitmap[i >> 6] = Blocks512.Test(code, 7);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Count(Vector512<byte> codes, byte bit) => BitOperations.PopCount(Blocks512.Test(codes, bit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Add(ref Vector512<byte> sum, byte* a, byte* b) => Add(ref sum, Vector512.Load(a), Vector512.Load(b));

    /// <summary>Full adder in every bit: sum ^= a ^ b; the carry is the majority of the three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Add(ref Vector512<byte> sum, Vector512<byte> a, Vector512<byte> b)
    {
        Vector512<byte> before = sum;
        sum = Avx512F.TernaryLogic(before, a, b, 0x96);
        return Avx512F.TernaryLogic(before, a, b, 0xE8);
    }
}
