using System.Numerics;

namespace HmmFast.Kernels;

/// <summary>
/// What one vector width can do with a block of 64 pages (one mask word). The loops over whole columns are written once on top of it and take the width as a
/// type parameter, so that every width can be tested in one process. An instance holds a loaded table.
/// </summary>
/// <remarks>
/// Bounds: every method touches exactly the 64 elements (65 where said) behind each pointer; the loops guarantee them. Alignment is
/// asked for only with the non-temporal store: words on a 64-byte border.
/// </remarks>
/// <typeparam name="TSelf">The implementing struct.</typeparam>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>The name to force this width with.</summary>
    static abstract string Name { get; }

    /// <summary>Bits of a vector; 64 for the scalar path.</summary>
    static abstract int WidthBits { get; }

    /// <summary>The processor has it and the runtime was not told to leave it alone.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>Loads a table for <see cref="Lookup64"/>.</summary>
    static abstract TSelf Load(byte* entries, int rowCount);

    /// <summary>codes[i] = table[classes[i]]; the two may be the same memory.</summary>
    void Lookup64(byte* classes, byte* codes);

    /// <summary>Bit i: (codes[i] &amp; bits) != 0.</summary>
    static abstract ulong Test64(byte* codes, byte bits);

    /// <summary>Bit i: bytes[i] == value.</summary>
    static abstract ulong Equal64(byte* bytes, byte value);

    /// <summary>Bit i: a[i] == b[i].</summary>
    static abstract ulong Same64(byte* a, byte* b);

    /// <summary>Bit i: pfns[i] + 1 == pfns[i + 1]. Reads 65 values.</summary>
    static abstract ulong ContiguousWithNext64(uint* pfns);

    /// <summary>True when words[i] + step == words[i + 1] for all of them. Reads 65 values.</summary>
    static abstract bool Steps64(ulong* words, ulong step);

    /// <summary>words[i] = codes[i] in the top byte | (codes[i] is valid ? pfns[i] : 0). Codes have no kind and no work bits.</summary>
    static abstract void Expand64<TStore>(byte* codes, uint* pfns, ulong* words)
        where TStore : struct, IStore;

    /// <summary>As <see cref="Expand64"/> with old bits kept: words[i] = ... | (words[i] &amp; keepMask).</summary>
    static abstract void ExpandKeep64(byte* codes, uint* pfns, ulong* words, ulong keepMask);

    /// <summary>As <see cref="Expand64"/> with old bits kept and kind bits placed: the general, slower form.</summary>
    static abstract void ExpandFormat64(byte* codes, uint* pfns, ulong* words, ulong keepMask, int kindShift);

    /// <summary>requests[i] = low byte of (((words[i] &amp; mask) | defaults) >> shift).</summary>
    static abstract void RequestBytes64(ulong* words, ulong mask, ulong defaults, int shift, byte* requests);

    /// <summary>codes[i] = bit 7 of requests[i] clear: none[i]; else bit 6 clear: read[i], set: write[i].</summary>
    static abstract void Select64(byte* requests, byte* none, byte* read, byte* write, byte* codes);

    /// <summary>codes[i] = bit 7 of selectors[i] ? set[i] : clear[i].</summary>
    static abstract void Blend64(byte* selectors, byte* clear, byte* set, byte* codes);

    /// <summary>pfns[i] = first + i, for a count that is a multiple of 64.</summary>
    static abstract void Iota(uint* pfns, nint count, uint first);

    /// <summary>words[i] = first + i * step, for a count that is a multiple of 64.</summary>
    static abstract void Words<TStore>(ulong* words, nint count, ulong first, ulong step)
        where TStore : struct, IStore;

    /// <summary>words[i] = (words[i] &amp; keepMask) | (first + i * step).</summary>
    static abstract void WordsKeeping64(ulong* words, ulong first, ulong step, ulong keepMask);

    /// <summary>values[i] += delta, wrapping.</summary>
    static abstract void Add64<T>(T* values, T delta)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>
    /// Looks a block up and, if no code has a work bit, writes its words as <see cref="Expand64"/> does and says so; otherwise writes nothing.
    /// The scratch has 64 bytes.
    /// </summary>
    bool Resolve64<TStore>(byte* classes, uint* pfns, ulong* words, byte* scratch)
        where TStore : struct, IStore;

    /// <summary>
    /// Full blocks of a whole column (count is a multiple of 64): adds up how many entries of the counting table have each bit, but bits 3, 4 and 7, and writes
    /// bit 7 of each page to the bitmap unless that is null.
    /// </summary>
    static abstract void ClassifyBlocks(byte* classes, nint count, ByteTable table, ulong* bitmap, long* bits);

    /// <summary>
    /// Up to 64 pages as <see cref="Resolve64"/> answers them, up to the first that needs work; returns the pages done. Touches the count behind each pointer and no more.
    /// </summary>
    static abstract int ResolveSome(byte* classes, uint* pfns, ulong* words, int count, ByteTable table);

    /// <summary>As <see cref="Resolve64"/> with kind bits placed.</summary>
    bool ResolveKind64<TStore>(byte* classes, uint* pfns, ulong* words, int kindShift, byte* scratch)
        where TStore : struct, IStore;

    /// <summary>As <see cref="Resolve64"/> with old bits kept.</summary>
    bool ResolveKeep64(byte* classes, uint* pfns, ulong* words, ulong keepMask, byte* scratch);

    /// <summary>
    /// Full blocks (count is a multiple of 64): adds every page that begins a run to the stage, its index counted from first: its code differs from the one before,
    /// or it is valid and its number does not follow the one before. Ends in front of a block with a page that needs work, and when the stage holds the
    /// limit. Reads element -1 of both columns, which has been seen not to need work. Returns the pages done.
    /// </summary>
    static abstract int RunBlocks(byte* classes, uint* pfns, uint first, int count, ByteTable table, ref RunStage stage, int limit);
}
