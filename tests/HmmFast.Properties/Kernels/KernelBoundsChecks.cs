using HmmFast.Kernels;

namespace HmmFast.Properties.Kernels;

/// <summary>
/// Every kernel keeps to its buffers: each call is made with all its buffers flush against an inaccessible page, once in front and once behind. A read or a
/// write outside ends the process, so a planted fault is caught by the child's death; what the calls answer is the check beside this one.
/// </summary>
public static class KernelBoundsChecks
{
    // Every size up to here, then some: each loop's head, blocks and tail end at every position.
    private const int EverySizeTo = (4 * 64) + 3;

    /// <summary>The named checks.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck("kernel-bounds", "every kernel at every width touches nothing in front of its buffers and nothing behind", 5 * 2 * 320, Hold),
    ];

    private static void Hold(CheckRun run)
    {
        var random = new Random(run.Seed);
        for (int i = 0; i < run.Count; i++)
        {
            // Widths and ends take turns fastest, so that a short run still sees each of them at most sizes.
            KernelSet kernels = KernelSet.All[i % KernelSet.All.Count];
            bool atEnd = i / KernelSet.All.Count % 2 == 0;
            int turn = i / (2 * KernelSet.All.Count);
            Touch(kernels, random, turn <= EverySizeTo ? turn : random.Next(EverySizeTo, 3000), atEnd);
        }
    }

    private static void Touch(KernelSet kernels, Random random, int size, bool atEnd)
    {
        // One class of two needs work in some cases, and holes, runs and single pages in others.
        byte[] codes = [Resolution.Valid, Resolution.Valid | Resolution.Write, Resolution.Nothing, random.Next(3) == 0 ? (byte)1 : Resolution.Error];
        ByteTable table = new(codes);
        RequestTables tables = new();
        foreach (ByteTable one in (ByteTable[])[tables.None, tables.Read, tables.Write, tables.NoneAllowed, tables.ReadAllowed, tables.WriteAllowed])
        {
            one.Set(codes);
        }

        using GuardedBuffer<byte> classes = new(size, atEnd);
        using GuardedBuffer<uint> pfns = new(size, atEnd);
        using GuardedBuffer<ulong> words = new(size, atEnd);
        int style = random.Next(3);
        for (int i = 0; i < size; i++)
        {
            classes.Span[i] = (byte)(style == 0 ? random.Next(codes.Length) : style == 1 ? i / 50 % 3 : 0);
            pfns.Span[i] = style == 0 ? (uint)random.Next() : (uint)i;
        }

        foreach (WordFormat format in (WordFormat[])[WordFormat.Plain, new(7UL << 58, 0), new(7UL << 58, 40)])
        {
            kernels.Resolve(classes.Span, pfns.Span, table, format, words.Span);
            kernels.ResolvePerPage(classes.Span, pfns.Span, tables, new PageRequest(3UL << 62, 0, 0), format, words.Span);
            kernels.ResolvePerPage(classes.Span, pfns.Span, tables, new PageRequest(1UL << 63, 1UL << 56, 56), format, words.Span);
        }

        TouchExtents(kernels, random, classes, pfns, table, atEnd);
        TouchScans(kernels, classes, pfns, words, table, atEnd);
        TouchFills(kernels, pfns, words, atEnd);
    }

    private static void TouchExtents(
        KernelSet kernels, Random random, GuardedBuffer<byte> classes, GuardedBuffer<uint> pfns, ByteTable table, bool atEnd)
    {
        int size = classes.Span.Length;
        foreach (int room in (int[])[size, random.Next(size + 1)])
        {
            using GuardedBuffer<uint> starts = new(room, atEnd);
            using GuardedBuffer<ulong> firsts = new(room, atEnd);
            kernels.Extents(classes.Span, pfns.Span, table, 0, starts.Span, firsts.Span);
            kernels.Extents(classes.Span, pfns.Span, table, 40, starts.Span, firsts.Span);
        }
    }

    private static void TouchScans(
        KernelSet kernels, GuardedBuffer<byte> classes, GuardedBuffer<uint> pfns, GuardedBuffer<ulong> words, ByteTable table, bool atEnd)
    {
        using GuardedBuffer<ulong> bitmap = new((classes.Span.Length + 63) / 64, atEnd);
        kernels.Classify(classes.Span, table, bitmap.Span);
        kernels.Classify(classes.Span, table, default);
        kernels.MarkMembers(classes.Span, table, Resolution.Valid, bitmap.Span);
        kernels.CountMembers(classes.Span, table, Resolution.Valid);
        foreach (byte bits in (byte[])[Resolution.Valid, Resolution.Error, 0])
        {
            kernels.FindMember(classes.Span, table, bits);
            kernels.FindNonMember(classes.Span, table, bits);
        }

        kernels.EqualRun(classes.Span);
        kernels.CountingRun(pfns.Span);
        foreach (ulong step in (ulong[])[0, 1])
        {
            kernels.FillWords(words.Span, 5, step);
            kernels.CountingRun(words.Span, step);
        }
    }

    private static void TouchFills(KernelSet kernels, GuardedBuffer<uint> numbers, GuardedBuffer<ulong> words, bool atEnd)
    {
        int size = numbers.Span.Length;
        using GuardedBuffer<ushort> shorts = new(size, atEnd);
        using GuardedBuffer<byte> from = new(size, atEnd);
        using GuardedBuffer<byte> to = new(size, atEnd);
        ByteTable same = new([0]);
        kernels.Map(from.Span, same, to.Span);
        kernels.Map(from.Span, same, from.Span);
        kernels.FillWords(words.Span, 5, 1, keepMask: 7UL << 61);
        kernels.CountUp(numbers.Span, 1);
        kernels.EqualRun(to.Span);
        kernels.CountingRun(numbers.Span);
        kernels.Add(numbers.Span, 3);
        kernels.Add(shorts.Span, 3);
    }
}
