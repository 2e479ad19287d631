using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>
/// Counts how often each of the eight bits of a code is set, for all bits at once: blocks are added as one-bit numbers in carry-save form (three registers
/// in, sum and carry out, one ternary operation each), so that only every sixteenth block's carry has to be counted.
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

    /// <summary>Classes a turn of the loop takes: two of eight blocks.</summary>
    private const nint TurnBytes = 1024;

    /// <summary>Turns whose sums fit a byte: each adds at most 8.</summary>
    private const nint MostTurns = 31;

    /// <summary>The bit of the counting table that says "any work".</summary>
    private const byte AnyWork = 0x80;

    /// <summary>Full blocks: adds to the bit counts of the counting table and writes the work bitmap. Count is a multiple of 64.</summary>
    public static void Blocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
    {
        bool isStreaming = Streaming.BitmapPays(bitmap, count);

        // The first part ends where the bitmap's next 64-byte border is: the eight words of eight blocks are one line from there on. A bitmap that stands on no
        // 8-byte border has none, and is never streamed: any whole number of blocks will do.
        nint part = (nint)((0 - (nuint)bitmap) & 56) << 3;
        for (nint done = 0; done < count;)
        {
            part = Math.Min(count - done, part == 0 ? MostTurns * TurnBytes : part);
            ulong* words = bitmap == null ? null : bitmap + (done >> 6);
            if (isStreaming)
            {
                Part<StreamingStore>(classes + done, part, table, words, bits);
            }
            else
            {
                Part<CachedStore>(classes + done, part, table, words, bits);
            }

            done += part;
            part = 0;
        }

        if (isStreaming)
        {
            Streaming.Fence();
        }
    }

    /// <summary>As many classes as sums of bytes can count, in one loop that calls nothing: a call in it would send every register through memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void Part<TStore>(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits)
        where TStore : struct, IStore
    {
        TLookup lookup = TLookup.Load(table.CountingPointer, table.RowCount);
        byte* stack = stackalloc byte[128];

        // Without a bitmap the words go to one place on the stack: no branch in the loop.
        ulong* words = bitmap == null ? (ulong*)(((nuint)stack + 63) & ~(nuint)63) : bitmap;
        nint wordStep = bitmap == null ? 0 : 1;
        Vector512<byte> ones = default;
        Vector512<byte> twos = default;
        Vector512<byte> fours = default;
        Vector512<byte> eights = default;

        // Sixteens of each bit, counted in a byte for eight pages.
        Vector512<byte> sixteens = default;
        byte* c = classes;
        byte* end = classes + count;
        for (; c + TurnBytes <= end; c += TurnBytes)
        {
            Vector512<byte> eightsA = Eight<TStore>(lookup, c, ref words, wordStep, ref ones, ref twos, ref fours);
            Vector512<byte> eightsB = Eight<TStore>(lookup, c + 512, ref words, wordStep, ref ones, ref twos, ref fours);
            sixteens += BitSums(Add(ref eights, eightsA, eightsB));
        }

        // Fewer than sixteen blocks are left, each adds at most 8 to a byte.
        Vector512<byte> rest = BitSums(ones);
        for (; c < end; c += 64)
        {
            Vector512<byte> codes = Take(lookup, c);
            TStore.Store(codes.ExtractMostSignificantBits(), words);
            words += wordStep;
            rest += BitSums(codes);
        }

        // Of every two bytes the lower has the sum of an even bit, the upper that of an odd one.
        Vector512<ushort> even = default;
        Vector512<ushort> odd = default;
        AddTimes(ref even, ref odd, sixteens, 4);
        AddTimes(ref even, ref odd, BitSums(eights), 3);
        AddTimes(ref even, ref odd, BitSums(fours), 2);
        AddTimes(ref even, ref odd, BitSums(twos), 1);
        AddTimes(ref even, ref odd, rest, 0);
        ulong evens = Fold(even);
        ulong odds = Fold(odd);
        bits[0] += (ushort)evens;
        bits[1] += (ushort)odds;
        bits[2] += (ushort)(evens >> 16);
        bits[5] += (ushort)(odds >> 32);
        bits[6] += (ushort)(evens >> 48);
    }

    /// <summary>
    /// Adds eight blocks and writes their words of the bitmap; returns the carry that is worth eight. Mostly none of the 512 pages needs work, which one test tells:
    /// taking eight masks out of vector registers costs as much as everything else.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Eight<TStore>(
        TLookup lookup, byte* c, ref ulong* words, nint wordStep, ref Vector512<byte> ones, ref Vector512<byte> twos, ref Vector512<byte> fours)
        where TStore : struct, IStore
    {
        Vector512<byte> a = Take(lookup, c);
        Vector512<byte> b = Take(lookup, c + 64);
        Vector512<byte> twosA = Add(ref ones, a, b);
        Vector512<byte> d = Take(lookup, c + 128);
        Vector512<byte> e = Take(lookup, c + 192);
        Vector512<byte> twosB = Add(ref ones, d, e);
        Vector512<byte> foursA = Add(ref twos, twosA, twosB);
        Vector512<byte> f = Take(lookup, c + 256);
        Vector512<byte> g = Take(lookup, c + 320);
        twosA = Add(ref ones, f, g);
        Vector512<byte> h = Take(lookup, c + 384);
        Vector512<byte> i = Take(lookup, c + 448);
        twosB = Add(ref ones, h, i);
        Vector512<byte> foursB = Add(ref twos, twosA, twosB);
        Vector512<byte> any = Avx512F.TernaryLogic(
            Avx512F.TernaryLogic(a, b, d, 0xFE), Avx512F.TernaryLogic(e, f, g, 0xFE), Avx512F.TernaryLogic(h, i, i, 0xFE), 0xFE); // a | b | c
        if ((any & Vector512.Create(AnyWork)) == Vector512<byte>.Zero)
        {
            TStore.Store(Vector512<ulong>.Zero, words);
        }
        else
        {
            TStore.Store(a.ExtractMostSignificantBits(), words);
            TStore.Store(b.ExtractMostSignificantBits(), words + wordStep);
            TStore.Store(d.ExtractMostSignificantBits(), words + (2 * wordStep));
            TStore.Store(e.ExtractMostSignificantBits(), words + (3 * wordStep));
            TStore.Store(f.ExtractMostSignificantBits(), words + (4 * wordStep));
            TStore.Store(g.ExtractMostSignificantBits(), words + (5 * wordStep));
            TStore.Store(h.ExtractMostSignificantBits(), words + (6 * wordStep));
            TStore.Store(i.ExtractMostSignificantBits(), words + (7 * wordStep));
        }

        words += 8 * wordStep;
        return Add(ref fours, foursA, foursB);
    }

    /// <summary>Looks a block up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Take(TLookup lookup, byte* c)
    {
        Sse.Prefetch0(c + AheadBytes);
        return lookup.Lookup(Vector512.Load(c));
    }

    /// <summary>
    /// Byte k of every eight: how many of the eight bytes have bit k. An affine transform by the data of a matrix with one bit a byte turns rows into columns; then
    /// two look-ups count the bits of each byte.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> BitSums(Vector512<byte> codes)
    {
        Vector512<byte> columns = Gfni.V512.GaloisFieldAffineTransform(Vector512.Create(0x8040_2010_0804_0201).AsByte(), codes, 0);
        Vector512<byte> nibble = Vector512.Create((byte)0x0F);
        Vector512<byte> counts = Vector512.Create(0x0302_0201_0201_0100, 0x0403_0302_0302_0201, 0x0302_0201_0201_0100, 0x0403_0302_0302_0201,
            0x0302_0201_0201_0100, 0x0403_0302_0302_0201, 0x0302_0201_0201_0100, 0x0403_0302_0302_0201).AsByte();
        return Avx512BW.Shuffle(counts, columns & nibble) + Avx512BW.Shuffle(counts, Vector512.ShiftRightLogical(columns.AsUInt16(), 4).AsByte() & nibble);
    }

    /// <summary>Adds sums times a power of two to 16-bit sums of even and odd bits: 31 Ki pages at most, so that the eight lanes of a bit fit as well.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTimes(ref Vector512<ushort> even, ref Vector512<ushort> odd, Vector512<byte> sums, [ConstantExpected] byte shift)
    {
        even += Vector512.ShiftLeft(sums.AsUInt16() & Vector512.Create((ushort)0xFF), shift);
        odd += Vector512.ShiftLeft(Vector512.ShiftRightLogical(sums.AsUInt16(), 8), shift);
    }

    /// <summary>Four sums of 16 bits: those of the eight lanes together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(Vector512<ushort> sums)
    {
        Vector256<ushort> half = sums.GetLower() + sums.GetUpper();
        Vector128<ushort> quarter = half.GetLower() + half.GetUpper();
        return (quarter + Vector128.Shuffle(quarter.AsUInt64(), Vector128.Create(1UL, 0)).AsUInt16()).AsUInt64().ToScalar();
    }

    /// <summary>Full adder in every bit: sum ^= a ^ b; the carry is the majority of the three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Add(ref Vector512<byte> sum, Vector512<byte> a, Vector512<byte> b)
    {
        Vector512<byte> before = sum;
        sum = Avx512F.TernaryLogic(before, a, b, 0x96);
        return Avx512F.TernaryLogic(before, a, b, 0xE8);
    }
}
