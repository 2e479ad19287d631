using HmmFast.Kernels;

namespace HmmFast.Tests.Kernels;

/// <summary>Inputs for kernel tests: every supported width, sizes around every loop's ends, random columns and tables from a printed seed.</summary>
internal static class KernelData
{
    /// <summary>One block of 64 pages; the sums below name the loop a size ends in: so many blocks, then a partial one.</summary>
    public const int Block = 64;

    public static readonly int[] Sizes =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, Block - 1, Block, Block + 1, Block + 32 + 3, (2 * Block) - 1, 2 * Block, (2 * Block) + 1,
        (8 * Block) + 32 + 3, (32 * Block) + 17,
    ];

    /// <summary>The two ends that a guarded buffer can be flush against. Every buffer of a kernel is tried at both, at every size.</summary>
    public static readonly bool[] Ends = [false, true];

    public static TheoryData<string> Widths()
    {
        TheoryData<string> data = [];
        foreach (KernelSet set in KernelSet.All)
        {
            data.Add(set.Name);
        }

        return data;
    }

    public static byte[] Classes(Random random, int count, int classCount)
    {
        byte[] classes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            classes[i] = (byte)random.Next(classCount);
        }

        return classes;
    }

    /// <summary>Numbers in runs of random length, so that both following and breaking happen.</summary>
    public static uint[] Pfns(Random random, int count)
    {
        uint[] pfns = new uint[count];
        uint next = 0;
        for (int i = 0; i < count; i++)
        {
            next = random.Next(4) == 0 ? (uint)random.NextInt64(1L << 32) : next + 1;
            pfns[i] = next;
        }

        return pfns;
    }

    public static ulong[] Words(Random random, int count)
    {
        ulong[] words = new ulong[count];
        random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(words.AsSpan()));
        return words;
    }

    /// <summary>A table of resolutions without kinds; work in a given share of the entries.</summary>
    public static byte[] Table(Random random, int classCount, double workShare, bool kinds = false)
    {
        byte[] codes = [0, Resolution.Error, Resolution.Valid, Resolution.Valid | Resolution.Write];
        byte[] table = new byte[classCount];
        for (int i = 0; i < classCount; i++)
        {
            int code = codes[random.Next(codes.Length)];
            if (kinds && (code & Resolution.Valid) != 0)
            {
                code |= random.Next(8) << Resolution.KindBit;
            }

            table[i] = random.NextDouble() < workShare ? (byte)random.Next(1, 4) : (byte)code;
        }

        return table;
    }
}
