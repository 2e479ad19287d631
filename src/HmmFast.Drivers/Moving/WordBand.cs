using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace HmmFast.Drivers.Moving;

/// <summary>Words some of whose bits, taken as a number, lie in an interval: the valid words of a run of frames, or words with one state. Finds where runs of them end.</summary>
/// <param name="Keep">The bits looked at.</param>
/// <param name="First">The interval's first number.</param>
/// <param name="Count">Its length.</param>
public readonly record struct WordBand(ulong Keep, ulong First, ulong Count)
{
    /// <summary>The valid words that name one of a run of frames.</summary>
    /// <param name="layout">How words are laid out.</param>
    /// <param name="first">First frame.</param>
    /// <param name="count">Frames.</param>
    public static WordBand OfFrames(HmmPfnLayout layout, ulong first, ulong count)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new WordBand(layout.ValidBit | layout.PfnMask, layout.ValidBit | first, count);
    }

    /// <summary>True for a word of the band.</summary>
    /// <param name="word">The word.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(HmmPfn word) => (word.Raw & Keep) - First < Count;

    /// <summary>Index of the first word from one on that is not of the band; the length when there is none. One comparison a vector.</summary>
    /// <param name="words">The words.</param>
    /// <param name="from">Where to begin, 0 up to the length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The beginning lies outside.</exception>
    public int EndOfRun(ReadOnlySpan<HmmPfn> words, int from) => Find(MemoryMarshal.Cast<HmmPfn, ulong>(words[from..]), isWanted: false) + from;

    /// <summary>Index of the first word from one on that is of the band; the length when there is none. One comparison a vector.</summary>
    /// <param name="words">The words.</param>
    /// <param name="from">Where to begin, 0 up to the length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The beginning lies outside.</exception>
    public int StartOfRun(ReadOnlySpan<HmmPfn> words, int from) => Find(MemoryMarshal.Cast<HmmPfn, ulong>(words[from..]), isWanted: true) + from;

    /// <summary>The same for a migration's entries.</summary>
    /// <param name="entries">The entries.</param>
    /// <param name="from">Where to begin, 0 up to the length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The beginning lies outside.</exception>
    public int EndOfRun(ReadOnlySpan<MigratePfn> entries, int from) => Find(MemoryMarshal.Cast<MigratePfn, ulong>(entries[from..]), isWanted: false) + from;

    /// <summary>The same for a migration's entries.</summary>
    /// <param name="entries">The entries.</param>
    /// <param name="from">Where to begin, 0 up to the length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The beginning lies outside.</exception>
    public int StartOfRun(ReadOnlySpan<MigratePfn> entries, int from) => Find(MemoryMarshal.Cast<MigratePfn, ulong>(entries[from..]), isWanted: true) + from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(ReadOnlySpan<ulong> words, bool isWanted)
    {
        ref ulong raw = ref MemoryMarshal.GetReference(words);
        var keep = new Vector<ulong>(Keep);
        var first = new Vector<ulong>(First);
        var count = new Vector<ulong>(Count);
        int i = 0;
        for (; i <= words.Length - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            Vector<ulong> number = (Vector.LoadUnsafe(ref raw, (nuint)i) & keep) - first;
            if (isWanted ? Vector.LessThanAny(number, count) : !Vector.LessThanAll(number, count))
            {
                break;
            }
        }

        while (i < words.Length && Contains(new HmmPfn(words[i])) != isWanted)
        {
            i++;
        }

        return i;
    }
}
