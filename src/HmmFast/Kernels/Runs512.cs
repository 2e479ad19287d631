using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>Where runs begin in a block of 64 pages, and their words, without a branch per run where there are many of them.</summary>
internal static unsafe class Runs512
{
    /// <summary>
    /// Up to this many runs in a block, their words are made one by one: a block with one costs 8 ns in all, where the whole block at once costs
    /// 18. (Compressing positions and gathering the numbers of up to eight runs was tried: 20 ns a block. perf-results, hot kernels.)
    /// </summary>
    private const int FewRuns = 12;

    /// <summary>Writes word and index of every page that begins a run; reads element -1 of pfns, may write 64 elements behind both outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Run(
        Vector512<byte> code, Vector512<byte> before, uint* pfns, uint first, ulong* outWords, uint* outIndices, byte* scratch)
    {
        Vector512<byte> jumps = Blocks512.Join(Jumps(pfns), Jumps(pfns + 16), Jumps(pfns + 32), Jumps(pfns + 48));
        Vector512<byte> valid = Vector512.LessThan(code.AsSByte(), Vector512<sbyte>.Zero).AsByte();

        // A byte that is not 0 begins a run: another code, or valid with a number that does not follow.
        Vector512<byte> breaks = (code ^ before) | (jumps & valid);
        Vector512<byte> begins = ~Vector512.Equals(breaks, Vector512<byte>.Zero);
        ulong mask = begins.ExtractMostSignificantBits();
        int count = BitOperations.PopCount(mask);
        if (count <= FewRuns)
        {
            code.Store(scratch);
            return Scalar.Runs(mask, scratch, pfns, first, outWords, outIndices);
        }

        if (mask == ulong.MaxValue)
        {
            Blocks512.ExpandInRegisters<CachedStore>(code, pfns, outWords);
            Blocks512.Iota(outIndices, 64, first);
        }
        else
        {
            code.Store(scratch);
            begins.Store(scratch + 64);
            Many(mask, scratch + 64, scratch, pfns, first, outWords, outIndices);
        }

        return count;
    }

    /// <summary>Sixteen bytes, 0 where the number follows the one before it. Saturating keeps what is not 0 so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Jumps(uint* pfns) => Avx512F.ConvertToVector128ByteWithSaturation(
        Vector512.Load(pfns) - Vector512.Load(pfns - 1) - Vector512<uint>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Many(ulong mask, byte* flags, byte* codes, uint* pfns, uint first, ulong* outWords, uint* outIndices)
    {
        // Begins is all ones or zeros a byte: widening it with sign gives the masks of eight words and of sixteen indices.
        Vector512<uint> index = Vector512.Create(first) + Vector512<uint>.Indices;
        for (int i = 0; i < 64; i += 16)
        {
            Vector512<uint> keep = Avx512F.ConvertToVector512Int32(Vector128.LoadUnsafe(ref *(sbyte*)(flags + i))).AsUInt32();
            Avx512F.Compress(Vector512<uint>.Zero, keep, index).Store(outIndices);
            index += Vector512.Create(16u);
            Eight(flags + i, codes + i, pfns + i, outWords);
            outWords += BitOperations.PopCount((byte)mask);
            Eight(flags + i + 8, codes + i + 8, pfns + i + 8, outWords);
            outWords += BitOperations.PopCount((byte)(mask >> 8));
            outIndices += BitOperations.PopCount((ushort)mask);
            mask >>= 16;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight(byte* flags, byte* codes, uint* pfns, ulong* outWords)
    {
        Vector512<ulong> keep = Avx512F.ConvertToVector512Int64(Vector128.CreateScalarUnsafe(*(ulong*)flags).AsSByte()).AsUInt64();
        Vector512<ulong> words = Blocks512.Word(Blocks512.Flags(codes), Blocks512.Pfns(pfns));
        Avx512F.Compress(Vector512<ulong>.Zero, keep, words).Store(outWords);
    }
}
