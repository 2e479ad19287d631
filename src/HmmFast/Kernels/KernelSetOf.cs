using HmmFast.Memory;

namespace HmmFast.Kernels;

/// <summary>Checks spans, pins them and hands them to the loops of one width.</summary>
/// <typeparam name="TLanes">The width.</typeparam>
internal sealed unsafe class KernelSetOf<TLanes> : KernelSet
    where TLanes : struct, ILanes<TLanes>
{
    public override string Name => TLanes.Name;

    public override int WidthBits => TLanes.WidthBits;

    public override int Resolve(ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, ByteTable table, in WordFormat format, Span<ulong> words)
    {
        KernelThrow.IfLengthsDiffer(nameof(pfns), pfns.Length, classes.Length);
        KernelThrow.IfLengthsDiffer(nameof(words), words.Length, classes.Length);
        KernelThrow.CheckFormat(format);
        fixed (byte* c = classes)
        fixed (uint* p = pfns)
        fixed (ulong* w = words)
        {
            return format.IsPlain
                ? ResolveLoops<TLanes>.Plain(c, p, w, classes.Length, table, format.ResultWords)
                : ResolveLoops<TLanes>.Formatted(c, p, w, classes.Length, table, format);
        }
    }

    public override int ResolvePerPage(
        ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, RequestTables tables, in PageRequest request, in WordFormat format, Span<ulong> inOutWords)
    {
        KernelThrow.IfLengthsDiffer(nameof(pfns), pfns.Length, classes.Length);
        KernelThrow.IfLengthsDiffer(nameof(inOutWords), inOutWords.Length, classes.Length);
        KernelThrow.CheckFormat(format);
        KernelThrow.CheckRequest(request);
        fixed (byte* c = classes)
        fixed (uint* p = pfns)
        fixed (ulong* w = inOutWords)
        {
            return PerPageLoops<TLanes>.Run(c, p, w, classes.Length, tables, request, format);
        }
    }

    public override int ResolveScattered(
        ColumnView<byte> classes, ColumnView<uint> pfns, ByteTable table, in WordFormat format, ReadOnlySpan<long> positions, Span<ulong> words)
    {
        if (pfns.Length != classes.Length)
        {
            throw new ArgumentException($"{nameof(pfns)} has {pfns.Length} elements, expected {classes.Length}.", nameof(pfns));
        }

        KernelThrow.IfLengthsDiffer(nameof(words), words.Length, positions.Length);
        KernelThrow.CheckFormat(format);
        return Scattered.Resolve(classes, pfns, table, format, positions, words);
    }

    public override ExtentCount Extents(
        ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, ByteTable table, int kindShift, Span<uint> starts, Span<ulong> words)
    {
        KernelThrow.IfLengthsDiffer(nameof(pfns), pfns.Length, classes.Length);
        KernelThrow.IfLengthsDiffer(nameof(words), words.Length, starts.Length);
        KernelThrow.CheckFormat(new WordFormat(0, kindShift));
        fixed (byte* c = classes)
        fixed (uint* p = pfns)
        fixed (uint* s = starts)
        fixed (ulong* w = words)
        {
            return ExtentLoops<TLanes>.Run(c, p, classes.Length, table, kindShift, s, w, starts.Length);
        }
    }

    public override ClassCounts Classify(ReadOnlySpan<byte> classes, ByteTable table, Span<ulong> work)
    {
        if (!work.IsEmpty)
        {
            KernelThrow.IfShorter(nameof(work), work.Length, (classes.Length + 63) >> 6);
        }

        fixed (byte* c = classes)
        fixed (ulong* m = work)
        {
            return ScanLoops<TLanes>.Classify(c, classes.Length, table, m);
        }
    }

    public override long MarkMembers(ReadOnlySpan<byte> classes, ByteTable table, byte bits, Span<ulong> members)
    {
        KernelThrow.IfShorter(nameof(members), members.Length, (classes.Length + 63) >> 6);
        fixed (byte* c = classes)
        fixed (ulong* m = members)
        {
            return ScanLoops<TLanes>.Mark(c, classes.Length, table, bits, m);
        }
    }

    public override long CountMembers(ReadOnlySpan<byte> classes, ByteTable table, byte bits)
    {
        fixed (byte* c = classes)
        {
            return ScanLoops<TLanes>.Mark(c, classes.Length, table, bits, null);
        }
    }

    public override int FindMember(ReadOnlySpan<byte> classes, ByteTable table, byte bits)
    {
        fixed (byte* c = classes)
        {
            return ScanLoops<TLanes>.Find(c, classes.Length, table, bits, 0);
        }
    }

    public override int FindNonMember(ReadOnlySpan<byte> classes, ByteTable table, byte bits)
    {
        fixed (byte* c = classes)
        {
            return ScanLoops<TLanes>.Find(c, classes.Length, table, bits, ulong.MaxValue);
        }
    }

    public override int EqualRun(ReadOnlySpan<byte> values)
    {
        fixed (byte* v = values)
        {
            return ScanLoops<TLanes>.EqualRun(v, values.Length);
        }
    }

    public override int CountingRun(ReadOnlySpan<uint> values)
    {
        fixed (uint* v = values)
        {
            return ScanLoops<TLanes>.CountingRun(v, values.Length);
        }
    }

    public override int CountingRun(ReadOnlySpan<ulong> words, ulong step)
    {
        fixed (ulong* w = words)
        {
            return ScanLoops<TLanes>.CountingRun(w, words.Length, step);
        }
    }

    public override void Map(ReadOnlySpan<byte> source, ByteTable table, Span<byte> destination)
    {
        KernelThrow.IfLengthsDiffer(nameof(destination), destination.Length, source.Length);
        fixed (byte* s = source)
        fixed (byte* d = destination)
        {
            FillLoops<TLanes>.Map(s, d, source.Length, table);
        }
    }

    public override void CountUp(Span<uint> values, uint first)
    {
        fixed (uint* v = values)
        {
            FillLoops<TLanes>.CountUp(v, values.Length, first);
        }
    }

    public override void FillWords(Span<ulong> words, ulong first, ulong step, ulong keepMask = 0)
    {
        fixed (ulong* w = words)
        {
            FillLoops<TLanes>.FillWords(w, words.Length, first, step, keepMask);
        }
    }

    public override void Add(Span<uint> values, uint delta)
    {
        fixed (uint* v = values)
        {
            FillLoops<TLanes>.Add(v, values.Length, delta);
        }
    }

    public override void Add(Span<ushort> values, ushort delta)
    {
        fixed (ushort* v = values)
        {
            FillLoops<TLanes>.Add(v, values.Length, delta);
        }
    }
}
