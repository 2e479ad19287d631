using HmmFast.Kernels;
using HmmFast.Memory;
using HmmFast.Properties.Kernels;

namespace HmmFast.Tests.Kernels;

/// <summary>Resolve, per-page resolve and scattered resolve against one page at a time, at every width, between guard pages.</summary>
public sealed class ResolveTests
{
    private static readonly WordFormat[] Formats =
        [WordFormat.Plain, new(0x1C00_0000_0000_0000, 0), new(0, 50), new(0x1C00_0000_0000_0000, 33), new(0, 58)];

    public static TheoryData<string> Widths => KernelData.Widths();

    [Theory]
    [MemberData(nameof(Widths))]
    public void Resolve_AnySizeAndTable_EqualsPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(11);
        foreach (int size in KernelData.Sizes)
        {
            foreach (int classCount in (int[])[1, 16, 17, 64, 77, 128, 129, 192, 200, 256])
            {
                foreach (WordFormat format in Formats)
                {
                    double workShare = random.Next(3) switch { 0 => 0, 1 => 0.02, _ => 0.3 };
                    foreach (bool atEnd in KernelData.Ends)
                    {
                        CheckResolve(kernels, random, size, classCount, workShare, format, atEnd);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Resolve_WorkAtEveryPosition_StopsThereAndLeavesTheRest(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        const int Size = (2 * KernelData.Block) + 5;
        ByteTable table = new([Resolution.Valid, 1]);
        for (int stop = 0; stop <= Size; stop++)
        {
            byte[] classes = new byte[Size];
            ulong[] words = new ulong[Size];
            Array.Fill(words, 0xDEADUL);
            if (stop < Size)
            {
                classes[stop] = 1;
            }

            int done = kernels.Resolve(classes, new uint[Size], table, WordFormat.Plain, words);

            Assert.Equal(stop, done);
            Assert.All(words[..stop], word => Assert.Equal(1UL << 63, word));
            Assert.All(words[stop..], word => Assert.Equal(0xDEADUL, word));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Resolve_AboveTheStreamingThreshold_EqualsPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(12);
        foreach (bool atEnd in KernelData.Ends)
        {
            CheckResolve(kernels, random, Streaming.ThresholdWords + KernelData.Block + 3, 77, 0, WordFormat.Plain, atEnd);
            CheckResolve(kernels, random, Streaming.ThresholdWords + 3, 256, 0.00001, WordFormat.Plain, atEnd);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Resolve_EveryCodeByte_SetsItsTopBits(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        byte[] entries = new byte[256];
        byte[] classes = new byte[256];
        for (int i = 0; i < 256; i++)
        {
            entries[i] = (byte)(i & 0xE0);
            classes[i] = (byte)i;
        }

        uint[] pfns = new uint[256];
        Array.Fill(pfns, uint.MaxValue);
        ulong[] words = new ulong[256];

        Assert.Equal(256, kernels.Resolve(classes, pfns, new ByteTable(entries), WordFormat.Plain, words));
        for (int i = 0; i < 256; i++)
        {
            Assert.Equal(((ulong)(i & 0xE0) << 56) | (i >= 128 ? uint.MaxValue : 0UL), words[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void ResolvePerPage_AnyRequest_EqualsPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(13);
        foreach (int size in KernelData.Sizes)
        {
            for (int round = 0; round < 24; round++)
            {
                int classCount = random.Next(1, 257);
                RequestTables tables = new();
                double workShare = random.Next(3) switch { 0 => 0, 1 => 0.02, _ => 0.3 };
                WordFormat format = Formats[random.Next(Formats.Length)];
                foreach (ByteTable table in Six(tables))
                {
                    table.Set(KernelData.Table(random, classCount, workShare, format.KindShift != 0));
                }

                PageRequest request = new(
                    (ulong)random.NextInt64() | (random.Next(2) == 0 ? 3UL << 62 : 0),
                    random.Next(4) switch { 0 => 1UL << 63, 1 => 3UL << 62, _ => 0 },
                    random.Next(2) == 0 ? 0 : random.Next(7, 62));
                foreach (bool atEnd in KernelData.Ends)
                {
                    CheckPerPage(kernels, random, size, classCount, tables, request, format, atEnd);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void ResolveScattered_AnyPositions_EqualsPageByPage(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(14);
        foreach (int size in (int[])[.. KernelData.Sizes, 5000])
        {
            foreach (WordFormat format in Formats)
            {
                foreach (bool atEnd in KernelData.Ends)
                {
                    CheckScattered(kernels, random, size, format, atEnd);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void ResolveScattered_PositionOutsideTheColumns_Throws(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        NativeMemoryLedger ledger = new();
        using (NativeColumn<byte> classes = new("classes", 5000, ledger))
        using (NativeColumn<uint> pfns = new("pfns", 5000, ledger))
        {
            foreach (long position in (long[])[-1, 5000, long.MinValue])
            {
                ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => kernels.ResolveScattered(
                    classes.View(), pfns.View(), new ByteTable(), WordFormat.Plain, [position], new ulong[1]));
                Assert.Contains($"Index {position} is outside 0..4999", thrown.Message, StringComparison.Ordinal);
            }
        }

        ledger.ThrowIfUnbalanced();
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Resolve_LengthsThatDiffer_ThrowsBeforeWriting(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        ulong[] words = [7, 7, 7];
        ByteTable table = new();
        Assert.Throws<ArgumentException>(() => kernels.Resolve(new byte[3], new uint[2], table, WordFormat.Plain, words));
        Assert.Throws<ArgumentException>(() => kernels.Resolve(new byte[2], new uint[2], table, WordFormat.Plain, words));
        Assert.Throws<ArgumentOutOfRangeException>(() => kernels.Resolve(new byte[3], new uint[3], table, new WordFormat(0, 32), words));
        Assert.Throws<ArgumentOutOfRangeException>(() => kernels.Resolve(new byte[3], new uint[3], table, new WordFormat(0, 59), words));
        Assert.Throws<ArgumentOutOfRangeException>(() => kernels.ResolvePerPage(
            new byte[3], new uint[3], new RequestTables(), new PageRequest(0, 0, 6), WordFormat.Plain, words));
        Assert.Equal([7, 7, 7], words);
    }

    private static ByteTable[] Six(RequestTables tables) =>
        [tables.None, tables.Read, tables.Write, tables.NoneAllowed, tables.ReadAllowed, tables.WriteAllowed];

    private static void CheckResolve(KernelSet kernels, Random random, int size, int classCount, double workShare, WordFormat format, bool atEnd)
    {
        ByteTable table = new(KernelData.Table(random, classCount, workShare, format.KindShift != 0));
        using GuardedBuffer<byte> classes = GuardedBuffer.From(KernelData.Classes(random, size, classCount), atEnd);
        using GuardedBuffer<uint> pfns = GuardedBuffer.From(KernelData.Pfns(random, size), atEnd);
        ulong[] before = KernelData.Words(random, size);
        using GuardedBuffer<ulong> words = GuardedBuffer.From(before, atEnd);
        ulong[] expected = [.. before];
        int stop = 0;
        while (stop < size && (table[classes.Span[stop]] & Resolution.WorkMask) == 0)
        {
            expected[stop] = PlainWord.Of(table[classes.Span[stop]], pfns.Span[stop], before[stop], format);
            stop++;
        }

        int done = kernels.Resolve(classes.Span, pfns.Span, table, format, words.Span);

        Assert.True(done == stop, $"{kernels.Name}: size {size}, {classCount} classes: stopped at {done}, expected {stop}");
        int differs = words.Span.CommonPrefixLength(expected);
        Assert.True(differs == size, $"{kernels.Name}: size {size}, {classCount} classes, {format}: word {differs} differs");
    }

    private static unsafe void CheckScattered(KernelSet kernels, Random random, int size, WordFormat format, bool atEnd)
    {
        // As many positions as pages, the first and the last page among them; no page, no positions.
        ByteTable table = new(KernelData.Table(random, 77, random.Next(2) * 0.01, format.KindShift != 0));
        using GuardedBuffer<byte> classes = GuardedBuffer.From(KernelData.Classes(random, size, 77), atEnd);
        using GuardedBuffer<uint> pfns = GuardedBuffer.From(KernelData.Pfns(random, size), atEnd);
        using GuardedBuffer<long> positions = new(size, atEnd);
        for (int i = 0; i < size; i++)
        {
            positions.Span[i] = i == 0 ? size - 1 : i == 1 ? 0 : random.Next(size);
        }

        ulong[] before = KernelData.Words(random, size);
        using GuardedBuffer<ulong> words = GuardedBuffer.From(before, atEnd);
        ulong[] expected = [.. before];
        int stop = 0;
        while (stop < size && (table[classes.Span[(int)positions.Span[stop]]] & Resolution.WorkMask) == 0)
        {
            int at = (int)positions.Span[stop];
            expected[stop] = PlainWord.Of(table[classes.Span[at]], pfns.Span[at], before[stop], format);
            stop++;
        }

        int done = kernels.ResolveScattered(
            new ColumnView<byte>(classes.Pointer, size), new ColumnView<uint>(pfns.Pointer, size), table, format, positions.Span, words.Span);

        Assert.Equal(stop, done);
        Assert.Equal(expected, words.Span.ToArray());
    }

    private static void CheckPerPage(
        KernelSet kernels, Random random, int size, int classCount, RequestTables tables, PageRequest request, WordFormat format, bool atEnd)
    {
        using GuardedBuffer<byte> classes = GuardedBuffer.From(KernelData.Classes(random, size, classCount), atEnd);
        using GuardedBuffer<uint> pfns = GuardedBuffer.From(KernelData.Pfns(random, size), atEnd);
        ulong[] before = KernelData.Words(random, size);
        using GuardedBuffer<ulong> words = GuardedBuffer.From(before, atEnd);
        ulong[] expected = [.. before];
        int stop = 0;
        for (; stop < size; stop++)
        {
            ulong asked = (before[stop] & request.Mask) | request.Default;
            bool fault = (asked >> 63) != 0;
            bool write = (asked >> 62 & 1) != 0;
            int form = !fault ? 0 : write ? 2 : 1;
            int allowed = request.AllowBit != 0 && (asked >> request.AllowBit & 1) != 0 ? 3 : 0;
            byte code = Six(tables)[form + allowed][classes.Span[stop]];
            if ((code & Resolution.WorkMask) != 0)
            {
                break;
            }

            expected[stop] = PlainWord.Of(code, pfns.Span[stop], before[stop], format);
        }

        int done = kernels.ResolvePerPage(classes.Span, pfns.Span, tables, request, format, words.Span);

        Assert.True(done == stop, $"{kernels.Name}: size {size}, {request}, {format}: stopped at {done}, expected {stop}");
        int differs = words.Span.CommonPrefixLength(expected);
        Assert.True(differs == size, $"{kernels.Name}: size {size}, {request}, {format}: word {differs} differs");
    }
}
