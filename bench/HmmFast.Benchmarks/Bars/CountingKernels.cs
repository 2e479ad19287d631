using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Kernels that pass everything on and count the calls that go over a column.</summary>
internal sealed class CountingKernels(KernelSet inner) : KernelSet
{
    /// <summary>Calls so far.</summary>
    public ulong Calls { get; private set; }

    public override string Name => inner.Name;

    public override int WidthBits => inner.WidthBits;

    private KernelSet Counted
    {
        get
        {
            Calls++;
            return inner;
        }
    }

    public override int Resolve(ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, ByteTable table, in WordFormat format, Span<ulong> words) =>
        Counted.Resolve(classes, pfns, table, format, words);

    public override int ResolvePerPage(
        ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, RequestTables tables, in PageRequest request, in WordFormat format, Span<ulong> inOutWords) =>
        Counted.ResolvePerPage(classes, pfns, tables, request, format, inOutWords);

    public override int ResolveScattered(
        ColumnView<byte> classes, ColumnView<uint> pfns, ByteTable table, in WordFormat format, ReadOnlySpan<long> positions, Span<ulong> words) =>
        Counted.ResolveScattered(classes, pfns, table, format, positions, words);

    public override ExtentCount Extents(
        ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, ByteTable table, int kindShift, Span<uint> starts, Span<ulong> words) =>
        Counted.Extents(classes, pfns, table, kindShift, starts, words);

    public override ClassCounts Classify(ReadOnlySpan<byte> classes, ByteTable table, Span<ulong> work) => Counted.Classify(classes, table, work);

    public override long MarkMembers(ReadOnlySpan<byte> classes, ByteTable table, byte bits, Span<ulong> members) =>
        Counted.MarkMembers(classes, table, bits, members);

    public override long CountMembers(ReadOnlySpan<byte> classes, ByteTable table, byte bits) => Counted.CountMembers(classes, table, bits);

    public override int FindMember(ReadOnlySpan<byte> classes, ByteTable table, byte bits) => Counted.FindMember(classes, table, bits);

    public override int FindNonMember(ReadOnlySpan<byte> classes, ByteTable table, byte bits) => Counted.FindNonMember(classes, table, bits);

    public override int EqualRun(ReadOnlySpan<byte> values) => Counted.EqualRun(values);

    public override int CountingRun(ReadOnlySpan<uint> values) => Counted.CountingRun(values);

    public override int CountingRun(ReadOnlySpan<ulong> words, ulong step) => Counted.CountingRun(words, step);

    public override void Map(ReadOnlySpan<byte> source, ByteTable table, Span<byte> destination) => Counted.Map(source, table, destination);

    public override void CountUp(Span<uint> values, uint first) => Counted.CountUp(values, first);

    public override void FillWords(Span<ulong> words, ulong first, ulong step, ulong keepMask = 0) => Counted.FillWords(words, first, step, keepMask);

    public override void Add(Span<uint> values, uint delta) => Counted.Add(values, delta);

    public override void Add(Span<ushort> values, ushort delta) => Counted.Add(values, delta);
}
