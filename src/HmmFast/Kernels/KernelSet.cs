using HmmFast.Memory;

namespace HmmFast.Kernels;

/// <summary>
/// The vector loops at one width. Nothing here knows what a page is: there are class bytes, 32-bit numbers, 64-bit words and tables of 256 bytes.
/// All sets give equal results; they differ in speed. Instances hold nothing and may be used from any thread; no method allocates.
/// </summary>
/// <remarks>
/// <para>Every method checks the lengths of its spans before it writes. Source and destination must be different memory except where a method says otherwise.</para>
/// <para>Costs named at the methods are of the 512-bit set in the middle of the caches (64 Ki to 1 Mi pages) and past them (16 Mi) on one machine
/// (perf-results/amd-epyc-family-26-model-2); there hot-kernels.md has all widths and the instructions. Source: tables and columns only; what they mean is the engine's.</para>
/// </remarks>
public abstract class KernelSet
{
    /// <summary>The environment variable that forces a width by its name.</summary>
    public const string ForceVariable = "HMMFAST_LANES";

    private protected KernelSet()
    {
    }

    /// <summary>Every set this machine supports, best first; the last is scalar.</summary>
    public static IReadOnlyList<KernelSet> All { get; } = List();

    /// <summary>The set that <see cref="ForceVariable"/> names, or the first of <see cref="All"/>.</summary>
    /// <exception cref="TypeInitializationException">The variable names a set that this machine does not have.</exception>
    public static KernelSet Best { get; } = Choose(Environment.GetEnvironmentVariable(ForceVariable));

    /// <summary>The name to force this set with: 512, 512rows, 256, 128 or scalar.</summary>
    public abstract string Name { get; }

    /// <summary>Bits of a vector; 64 for scalar.</summary>
    public abstract int WidthBits { get; }

    /// <summary>Picks a set by name.</summary>
    /// <param name="name">A name out of <see cref="All"/>, or null or empty for the best.</param>
    /// <exception cref="ArgumentException">No supported set has this name; the message lists those that are there.</exception>
    public static KernelSet Choose(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return All[0];
        }

        foreach (KernelSet set in All)
        {
            if (set.Name == name)
            {
                return set;
            }
        }

        throw new ArgumentException($"No kernel set '{name}' on this machine; there are: {string.Join(", ", All.Select(set => set.Name))}.", nameof(name));
    }

    /// <summary>
    /// Answers pages in order until one needs work: word i becomes what the table says of class i, with pfn i where that is valid. Words from the
    /// returned page on keep their values. About one table look-up and 13 bytes of memory a page: 0.07 to 0.16 ns, 0.28 past the caches.
    /// </summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="pfns">A frame number a page; as many as classes.</param>
    /// <param name="table">Class to <see cref="Resolution"/>.</param>
    /// <param name="format">What else a word holds. Only <see cref="WordFormat.Plain"/> writes without reading.</param>
    /// <param name="words">The result; as many as classes.</param>
    /// <returns>The first page whose resolution has a work bit, or the number of pages.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or the format's kind shift is out of bounds.</exception>
    public abstract int Resolve(ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, ByteTable table, in WordFormat format, Span<ulong> words);

    /// <summary>As <see cref="Resolve"/>, but every page's table is chosen by the request in its word, which the result then replaces. Cost: 21 bytes of memory a page: 0.18 to 0.24 ns, 0.44 past the caches.</summary>
    /// <param name="classes">A class a page, each below every table's count.</param>
    /// <param name="pfns">A frame number a page; as many as classes.</param>
    /// <param name="tables">Class to <see cref="Resolution"/> for every form of request.</param>
    /// <param name="request">How a word becomes a request.</param>
    /// <param name="format">What else a word holds.</param>
    /// <param name="inOutWords">Requests in, results out; as many as classes.</param>
    /// <returns>The first page whose resolution has a work bit, or the number of pages.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or the format's kind shift or the request's bit is out of bounds.</exception>
    public abstract int ResolvePerPage(
        ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, RequestTables tables, in PageRequest request, in WordFormat format, Span<ulong> inOutWords);

    /// <summary>Answers pages given by position, in the order given, until one needs work. Cost: a line of each column a
    /// page, from anywhere; waiting for them is most of it.</summary>
    /// <param name="classes">The whole class column.</param>
    /// <param name="pfns">The whole frame number column; as long as the class column.</param>
    /// <param name="table">Class to <see cref="Resolution"/>.</param>
    /// <param name="format">What else a word holds.</param>
    /// <param name="positions">Positions in the columns, any order, repeats allowed.</param>
    /// <param name="words">Word i answers position i; as many as positions.</param>
    /// <returns>The first index in <paramref name="positions"/> whose page needs work, or their number.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A position is outside the columns; words before it have been written.</exception>
    public abstract int ResolveScattered(
        ColumnView<byte> classes, ColumnView<uint> pfns, ByteTable table, in WordFormat format, ReadOnlySpan<long> positions, Span<ulong> words);

    /// <summary>
    /// The answer as runs instead of words: a run's pages have equal resolutions and, where valid, frame numbers that count up. Stops as
    /// <see cref="Resolve"/> does at a page that needs work, and when the output is full. Cost: 5 bytes read a page, 12 written a run: 0.12 ns a page in runs of 64, 0.36 without runs; 0.18 and 0.52
    /// past the caches.
    /// </summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="pfns">A frame number a page; as many as classes.</param>
    /// <param name="table">Class to <see cref="Resolution"/>.</param>
    /// <param name="kindShift">As <see cref="WordFormat.KindShift"/>.</param>
    /// <param name="starts">First page of each run, counted from the start of the columns. A run ends where the next begins, the last at the returned page count.</param>
    /// <param name="words">The word of each run's first page; as many as starts.</param>
    /// <returns>Runs written and pages covered.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or the kind shift is out of bounds.</exception>
    public abstract ExtentCount Extents(
        ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, ByteTable table, int kindShift, Span<uint> starts, Span<ulong> words);

    /// <summary>Counts what a resolve would meet, without frame numbers, and marks the pages that need work. Cost: a byte read and a bit written a page: 0.01
    /// ns, 0.03 past the caches.</summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="table">Class to <see cref="Resolution"/>.</param>
    /// <param name="work">One bit a page, 64 to a word, bit set: has a work bit; bits past the last page are 0. Empty: not wanted.</param>
    /// <exception cref="ArgumentException">The bitmap is neither empty nor long enough.</exception>
    public abstract ClassCounts Classify(ReadOnlySpan<byte> classes, ByteTable table, Span<ulong> work);

    /// <summary>Marks the pages whose table entry has any of some bits. Cost: a byte read and a bit written a page.</summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="table">Class to a byte of set memberships.</param>
    /// <param name="bits">The sets meant.</param>
    /// <param name="members">One bit a page, 64 to a word; bits past the last page are 0.</param>
    /// <returns>How many pages are marked.</returns>
    /// <exception cref="ArgumentException">The bitmap is too short.</exception>
    public abstract long MarkMembers(ReadOnlySpan<byte> classes, ByteTable table, byte bits, Span<ulong> members);

    /// <summary>How many pages' table entries have any of some bits. Cost: a byte read a page.</summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="table">Class to a byte of set memberships.</param>
    /// <param name="bits">The sets meant.</param>
    public abstract long CountMembers(ReadOnlySpan<byte> classes, ByteTable table, byte bits);

    /// <summary>The first page whose table entry has any of some bits, or the number of pages. Cost: a byte read a page up to there.</summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="table">Class to a byte of set memberships.</param>
    /// <param name="bits">The sets meant.</param>
    public abstract int FindMember(ReadOnlySpan<byte> classes, ByteTable table, byte bits);

    /// <summary>The first page whose table entry has none of some bits, or the number of pages. Cost: a byte read a page up to there.</summary>
    /// <param name="classes">A class a page, each below the table's count.</param>
    /// <param name="table">Class to a byte of set memberships.</param>
    /// <param name="bits">The sets meant.</param>
    public abstract int FindNonMember(ReadOnlySpan<byte> classes, ByteTable table, byte bits);

    /// <summary>How many bytes at the front equal the first one; 0 for an empty span. Cost: a byte read for each.</summary>
    /// <param name="values">Any bytes.</param>
    public abstract int EqualRun(ReadOnlySpan<byte> values);

    /// <summary>How many values at the front count up by one from the first; 0 for an empty span. Cost: 4 bytes read for each.</summary>
    /// <param name="values">Any values; the largest is followed by 0.</param>
    public abstract int CountingRun(ReadOnlySpan<uint> values);

    /// <summary>How many words from the first on count up by a step, wrapping: with step 0 those equal to the first.</summary>
    /// <param name="words">The words.</param>
    /// <param name="step">What each is more than the one before.</param>
    /// <returns>At least 1, or 0 for no words.</returns>
    public abstract int CountingRun(ReadOnlySpan<ulong> words, ulong step);

    /// <summary>destination[i] = table[source[i]]. The two spans may be the same memory, but not overlap otherwise.
    /// Cost: a byte read and written a page: 0.02 ns, 0.05 past the caches.</summary>
    /// <param name="source">Bytes below the table's count.</param>
    /// <param name="table">Byte to byte.</param>
    /// <param name="destination">As long as the source.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public abstract void Map(ReadOnlySpan<byte> source, ByteTable table, Span<byte> destination);

    /// <summary>values[i] = first + i, wrapping at 2^32. Cost: 4 bytes written for each.</summary>
    /// <param name="values">What is filled.</param>
    /// <param name="first">The first value.</param>
    public abstract void CountUp(Span<uint> values, uint first);

    /// <summary>words[i] = first + i * step, or with a keep mask that or'ed with the old word's kept bits. Step 0 fills (holes, errors), step 1 answers a huge entry.
    /// Cost: 8 bytes written a page, read too with a keep mask: 0.09 ns, 0.20 past the caches.</summary>
    /// <param name="words">What is filled.</param>
    /// <param name="first">The first word.</param>
    /// <param name="step">What is added from word to word.</param>
    /// <param name="keepMask">Bits of the old words that survive; 0 writes without reading.</param>
    public abstract void FillWords(Span<ulong> words, ulong first, ulong step, ulong keepMask = 0);

    /// <summary>values[i] += delta, wrapping.</summary>
    /// <param name="values">What is added to.</param>
    /// <param name="delta">What is added; <c>unchecked((uint)-1)</c> takes one away.</param>
    public abstract void Add(Span<uint> values, uint delta);

    /// <summary>values[i] += delta, wrapping.</summary>
    /// <param name="values">What is added to.</param>
    /// <param name="delta">What is added; <c>unchecked((ushort)-1)</c> takes one away.</param>
    public abstract void Add(Span<ushort> values, ushort delta);

    /// <summary>
    /// Orders what parts of a result wrote past the caches before everything that this thread does after; see <see cref="WordFormat.ResultWords"/>. Nothing to do, and
    /// nothing done, for results that are not large.
    /// </summary>
    /// <param name="resultWords">Words of the whole result.</param>
    public static void Publish(long resultWords)
    {
        if (resultWords >= Streaming.ThresholdWords)
        {
            Streaming.Fence();
        }
    }

    private static KernelSet[] List()
    {
        List<KernelSet> sets = [];
        Include<Lanes512>(sets);
        Include<Lanes512Rows>(sets);
        Include<Lanes256>(sets);
        Include<Lanes128>(sets);
        Include<LanesScalar>(sets);
        return [.. sets];
    }

    private static void Include<TLanes>(List<KernelSet> sets)
        where TLanes : struct, ILanes<TLanes>
    {
        if (TLanes.IsSupported)
        {
            sets.Add(new KernelSetOf<TLanes>());
        }
    }
}
