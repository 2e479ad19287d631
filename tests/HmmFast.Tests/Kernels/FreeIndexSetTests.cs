using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Tests.Kernels;

/// <summary>The free set against a plain array of flags.</summary>
public sealed class FreeIndexSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(4096)]
    [InlineData(4096 + 512 + 65)]
    [InlineData((64 * 4096) + 7)]
    public void RandomTakesAndGives_AnyCount_EqualPlainFlags(int count)
    {
        NativeMemoryLedger ledger = new();
        Random random = new(41 + count);
        bool[] taken = new bool[count];
        using (FreeIndexSet set = new("test", count, ledger))
        {
            for (int step = 0; step < 600; step++)
            {
                Step(set, taken, random);
                Assert.Equal(taken.Count(flag => !flag), set.FreeCount);
            }

            // All of it, then none of it.
            while (set.TakeLowest() is long index and >= 0)
            {
                Assert.False(taken[index]);
                taken[index] = true;
            }

            Assert.Equal(0, set.FreeCount);
            Assert.DoesNotContain(false, taken);
            Assert.Equal(-1, set.TakeLowestBlock());
            Assert.False(set.TryFindRun(0, 1, out _, out _));
            set.Give(0, count);
            Assert.Equal(count, set.FreeCount);
            Assert.Equal(count >= 512 ? 0 : -1, set.TakeLowestBlock());
        }

        ledger.ThrowIfUnbalanced();
    }

    [Fact]
    public void TakeAndGive_WrongState_ThrowsNamingTheIndexAndChangesNothing()
    {
        NativeMemoryLedger ledger = new();
        using FreeIndexSet set = new("frames", 1000, ledger);
        set.Take(100, 50);

        Assert.Contains("index 100", Assert.Throws<InvalidOperationException>(() => set.Take(90, 20)).Message, StringComparison.Ordinal);
        Assert.Contains("index 150", Assert.Throws<InvalidOperationException>(() => set.Give(140, 20)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Take(990, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Take(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Take(5, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.IsFree(1000));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FreeIndexSet("none", 0, ledger));
        Assert.Equal(950, set.FreeCount);
        Assert.True(set.IsFree(99));
        Assert.False(set.IsFree(149));
        set.Dispose();
        Assert.Throws<ObjectDisposedException>(() => set.TakeLowest());
    }

    [Fact]
    public void HugeSet_TwoEnds_CostsMemoryForThemOnly()
    {
        NativeMemoryLedger ledger = new();
        using FreeIndexSet set = new("all frames", 1L << 36, ledger);
        set.Take((1L << 36) - 600, 600);
        Assert.Equal(0, set.TakeLowest());
        Assert.Equal(512, set.TakeLowestBlock());
        Assert.True(set.TryFindRun((1L << 36) - 601, long.MaxValue, out long start, out long length));
        Assert.Equal(((1L << 36) - 601, 1L), (start, length));
    }

    private static void Step(FreeIndexSet set, bool[] taken, Random random)
    {
        int count = taken.Length;
        int start = random.Next(count);
        int length = 1 + random.Next(Math.Min(count - start, 1 << random.Next(1, 14)));
        switch (random.Next(6))
        {
            case 0:
                uint[] indices = new uint[Math.Min(length, 700)];
                int got = set.TakeLowest(KernelSet.Best, 1000, indices);
                int at = 0;
                foreach (uint index in indices[..got])
                {
                    at = Array.IndexOf(taken, false, at);
                    Assert.Equal((uint)at + 1000, index);
                    taken[at] = true;
                }

                Assert.True(got == indices.Length || set.FreeCount == 0);
                break;
            case 1:
                long block = set.TakeLowestBlock();
                int expected = -1;
                for (int b = 0; b + 512 <= count && expected < 0; b += 512)
                {
                    expected = Array.IndexOf(taken, true, b, 512) < 0 ? b : -1;
                }

                Assert.Equal(expected, block);
                if (block >= 0)
                {
                    Array.Fill(taken, true, (int)block, 512);
                }

                break;
            case 2:
                bool found = set.TryFindRun(start, length, out long runStart, out long runLength);
                int first = Array.IndexOf(taken, false, start);
                Assert.Equal(first >= 0, found);
                if (found)
                {
                    int end = Array.IndexOf(taken, true, first);
                    end = Math.Min(end < 0 ? count : end, first + length);
                    Assert.Equal((first, end - first), (runStart, runLength));
                }

                break;
            default:
                // The longest run of one state at a random place is given or taken.
                bool state = taken[start];
                int same = 1;
                while (same < length && taken[start + same] == state)
                {
                    same++;
                }

                if (state)
                {
                    set.Give(start, same);
                }
                else
                {
                    set.Take(start, same);
                }

                Array.Fill(taken, !state, start, same);
                break;
        }
    }
}
