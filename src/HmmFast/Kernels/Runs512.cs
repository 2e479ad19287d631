using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>
/// Where runs begin, in blocks of 64 pages, with VBMI2. Four blocks are looked at together, because where runs are long none of them has one. Otherwise each block's
/// codes, frame numbers and positions are compressed to the stage; how many runs a block has cannot be predicted, so up to sixteen cost the same as none.
/// </summary>
/// <typeparam name="TLookup">How the table is looked up.</typeparam>
internal static unsafe class Runs512<TLookup>
    where TLookup : struct, ILookup512<TLookup>
{
    /// <summary>Up to this many runs of a block are fetched by their positions: one store each of numbers and indices.</summary>
    private const int Few = 16;

    /// <summary>Full blocks, until one has a page that needs work or the stage holds the limit; returns the pages done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Blocks(byte* classes, uint* pfns, uint first, int count, ByteTable table, ref RunStage stage, int limit)
    {
        TLookup lookup = TLookup.Load(table.Pointer, table.RowCount);
        byte* codes = stage.Codes;
        uint* numbers = stage.Pfns;
        uint* indices = stage.Indices;
        nint at = stage.Count;
        nint last = limit;
        byte* c = classes;
        uint* p = pfns;
        byte* end = classes + count;
        Vector512<uint> start = Vector512.Create(first);

        // Codes of the block in front, of which the last one is looked at.
        Vector512<byte> before = lookup.Lookup(Vector512.Create(c[-1]));
        while (c + 256 <= end && at < last)
        {
            Streaming.AskForColumns(c, p);
            Vector512<byte> code0 = lookup.Lookup(Vector512.Load(c));
            Streaming.AskForColumns(c + 64, p + 64);
            Vector512<byte> code1 = lookup.Lookup(Vector512.Load(c + 64));
            Streaming.AskForColumns(c + 128, p + 128);
            Vector512<byte> code2 = lookup.Lookup(Vector512.Load(c + 128));
            Streaming.AskForColumns(c + 192, p + 192);
            Vector512<byte> code3 = lookup.Lookup(Vector512.Load(c + 192));
            if (((code0 | code1 | code2 | code3) & Vector512.Create(Resolution.WorkMask)) != Vector512<byte>.Zero)
            {
                break;
            }

            Vector512<byte> breaks0 = Breaks(before, code0, p);
            Vector512<byte> breaks1 = Breaks(code0, code1, p + 64);
            Vector512<byte> breaks2 = Breaks(code1, code2, p + 128);
            Vector512<byte> breaks3 = Breaks(code2, code3, p + 192);
            if ((breaks0 | breaks1 | breaks2 | breaks3) != Vector512<byte>.Zero)
            {
                at += Take(breaks0, code0, p, start, codes + at, numbers + at, indices + at);
                at += Take(breaks1, code1, p + 64, start + Vector512.Create(64u), codes + at, numbers + at, indices + at);
                at += Take(breaks2, code2, p + 128, start + Vector512.Create(128u), codes + at, numbers + at, indices + at);
                at += Take(breaks3, code3, p + 192, start + Vector512.Create(192u), codes + at, numbers + at, indices + at);
            }

            before = code3;
            start += Vector512.Create(256u);
            c += 256;
            p += 256;
        }

        for (; c < end && at < last; c += 64)
        {
            Vector512<byte> code = lookup.Lookup(Vector512.Load(c));
            if ((code & Vector512.Create(Resolution.WorkMask)) != Vector512<byte>.Zero)
            {
                break;
            }

            at += Take(Breaks(before, code, p), code, p, start, codes + at, numbers + at, indices + at);
            before = code;
            start += Vector512.Create(64u);
            p += 64;
        }

        stage.Count = (int)at;
        return (int)(c - classes);
    }

    /// <summary>A byte that is not 0 begins a run: another code than before, or valid with a number that does not follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Breaks(Vector512<byte> before, Vector512<byte> code, uint* pfns)
    {
        // One byte on, out of two registers: index 63 is the first one's last byte, 64 the second one's first.
        Vector512<byte> shifted = Avx512Vbmi.PermuteVar64x8x2(before, Vector512<byte>.Indices + Vector512.Create((byte)63), code);
        Vector512<byte> valid = Vector512.LessThan(code.AsSByte(), Vector512<sbyte>.Zero).AsByte();
        return (code ^ shifted) | ((Blocks512.Steps(pfns) ^ Vector512<byte>.One) & valid);
    }

    /// <summary>Writes code, number and index of a block's runs; returns how many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Take(Vector512<byte> breaks, Vector512<byte> code, uint* pfns, Vector512<uint> start, byte* codes, uint* numbers, uint* indices)
    {
        Vector512<byte> begins = ~Vector512.Equals(breaks, Vector512<byte>.Zero);
        ulong mask = begins.ExtractMostSignificantBits();
        nint found = BitOperations.PopCount(mask);
        Vector512<byte> kept = Avx512Vbmi2.Compress(Vector512<byte>.Zero, begins, code);
        Vector512<byte> places = Avx512Vbmi2.Compress(Vector512<byte>.Zero, begins, Vector512<byte>.Indices);
        Vector512<uint> positions = Avx512F.ConvertToVector512UInt32(places.GetLower().GetLower());
        (positions + start).Store(indices);
        if (found <= Few)
        {
            kept.GetLower().GetLower().Store(codes);

            // A permute looks at five bits of a position; the sixth chooses between two of them.
            Vector512<uint> lower = Avx512F.PermuteVar16x32x2(Vector512.Load(pfns), positions, Vector512.Load(pfns + 16));
            Vector512<uint> upper = Avx512F.PermuteVar16x32x2(Vector512.Load(pfns + 32), positions, Vector512.Load(pfns + 48));
            Vector512.ConditionalSelect(Vector512.Equals(positions & Vector512.Create(32u), Vector512<uint>.Zero), lower, upper).Store(numbers);
            return found;
        }

        // Indices come out of the compressed positions, sixteen at a time; numbers are compressed where they stand, each sixteen behind the ones before.
        kept.Store(codes);
        (Avx512F.ConvertToVector512UInt32(places.GetLower().GetUpper()) + start).Store(indices + 16);
        (Avx512F.ConvertToVector512UInt32(places.GetUpper().GetLower()) + start).Store(indices + 32);
        (Avx512F.ConvertToVector512UInt32(places.GetUpper().GetUpper()) + start).Store(indices + 48);
        Vector512<uint> bits = Vector512.Create(1u, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        Vector512<uint> half = Vector512.Create((uint)mask);
        Sixteen(half, bits, pfns, numbers);
        Sixteen(half, bits << 16, pfns + 16, numbers + BitOperations.PopCount((ushort)mask));
        half = Vector512.Create((uint)(mask >> 32));
        Sixteen(half, bits, pfns + 32, numbers + BitOperations.PopCount((uint)mask));
        Sixteen(half, bits << 16, pfns + 48, numbers + BitOperations.PopCount(mask & 0xFFFF_FFFF_FFFF));
        return found;
    }

    /// <summary>Numbers of those of sixteen pages whose bits are set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sixteen(Vector512<uint> mask, Vector512<uint> bits, uint* pfns, uint* numbers)
    {
        Vector512<uint> keep = ~Vector512.Equals(mask & bits, Vector512<uint>.Zero);
        Avx512F.Compress(Vector512<uint>.Zero, keep, Vector512.Load(pfns)).Store(numbers);
    }
}
