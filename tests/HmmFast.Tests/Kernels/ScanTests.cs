using HmmFast.Kernels;
using HmmFast.Properties.Kernels;

namespace HmmFast.Tests.Kernels;

/// <summary>Counting, marking, searching, runs and extents against one page at a time, at every width, between guard pages.</summary>
public sealed class ScanTests
{
    public static TheoryData<string> Widths => KernelData.Widths();

    /// <summary>A bitmap cut out of bytes may stand on any address: it is written all the same, and nothing is read behind the classes.</summary>
    [Theory]
    [MemberData(nameof(KernelSetTests.Widths), MemberType = typeof(KernelSetTests))]
    public void Classify_BitmapOffEveryBorder_MarksEveryPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        ByteTable table = new([Resolution.Valid, 1]);
        byte[] classes = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i % 3 == 0 ? 1 : 0))];
        byte[] bytes = new byte[(79 * 8) + 64];
        for (int offset = 0; offset < 64; offset++)
        {
            Array.Fill(bytes, (byte)0xA5);
            Span<ulong> bitmap = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan(offset, 79 * 8));
            ClassCounts counts = kernels.Classify(classes, table, bitmap);
            Assert.Equal((3333, 1667), (counts.Valid, counts.Work1));
            for (int page = 0; page < classes.Length; page++)
            {
                Assert.Equal(page % 3 == 0, (bitmap[page / 64] >> (page % 64) & 1) != 0);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Classify_AnySize_CountsAndMarksEveryPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(21);
        foreach (int size in KernelData.Sizes)
        {
            int classCount = random.Next(1, 257);
            ByteTable table = new(KernelData.Table(random, classCount, 0.3));
            byte[] raw = KernelData.Classes(random, size, classCount);
            ulong[] expectedWork = new ulong[(size + 63) / 64];
            int[] byWork = new int[4];
            int valid = 0;
            int error = 0;
            for (int i = 0; i < size; i++)
            {
                byte code = table[raw[i]];
                byWork[code & Resolution.WorkMask]++;
                valid += (code & Resolution.Valid) != 0 ? 1 : 0;
                error += (code & Resolution.Error) != 0 ? 1 : 0;
                expectedWork[i / 64] |= (code & Resolution.WorkMask) != 0 ? 1UL << (i % 64) : 0;
            }

            ClassCounts expected = new(size, valid, error, byWork[1], byWork[2], byWork[3]);
            foreach (bool atEnd in KernelData.Ends)
            {
                using GuardedBuffer<byte> classes = GuardedBuffer.From(raw, atEnd);
                using GuardedBuffer<ulong> work = new(expectedWork.Length, atEnd);
                work.Span.Fill(ulong.MaxValue);
                Assert.Equal(expected, kernels.Classify(classes.Span, table, work.Span));
                Assert.Equal(expectedWork, work.Span.ToArray());
                Assert.Equal(expected, kernels.Classify(classes.Span, table, []));
            }
        }

        Assert.Throws<ArgumentException>(() => kernels.Classify(new byte[65], new ByteTable(), new ulong[1]));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Classify_MorePagesThanStayInCache_EqualsScalar(string width)
    {
        // Past this size the bitmap goes past the cache; the scalar width, which never does that, is held against one page at a time above.
        const int Size = Streaming.ThresholdBitmapPages + (3 * KernelData.Block) + 5;
        Random random = new(24);
        byte[] classes = new byte[Size];
        random.NextBytes(classes);
        ByteTable table = new(KernelData.Table(random, 256, 0.3));
        ulong[] work = new ulong[((Size + 63) / 64) + 2];
        ulong[] expected = new ulong[work.Length];
        ClassCounts counts = KernelSet.Choose("scalar").Classify(classes, table, expected.AsSpan(1));

        Assert.Equal(counts, KernelSet.Choose(width).Classify(classes, table, work.AsSpan(1)));
        Assert.True(work.AsSpan().SequenceEqual(expected), "the bitmaps differ");
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Members_AnySizeAndSet_AreMarkedCountedAndFound(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(22);
        foreach (int size in KernelData.Sizes)
        {
            for (int round = 0; round < 12; round++)
            {
                int classCount = random.Next(1, 257);
                byte[] entries = new byte[classCount];
                random.NextBytes(entries);
                ByteTable table = new(entries);
                byte bits = (byte)(1 << random.Next(8) | (random.Next(2) << random.Next(8)));

                // Rounds in which nearly all or nearly no page is a member, so that the searches run far.
                byte[] raw = KernelData.Classes(random, size, round < 4 ? classCount : 1);
                if (round >= 8 && size > 0)
                {
                    raw[random.Next(size)] = (byte)random.Next(classCount);
                }

                ulong[] expected = new ulong[(size + 63) / 64];
                int first = size;
                int firstNot = size;
                long count = 0;
                for (int i = size - 1; i >= 0; i--)
                {
                    bool member = (table[raw[i]] & bits) != 0;
                    first = member ? i : first;
                    firstNot = member ? firstNot : i;
                    count += member ? 1 : 0;
                    expected[i / 64] |= member ? 1UL << (i % 64) : 0;
                }

                foreach (bool atEnd in KernelData.Ends)
                {
                    using GuardedBuffer<byte> classes = GuardedBuffer.From(raw, atEnd);
                    using GuardedBuffer<ulong> members = new(expected.Length, atEnd);
                    Assert.Equal(count, kernels.MarkMembers(classes.Span, table, bits, members.Span));
                    Assert.Equal(expected, members.Span.ToArray());
                    Assert.Equal(count, kernels.CountMembers(classes.Span, table, bits));
                    Assert.Equal(first, kernels.FindMember(classes.Span, table, bits));
                    Assert.Equal(firstNot, kernels.FindNonMember(classes.Span, table, bits));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Runs_BreakAtEveryPosition_EndThere(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        const int Size = (2 * KernelData.Block) + 7;
        foreach (bool atEnd in KernelData.Ends)
        {
            using GuardedBuffer<byte> bytes = new(Size, atEnd);
            using GuardedBuffer<uint> numbers = new(Size, atEnd);
            for (int at = 1; at <= Size; at++)
            {
                for (int i = 0; i < Size; i++)
                {
                    bytes.Span[i] = (byte)(i == at ? 3 : 9);

                    // Counts across the wrap at 2^32.
                    numbers.Span[i] = uint.MaxValue - 50 + (uint)i + (i >= at ? 1u : 0u);
                }

                Assert.Equal(at, kernels.EqualRun(bytes.Span));
                Assert.Equal(at, kernels.CountingRun(numbers.Span));
                Assert.Equal(Math.Min(at, 3), kernels.CountingRun(numbers.Span[..3]));
            }
        }

        Assert.Equal(0, kernels.EqualRun([]));
        Assert.Equal(0, kernels.CountingRun([]));
        Assert.Equal(1, kernels.CountingRun([5]));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Runs_ToTheLastElement_EndWithTheBuffer(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        for (int size = 1; size <= (3 * KernelData.Block) + 1; size++)
        {
            foreach (bool atEnd in KernelData.Ends)
            {
                using GuardedBuffer<byte> bytes = new(size, atEnd);
                using GuardedBuffer<uint> numbers = new(size, atEnd);
                kernels.CountUp(numbers.Span, 7);
                Assert.Equal(size, kernels.EqualRun(bytes.Span));
                Assert.Equal(size, kernels.CountingRun(numbers.Span));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void CountingRun_WordsThatStopCountingAnywhere_EndsThere(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        for (int size = 0; size <= (2 * KernelData.Block) + 2; size++)
        {
            foreach (bool atEnd in KernelData.Ends)
            {
                using GuardedBuffer<ulong> words = new(size, atEnd);
                CheckCountingRun(kernels, words.Span, step: 0);
                CheckCountingRun(kernels, words.Span, step: 1);
                CheckCountingRun(kernels, words.Span, step: ulong.MaxValue);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Extents_EveryCapacityOnMemoryWithoutRuns_FillItAndNoMore(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        const int Size = (3 * KernelData.Block) + 5;
        ByteTable table = new([Resolution.Valid, Resolution.Valid | Resolution.Write]);
        byte[] classes = new byte[Size];
        uint[] pfns = new uint[Size];
        for (int capacity = 0; capacity <= Size + 1; capacity++)
        {
            CheckExtents(kernels, classes, pfns, table, kindShift: 0, capacity);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Extents_AnyRunsAndCapacity_EqualPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(23);
        foreach (int size in KernelData.Sizes)
        {
            for (int round = 0; round < 40; round++)
            {
                int kindShift = random.Next(4) == 0 ? 50 : 0;
                int classCount = random.Next(1, 30);
                ByteTable table = new(KernelData.Table(random, classCount, round % 4 == 0 ? 0.02 : 0, kindShift != 0));
                byte[] classes = new byte[size];
                uint[] pfns = new uint[size];
                int average = 1 << random.Next(9);
                byte current = (byte)random.Next(classCount);
                uint pfn = 1;
                for (int i = 0; i < size; i++)
                {
                    current = random.Next(average) == 0 ? (byte)random.Next(classCount) : current;
                    pfn = random.Next(average) == 0 ? (uint)random.Next() : pfn + 1;
                    classes[i] = current;
                    pfns[i] = pfn;
                }

                int capacity = random.Next(3) == 0 ? random.Next(size + 1) : size;
                CheckExtents(kernels, classes, pfns, table, kindShift, capacity);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Extents_StretchesOfEveryKind_EqualPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        foreach (int seed in new[] { 1, 2, 3, 4, 5, 6, 7, 8 })
        {
            Random random = new(seed);
            int kindShift = seed == 8 ? 50 : 0;
            int classCount = seed % 2 == 0 ? 60 : 256;
            ByteTable table = new(KernelData.Table(random, classCount, 0, kindShift != 0));
            int size = 9000 + random.Next(200);
            (byte[] classes, uint[] pfns) = Stretches(random, size, classCount);
            CheckExtents(kernels, classes, pfns, table, kindShift, size);
            CheckExtents(kernels, classes, pfns, table, kindShift, random.Next(size / 2));

            // One class that needs work, on one page somewhere: of the last stretch, or in front of it.
            byte[] entries = table.Entries[..classCount].ToArray();
            byte free = (byte)random.Next(classCount);
            classes.AsSpan().Replace(free, (byte)((free + 1) % classCount));
            entries[free] |= 1;
            classes[size - 1 - random.Next(size / 3)] = free;
            CheckExtents(kernels, classes, pfns, new ByteTable(entries), kindShift, size);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Extents_MoreRunsThanStayInCache_EqualPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        const int Size = Streaming.ThresholdRuns + (100 * KernelData.Block) + 3;
        Random random = new(29);
        ByteTable table = new([Resolution.Valid, Resolution.Valid | Resolution.Write]);
        byte[] classes = new byte[Size];
        uint[] pfns = new uint[Size];
        for (int i = 0; i < Size; i++)
        {
            // No runs, but holes in them and a long run towards the end.
            pfns[i] = i % 5000 < 60 || i > Size - 2000 ? (uint)i : (uint)i * 3;
        }

        // Room for all of them, room that ends while results go past the cache, and starts that lie differently from the words.
        foreach (int capacity in new[] { Size, Size - 1, Size - 70_001, Size - 90_006 })
        {
            uint[] starts = new uint[Size + 16];
            ulong[] words = new ulong[Size + 16];
            int startsFrom = random.Next(16);
            int wordsFrom = random.Next(8);
            ExtentCount found = kernels.Extents(classes, pfns, table, 0, starts.AsSpan(startsFrom, capacity), words.AsSpan(wordsFrom, capacity));
            int run = 0;
            int page = 0;
            for (; page < Size; page++)
            {
                if (page > 0 && pfns[page] == pfns[page - 1] + 1)
                {
                    continue;
                }

                if (run == capacity)
                {
                    break;
                }

                if (starts[startsFrom + run] != page || words[wordsFrom + run] != (1UL << 63 | pfns[page]))
                {
                    Assert.Fail($"Run {run} of capacity {capacity} is page {starts[startsFrom + run]}, word {words[wordsFrom + run]:x}; expected page {page}, frame {pfns[page]:x}.");
                }

                run++;
            }

            Assert.Equal(new ExtentCount(run, page), found);
            Assert.All(starts[(startsFrom + capacity)..], start => Assert.Equal(0u, start));
            Assert.All(words[(wordsFrom + capacity)..], word => Assert.Equal(0UL, word));
        }
    }

    /// <summary>Columns in stretches of 1 to 2000 pages, each with no runs, short ones, holes of one number, or one run.</summary>
    private static (byte[] Classes, uint[] Pfns) Stretches(Random random, int size, int classCount)
    {
        byte[] classes = new byte[size];
        uint[] pfns = new uint[size];
        int kind = 0;
        int left = 0;
        for (int i = 0; i < size; i++)
        {
            byte before = i == 0 ? (byte)0 : classes[i - 1];
            uint next = i == 0 ? 7 : pfns[i - 1] + 1;
            if (left-- == 0)
            {
                kind = random.Next(4);
                left = random.Next(2000);
                before = (byte)random.Next(classCount);
            }

            (classes[i], pfns[i]) = kind switch
            {
                0 => ((byte)random.Next(classCount), (uint)random.Next()),
                1 => random.Next(64) == 0 ? ((byte)random.Next(classCount), next + 1000) : (before, next),
                2 => (before, 0u),
                _ => (before, next),
            };
        }

        return (classes, pfns);
    }

    private static void CheckCountingRun(KernelSet kernels, Span<ulong> words, ulong step)
    {
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = ulong.MaxValue - 3 + ((ulong)i * step);
        }

        Assert.Equal(words.Length, kernels.CountingRun(words, step));
        for (int end = 1; end < words.Length; end++)
        {
            words[end] ^= 1UL << (end % 64);
            Assert.Equal(end, kernels.CountingRun(words, step));
            words[end] ^= 1UL << (end % 64);
        }
    }

    private static void CheckExtents(KernelSet kernels, byte[] classes, uint[] pfns, ByteTable table, int kindShift, int capacity)
    {
        WordFormat format = new(0, kindShift);
        List<uint> expectedStarts = [];
        List<ulong> expectedWords = [];
        int pages = 0;
        for (; pages < classes.Length; pages++)
        {
            byte code = table[classes[pages]];
            if ((code & Resolution.WorkMask) != 0)
            {
                break;
            }

            bool goesOn = pages > 0 && table[classes[pages - 1]] == code
                && ((code & Resolution.Valid) == 0 || pfns[pages - 1] + 1 == pfns[pages]);
            if (!goesOn)
            {
                if (expectedStarts.Count == capacity)
                {
                    break;
                }

                expectedStarts.Add((uint)pages);
                expectedWords.Add(PlainWord.Of(code, pfns[pages], 0, format));
            }
        }

        foreach (bool atEnd in KernelData.Ends)
        {
            using GuardedBuffer<byte> c = GuardedBuffer.From(classes, atEnd);
            using GuardedBuffer<uint> p = GuardedBuffer.From(pfns, atEnd);
            using GuardedBuffer<uint> starts = new(capacity, atEnd);
            using GuardedBuffer<ulong> words = new(capacity, atEnd);

            ExtentCount found = kernels.Extents(c.Span, p.Span, table, kindShift, starts.Span, words.Span);

            Assert.Equal(new ExtentCount(expectedStarts.Count, pages), found);
            Assert.Equal(expectedStarts, starts.Span[..found.Extents].ToArray());
            Assert.Equal(expectedWords, words.Span[..found.Extents].ToArray());
        }
    }
}
