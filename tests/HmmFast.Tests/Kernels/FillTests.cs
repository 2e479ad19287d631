using HmmFast.Kernels;
using HmmFast.Properties.Kernels;

namespace HmmFast.Tests.Kernels;

/// <summary>Map, count up, fill and add against one element at a time, at every width, between guard pages.</summary>
public sealed class FillTests
{
    public static TheoryData<string> Widths => KernelData.Widths();

    [Theory]
    [MemberData(nameof(Widths))]
    public void Map_AnySizeAndTable_EqualsByteByByteAndInPlace(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        Random random = new(31);
        foreach (int size in KernelData.Sizes)
        {
            foreach (int count in (int[])[1, 16, 17, 64, 65, 128, 129, 192, 193, 256])
            {
                byte[] entries = new byte[count];
                random.NextBytes(entries);
                ByteTable table = new(entries);
                byte[] raw = KernelData.Classes(random, size, count);
                byte[] expected = Array.ConvertAll(raw, value => entries[value]);
                foreach (bool atEnd in KernelData.Ends)
                {
                    using GuardedBuffer<byte> source = GuardedBuffer.From(raw, atEnd);
                    using GuardedBuffer<byte> destination = new(size, atEnd);

                    kernels.Map(source.Span, table, destination.Span);
                    Assert.Equal(expected, destination.Span.ToArray());

                    kernels.Map(source.Span, table, source.Span);
                    Assert.Equal(expected, source.Span.ToArray());
                }
            }
        }

        Assert.Throws<ArgumentException>(() => kernels.Map(new byte[3], new ByteTable(), new byte[4]));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Fills_AnySize_EqualElementByElement(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        foreach (int size in (int[])[.. KernelData.Sizes, Streaming.FillThresholdWords + 67])
        {
            foreach (bool atEnd in KernelData.Ends)
            {
                CheckNumbers(kernels, size, atEnd);
                CheckWords(kernels, size, atEnd);
            }
        }
    }

    private static void CheckNumbers(KernelSet kernels, int size, bool atEnd)
    {
        using GuardedBuffer<uint> numbers = new(size, atEnd);
        using GuardedBuffer<ushort> shorts = new(size, atEnd);
        uint first = uint.MaxValue - 20;
        kernels.CountUp(numbers.Span, first);
        AssertEach(numbers.Span, i => first + (uint)i);
        kernels.Add(numbers.Span, 0xFFFF_FFFF);
        AssertEach(numbers.Span, i => first + (uint)i - 1);
        kernels.Add(shorts.Span, 0xFFFF);
        AssertEach(shorts.Span, _ => (ushort)0xFFFF);
        kernels.Add(shorts.Span, 3);
        AssertEach(shorts.Span, _ => (ushort)2);
    }

    private static void CheckWords(KernelSet kernels, int size, bool atEnd)
    {
        using GuardedBuffer<ulong> words = new(size, atEnd);
        foreach (ulong step in (ulong[])[0, 1, 5])
        {
            const ulong First = 0xC900_0000_0000_1000;
            kernels.FillWords(words.Span, First, step);
            AssertEach(words.Span, i => First + ((ulong)i * step));
            kernels.FillWords(words.Span, 7, step, keepMask: 0xFF00_0000_0000_0000);
            AssertEach(words.Span, i => (7 + ((ulong)i * step)) | (First & 0xFF00_0000_0000_0000));
        }
    }

    private static void AssertEach<T>(Span<T> values, Func<int, T> expected)
        where T : IEquatable<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!values[i].Equals(expected(i)))
            {
                Assert.Fail($"element {i} of {values.Length} is {values[i]}, expected {expected(i)}");
            }
        }
    }
}
