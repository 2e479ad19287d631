using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>
/// Counts how often each of the eight bits of a code is set, for all bits at once: blocks are added as one-bit numbers in carry-save form (three registers
/// in, sum and carry out, one ternary operation each), so that only every sixteenth block's carry has to be counted out bit by bit.
/// </summary>
/// <remarks>
/// Example for one bit position: five of eight blocks have it. ones = 1, twos = 0, fours = 1, no carry into eights: 1 + 0 + 4 = 5.
/// </remarks>
/// <typeparam name="TLookup">How the table is looked up.</typeparam>
internal static unsafe class Classify512<TLookup>
    where TLookup : struct, ILookup512<TLookup>
{
    /// <summary>
    /// How far ahead of the look-ups memory is asked for. The loop does so much per byte that the processor's own look-ahead covers a kilobyte only: over
    /// 16 MiB of classes, out of a cache full of other data, without asking 0.85 of the read limit, 8 KiB ahead 0.97, 16 KiB ahead 0.90 (perf-results, hot kernels).
    /// </summary>
    private const int AheadBytes = 8192;

    /// <summary>Full blocks: adds to the bit counts of the counting table and writes the work bitmap. Count is a multiple of 64.</summary>
    public static void Blocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
    {
        if (Streaming.BitmapPays(bitmap, count))
        {
            Blocks<StreamingStore>(classes, count, table, bitmap, bits);
            Streaming.Fence();
        }
        else
        {
            Blocks<CachedStore>(classes, count, table, bitmap, bits);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blocks<TStore>(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
        where TStore : struct, IStore
    {
        TLookup lookup = TLookup.Load(table.CountingPointer, table.RowCount);
        ulong nowhere = 0;

        // Without a bitmap the words go to one place on the stack: no branch in the loop.
        ulong* words = bitmap == null ? &nowhere : bitmap;
        nint wordStep = bitmap == null ? 0 : 1;
        Vector512<byte> ones = default;
        Vector512<byte> twos = default;
        Vector512<byte> fours = default;
        Vector512<byte> eights = default;
        long bit0 = 0;
        long bit1 = 0;
        long bit2 = 0;
        long bit5 = 0;
        long bit6 = 0;
        byte* c = classes;
        byte* end = classes + count;
        for (; c + 1024 <= end; c += 1024)
        {
            Vector512<byte> eightsA = Eight<TStore>(lookup, c, ref words, wordStep, ref ones, ref twos, ref fours);
            Vector512<byte> eightsB = Eight<TStore>(lookup, c + 512, ref words, wordStep, ref ones, ref twos, ref fours);
            Vector512<byte> sixteens = Add(ref eights, eightsA, eightsB);
            bit0 += Count(sixteens, 1);
            bit1 += Count(sixteens, 2);
            bit2 += Count(sixteens, 4);
            bit5 += Count(sixteens, 0x20);
            bit6 += Count(sixteens, 0x40);
        }

        bits[0] = (16 * bit0) + (8 * Count(eights, 1)) + (4 * Count(fours, 1)) + (2 * Count(twos, 1)) + Count(ones, 1);
        bits[1] = (16 * bit1) + (8 * Count(eights, 2)) + (4 * Count(fours, 2)) + (2 * Count(twos, 2)) + Count(ones, 2);
        bits[2] = (16 * bit2) + (8 * Count(eights, 4)) + (4 * Count(fours, 4)) + (2 * Count(twos, 4)) + Count(ones, 4);
        bits[5] = (16 * bit5) + (8 * Count(eights, 0x20)) + (4 * Count(fours, 0x20)) + (2 * Count(twos, 0x20)) + Count(ones, 0x20);
        bits[6] = (16 * bit6) + (8 * Count(eights, 0x40)) + (4 * Count(fours, 0x40)) + (2 * Count(twos, 0x40)) + Count(ones, 0x40);
        for (; c < end; c += 64)
        {
            Vector512<byte> codes = Take<TStore>(lookup, c, ref words, wordStep);
            bits[0] += Count(codes, 1);
            bits[1] += Count(codes, 2);
            bits[2] += Count(codes, 4);
            bits[5] += Count(codes, 0x20);
            bits[6] += Count(codes, 0x40);
        }
    }

    /// <summary>Adds eight blocks; returns the carry that is worth eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Eight<TStore>(
        TLookup lookup, byte* c, ref ulong* words, nint wordStep, ref Vector512<byte> ones, ref Vector512<byte> twos, ref Vector512<byte> fours)
        where TStore : struct, IStore
    {
        Vector512<byte> twosA = Add(ref ones, Take<TStore>(lookup, c, ref words, wordStep), Take<TStore>(lookup, c + 64, ref words, wordStep));
        Vector512<byte> twosB = Add(ref ones, Take<TStore>(lookup, c + 128, ref words, wordStep), Take<TStore>(lookup, c + 192, ref words, wordStep));
        Vector512<byte> foursA = Add(ref twos, twosA, twosB);
        twosA = Add(ref ones, Take<TStore>(lookup, c + 256, ref words, wordStep), Take<TStore>(lookup, c + 320, ref words, wordStep));
        twosB = Add(ref ones, Take<TStore>(lookup, c + 384, ref words, wordStep), Take<TStore>(lookup, c + 448, ref words, wordStep));
        Vector512<byte> foursB = Add(ref twos, twosA, twosB);
        return Add(ref fours, foursA, foursB);
    }

    /// <summary>Looks a block up and writes its word of the bitmap: the top bits of the codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Take<TStore>(TLookup lookup, byte* c, ref ulong* words, nint wordStep)
        where TStore : struct, IStore
    {
        Sse.Prefetch0(c + AheadBytes);
        Vector512<byte> codes = lookup.Lookup(Vector512.Load(c));
        TStore.Store(codes.ExtractMostSignificantBits(), words);
        words += wordStep;
        return codes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Count(Vector512<byte> codes, byte bit) => BitOperations.PopCount(Blocks512.Test(codes, bit));

    /// <summary>Full adder in every bit: sum ^= a ^ b; the carry is the majority of the three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Add(ref Vector512<byte> sum, Vector512<byte> a, Vector512<byte> b)
    {
        Vector512<byte> before = sum;
        sum = Avx512F.TernaryLogic(before, a, b, 0x96);
        return Avx512F.TernaryLogic(before, a, b, 0xE8);
    }
}
