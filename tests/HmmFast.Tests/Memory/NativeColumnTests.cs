using System.Runtime.CompilerServices;
using HmmFast.Memory;

namespace HmmFast.Tests.Memory;

/// <summary>Reserving, touching, releasing and freeing columns; what the ledger says about it.</summary>
public sealed unsafe class NativeColumnTests
{
    [Fact]
    public void Column_FreshAndWritten_ReadsZeroThenWhatWasWritten()
    {
        NativeMemoryLedger ledger = new();
        using (NativeColumn<uint> column = new("numbers", 100_000, ledger))
        {
            Assert.Equal(0u, column[0]);
            Assert.Equal(0u, column[99_999]);
            column[99_999] = 7;
            Assert.Equal(7u, column.Span(99_990, 10)[9]);
            Assert.Equal(7u, column.View()[99_999]);
            Assert.Equal(7u, column.View(99_990, 10).Slice(9, 1)[0]);
            Assert.Equal(7u, column.View(99_990, 10).AsSpan()[9]);
            Assert.Equal(7u, column.View(99_990, 10).Span(9, 1)[0]);
            Assert.Equal(1, ledger.LiveRanges);
            Assert.Equal(column.ReservedBytes, ledger.ReservedBytes);
            Assert.Equal(0, column.ReservedBytes % 65536);
        }

        ledger.ThrowIfUnbalanced();
        Assert.Equal(1, ledger.TotalRanges);
    }

    [Fact]
    public void Columns_OfAnyLength_AreAlignedTo64Bytes()
    {
        NativeMemoryLedger ledger = new();
        for (int length = 1; length < 200; length += 7)
        {
            using NativeColumn<byte> bytes = new("bytes", length, ledger);
            using NativeColumn<ulong> words = new("words", length, ledger);
            Assert.Equal((nuint)0, (nuint)bytes.Pointer % NativeColumn<byte>.AlignmentBytes);
            Assert.Equal((nuint)0, (nuint)words.Pointer % NativeColumn<byte>.AlignmentBytes);
        }
    }

    [Fact]
    public void View_Layout_IsAnAddressAndALength() => Assert.Equal(16, sizeof(ColumnView<byte>));

    [Fact]
    public void Index_OutsideTheBounds_ThrowsNamingBoth()
    {
        NativeMemoryLedger ledger = new();
        using NativeColumn<uint> column = new("numbers", 10, ledger);
        Assert.Contains("Index 10", Assert.Throws<ArgumentOutOfRangeException>(() => column[10]).Message, StringComparison.Ordinal);
        Assert.Contains("length 10", Assert.Throws<ArgumentOutOfRangeException>(() => column[-1]).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => column.View(5, 5)[5]);
        Assert.Throws<ArgumentOutOfRangeException>(() => column.View(5, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => column.View(0, 5).Slice(3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => column.View(long.MaxValue, long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = column.Span(8, 3).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = column.Span(8, -1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => column.Release(9, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => column.AdviseHuge(9, 2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 46)]
    public void Reserve_ImpossibleLength_ThrowsAndOwnsNothing(long length)
    {
        NativeMemoryLedger ledger = new();
        ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => new NativeColumn<byte>("numbers", length, ledger));
        Assert.Contains(length.ToString(System.Globalization.CultureInfo.InvariantCulture), thrown.Message, StringComparison.Ordinal);
        ledger.ThrowIfUnbalanced();
        Assert.Equal(0, ledger.TotalRanges);
    }

    [Fact]
    public void Dispose_Twice_FreesOnceAndIsCounted()
    {
        NativeMemoryLedger ledger = new();
        NativeColumn<byte> column = new("bytes", 10, ledger);
        column.Dispose();
        ledger.ThrowIfUnbalanced();
        Assert.True(column.IsDisposed);
        column.Dispose();
        Assert.Equal(1, ledger.DoubleFrees);
        Assert.Equal(0, ledger.LiveRanges);
        Assert.Throws<InvalidOperationException>(ledger.ThrowIfUnbalanced);
    }

    [Fact]
    public void Dispose_FromManyThreads_FreesOnce()
    {
        NativeMemoryLedger ledger = new();
        for (int round = 0; round < 20; round++)
        {
            NativeColumn<byte> column = new("bytes", 10, ledger);
            Parallel.For(0, 8, _ => column.Dispose());
        }

        Assert.Equal(0, ledger.LiveRanges);
        Assert.Equal(0, ledger.ReservedBytes);
        Assert.Equal(20 * 7, ledger.DoubleFrees);
    }

    [Fact]
    public void Leak_IsFreedByTheFinalizerAndFailsTheBalance()
    {
        NativeMemoryLedger ledger = new();
        Leak(ledger);
        Assert.Throws<InvalidOperationException>(ledger.ThrowIfUnbalanced);
        for (int i = 0; i < 50 && ledger.Leaks == 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(1, ledger.Leaks);
        Assert.Equal(0, ledger.LiveRanges);
        Assert.Throws<InvalidOperationException>(ledger.ThrowIfUnbalanced);
    }

    [Fact]
    public void Use_AfterDispose_Throws()
    {
        NativeMemoryLedger ledger = new();
        NativeColumn<uint> column = new("frame numbers", 10, ledger);
        column.Dispose();
        ObjectDisposedException thrown = Assert.Throws<ObjectDisposedException>(() => column[0]);
        Assert.Contains("frame numbers", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => _ = column.Span(0, 1).Length);
        Assert.Throws<ObjectDisposedException>(() => column.View());
        Assert.Throws<ObjectDisposedException>(() => column.View(0, 1));
        Assert.Throws<ObjectDisposedException>(() => column.Release(0, 1));
        Assert.Throws<ObjectDisposedException>(() => column.AdviseHuge(0, 1));
        Assert.Throws<ObjectDisposedException>(() => column.MeasureResidentBytes());
    }

    [Fact]
    public void Release_AnyPart_ZeroesItAndNothingElse()
    {
        NativeMemoryLedger ledger = new();
        Random random = new(51);
        const int Length = 20_000;
        using NativeColumn<ushort> column = new("shorts", Length, ledger);
        for (int round = 0; round < 200; round++)
        {
            column.Span(0, Length).Fill(0xABCD);
            int start = random.Next(Length + 1);
            int count = random.Next(Length - start + 1);
            column.Release(start, count);
            Assert.Equal(-1, column.Span(0, start).IndexOfAnyExcept((ushort)0xABCD));
            Assert.Equal(-1, column.Span(start, count).IndexOfAnyExcept((ushort)0));
            Assert.Equal(-1, column.Span(start + count, Length - start - count).IndexOfAnyExcept((ushort)0xABCD));
        }
    }

    [SkippableFact]
    public void Column_OfATerabyteAddressSpace_CostsWhatIsTouched()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "resident bytes are only known on Linux");
        NativeMemoryLedger ledger = new();

        // 128 TiB of 4 KiB pages: the largest window there is.
        using NativeColumn<byte> classes = new("classes", 1L << 35, ledger);
        using NativeColumn<uint> numbers = new("numbers", 1L << 35, ledger);
        Assert.Equal(0, classes.View(0, 1L << 30).Length - (1L << 30));
        for (long at = 0; at < 1L << 35; at += 1L << 31)
        {
            numbers[at] = 1;
        }

        using NativeColumn<uint> small = new("small", 1L << 24, ledger);
        Assert.Equal(0, small.MeasureResidentBytes());
        small[5] = 1;
        small[1L << 23] = 1;
        long resident = small.MeasureResidentBytes();
        Assert.Equal(2 * Environment.SystemPageSize, resident);
        small.Release(0, small.Length);
        Assert.Equal(0, small.MeasureResidentBytes());
    }

    [Fact]
    public void AdviseHuge_AnyPart_ChangesNoValue()
    {
        NativeMemoryLedger ledger = new();
        using NativeColumn<byte> column = new("bytes", 16 << 20, ledger, HugePagePolicy.Prefer);
        column.Span(0, 16 << 20).Fill(3);
        column.AdviseHuge(5, (16 << 20) - 9);
        column.AdviseHuge(5, 1);
        Assert.Equal(-1, column.Span(0, 16 << 20).IndexOfAnyExcept((byte)3));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leak(NativeMemoryLedger ledger) => _ = new NativeColumn<byte>("leaked", 10, ledger);
}
