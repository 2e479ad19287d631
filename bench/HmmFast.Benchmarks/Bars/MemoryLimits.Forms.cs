using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// Limits that have several forms, none of which is the fastest at every size and on every machine: ordinary or non-temporal stores, few or many pages a turn.
/// What the engine is held against is the fastest of them.
/// </summary>
public sealed unsafe partial class MemoryLimits
{
    private const ulong Word = 0x8000_0000_0000_0001;

    /// <summary>Reads 5 bytes and writes 8 a page: the limit of a resolve, 16 pages a turn.</summary>
    public Contender Stream() => new("stream, 5 in 8 out", PageCount, () => StreamWords(nonTemporal: false));

    /// <summary>The same with stores that go past the caches.</summary>
    public Contender StreamNonTemporal() => new("stream, 5 in 8 out, non-temporal", PageCount, () => StreamWords(nonTemporal: true));

    /// <summary>Every form of the limit of a resolve: the above, and 64 pages a turn (one load of classes, four of numbers, eight stores).</summary>
    public Contender[] StreamForms() =>
    [
        Stream(),
        StreamNonTemporal(),
        new("stream, 5 in 8 out, 64 pages a turn", PageCount, () => StreamLines(nonTemporal: false)),
        new("stream, 5 in 8 out, 64 pages a turn, non-temporal", PageCount, () => StreamLines(nonTemporal: true)),
    ];

    /// <summary>Fills an array of one 8-byte word a page with stores that go past the caches.</summary>
    public Contender FillNonTemporal(string name = "fill of the result array, non-temporal") => new(name, PageCount, () => FillLines(Word, nonTemporal: true));

    /// <summary>Every form of filling an array of one 8-byte word a page: the framework's, four vectors a turn, and the same past the caches.</summary>
    public Contender[] FillForms() =>
    [
        new("fill of the result array", PageCount, () => FillWords(Word)),
        new("fill of the result array, four vectors a turn", PageCount, () => FillLines(Word, nonTemporal: false)),
        FillNonTemporal(),
    ];

    /// <summary>The same with zeros, which some machines write faster than anything else: the limit of holes.</summary>
    public Contender[] ZeroForms() =>
    [
        new("zeros over the result array", PageCount, () => NativeMemory.Clear(_to, (nuint)(PageCount * sizeof(ulong)))),
        new("zeros over the result array, four vectors a turn", PageCount, () => FillLines(0, nonTemporal: false)),
        new("zeros over the result array, non-temporal", PageCount, () => FillLines(0, nonTemporal: true)),
    ];

    /// <summary>The loop of <see cref="Stream"/> over some of the pages, for threads that share them out.</summary>
    /// <param name="first">First page; a multiple of 64.</param>
    /// <param name="count">Pages.</param>
    internal void StreamPart(ulong first, ulong count) => StreamWords(_classes + first, _pfns + first, _to + first, count, nonTemporal: false);

    private void FillWords(ulong word)
    {
        const ulong Chunk = 1 << 28;
        for (ulong done = 0; done < PageCount; done += Chunk)
        {
            new Span<ulong>(_to + done, (int)Math.Min(Chunk, PageCount - done)).Fill(word);
        }
    }

    private void FillLines(ulong word, bool nonTemporal) => FillLines((byte*)_to, PageCount * sizeof(ulong), word, nonTemporal);

    /// <summary>Fills whole words; the destination is aligned to 64 bytes.</summary>
    internal static void FillLines(byte* to, ulong byteCount, ulong word, bool nonTemporal)
    {
        ulong i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var value = Vector512.Create(word);
            for (; i + 256 <= byteCount; i += 256)
            {
                Store((ulong*)(to + i), value, nonTemporal);
                Store((ulong*)(to + i + 64), value, nonTemporal);
                Store((ulong*)(to + i + 128), value, nonTemporal);
                Store((ulong*)(to + i + 192), value, nonTemporal);
            }
        }
        else
        {
            var value = Vector256.Create(word);
            for (; i + 128 <= byteCount; i += 128)
            {
                Store((ulong*)(to + i), value, nonTemporal);
                Store((ulong*)(to + i + 32), value, nonTemporal);
                Store((ulong*)(to + i + 64), value, nonTemporal);
                Store((ulong*)(to + i + 96), value, nonTemporal);
            }
        }

        for (; i < byteCount; i += sizeof(ulong))
        {
            *(ulong*)(to + i) = word;
        }

        Fence(nonTemporal);
    }

    private void StreamWords(bool nonTemporal) => StreamWords(_classes, _pfns, _to, PageCount, nonTemporal);

    private static void StreamWords(byte* classes, uint* pfns, ulong* to, ulong count, bool nonTemporal)
    {
        ulong i = 0;
        if (Avx512BW.IsSupported && Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= count; i += 16)
            {
                Vector512<uint> pfn = Vector512.Load(pfns + i);
                Vector128<byte> kind = Vector128.Load(classes + i);
                Vector512<ulong> low = Avx512F.ConvertToVector512UInt64(pfn.GetLower()) | Top(kind);
                Vector512<ulong> high = Avx512F.ConvertToVector512UInt64(pfn.GetUpper()) | Top(Sse2.ShiftRightLogical128BitLane(kind, 8));
                Store(to + i, low, nonTemporal);
                Store(to + i + 8, high, nonTemporal);
            }
        }
        else if (Avx2.IsSupported)
        {
            for (; i + 4 <= count; i += 4)
            {
                Vector256<ulong> pfn = Avx2.ConvertToVector256Int64(pfns + i).AsUInt64();
                Vector256<ulong> kind = Avx2.ConvertToVector256Int64(classes + i).AsUInt64() << 56;
                Store(to + i, pfn | kind, nonTemporal);
            }
        }

        for (; i < count; i++)
        {
            to[i] = pfns[i] | ((ulong)classes[i] << 56);
        }

        Fence(nonTemporal);
    }

    private void StreamLines(bool nonTemporal)
    {
        if (!Avx512Vbmi.IsSupported || !Vector512.IsHardwareAccelerated)
        {
            StreamWords(nonTemporal);
            return;
        }

        // One permutation puts eight of the 64 classes into the top bytes of eight words.
        const ulong TopByte = 0xFF00_0000_0000_0000;
        Vector512<ulong> first = Vector512.CreateSequence(0UL, 1UL) << 56;
        Vector512<ulong> next = Vector512.Create(8UL << 56);
        Vector512<byte> k0 = first.AsByte();
        Vector512<byte> k1 = (k0.AsUInt64() + next).AsByte();
        Vector512<byte> k2 = (k1.AsUInt64() + next).AsByte();
        Vector512<byte> k3 = (k2.AsUInt64() + next).AsByte();
        Vector512<byte> k4 = (k3.AsUInt64() + next).AsByte();
        Vector512<byte> k5 = (k4.AsUInt64() + next).AsByte();
        Vector512<byte> k6 = (k5.AsUInt64() + next).AsByte();
        Vector512<byte> k7 = (k6.AsUInt64() + next).AsByte();
        var top = Vector512.Create(TopByte);
        byte* classes = _classes;
        uint* pfns = _pfns;
        ulong* to = _to;
        ulong i = 0;
        for (; i + 64 <= PageCount; i += 64)
        {
            Vector512<byte> kinds = Vector512.Load(classes + i);
            Vector512<uint> a = Vector512.Load(pfns + i);
            Vector512<uint> b = Vector512.Load(pfns + i + 16);
            Vector512<uint> c = Vector512.Load(pfns + i + 32);
            Vector512<uint> d = Vector512.Load(pfns + i + 48);
            Store(to + i, Join(kinds, k0, top, a.GetLower()), nonTemporal);
            Store(to + i + 8, Join(kinds, k1, top, a.GetUpper()), nonTemporal);
            Store(to + i + 16, Join(kinds, k2, top, b.GetLower()), nonTemporal);
            Store(to + i + 24, Join(kinds, k3, top, b.GetUpper()), nonTemporal);
            Store(to + i + 32, Join(kinds, k4, top, c.GetLower()), nonTemporal);
            Store(to + i + 40, Join(kinds, k5, top, c.GetUpper()), nonTemporal);
            Store(to + i + 48, Join(kinds, k6, top, d.GetLower()), nonTemporal);
            Store(to + i + 56, Join(kinds, k7, top, d.GetUpper()), nonTemporal);
        }

        for (; i < PageCount; i++)
        {
            to[i] = pfns[i] | ((ulong)classes[i] << 56);
        }

        Fence(nonTemporal);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Join(Vector512<byte> kinds, Vector512<byte> order, Vector512<ulong> top, Vector256<uint> pfns) =>
        (Avx512Vbmi.PermuteVar64x8(kinds, order).AsUInt64() & top) | Avx512F.ConvertToVector512UInt64(pfns);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Top(Vector128<byte> kinds) => Avx512F.ConvertToVector512UInt64(kinds) << 56;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ulong* to, Vector512<ulong> value, bool nonTemporal)
    {
        if (nonTemporal)
        {
            value.StoreAlignedNonTemporal(to);
        }
        else
        {
            value.Store(to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ulong* to, Vector256<ulong> value, bool nonTemporal)
    {
        if (nonTemporal)
        {
            value.StoreAlignedNonTemporal(to);
        }
        else
        {
            value.Store(to);
        }
    }

    private static void Fence(bool nonTemporal)
    {
        if (nonTemporal && Sse.IsSupported)
        {
            Sse.StoreFence();
        }
    }
}
