using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>Which words a loop may take: those with the wanted bits whose frame number lies in one run of frames.</summary>
/// <param name="TestMask">Bits looked at, all of them above the frame number's.</param>
/// <param name="Wanted">Their values.</param>
/// <param name="PfnMask">Bits of the frame number.</param>
/// <param name="First">First frame.</param>
/// <param name="Count">Frames in the run.</param>
internal readonly record struct WordFilter(ulong TestMask, ulong Wanted, ulong PfnMask, ulong First, ulong Count)
{
    /// <summary>
    /// What is left of a word when only these bits are kept is below <see cref="Length"/> from <see cref="Base"/> on exactly for the words taken: other bits than the
    /// wanted ones are further away than any frame number, on either side.
    /// </summary>
    public ulong Keep => TestMask | PfnMask;

    /// <summary>The smallest of the words taken, without the other bits.</summary>
    public ulong Base => Wanted | First;

    /// <summary>Frames in the run that a word can name.</summary>
    public ulong Length => Math.Min(Count, PfnMask + 1 - First);

    /// <summary>True for a word that the loop may take.</summary>
    public bool Takes(ulong word) => (word & Keep) - Base < Length;
}

/// <summary>What becomes of a word that a loop takes, and the address beside it.</summary>
/// <param name="Clear">Bits cleared.</param>
/// <param name="Set">Bits set.</param>
/// <param name="Base">With <paramref name="FromPfn"/>: added to pfn * 4096, wrapping; else the first word's address.</param>
/// <param name="FromPfn">True: the address comes from the frame number; false: from the word's place, 4096 bytes a word.</param>
internal readonly record struct WordEffect(ulong Clear, ulong Set, ulong Base, bool FromPfn);

/// <summary>Loops over result words at one vector width. The caller guarantees that both arrays hold the indices it names.</summary>
internal abstract unsafe class WordRuns
{
    /// <summary>Every width this machine runs, best first; the scalar one is last.</summary>
    public static IReadOnlyList<WordRuns> All { get; } = MakeAll();

    /// <summary>The best of them.</summary>
    public static WordRuns Best => All[0];

    /// <summary>The width's name.</summary>
    public abstract string Name { get; }

    /// <summary>Bits of a vector; 64 for the scalar loops.</summary>
    public abstract int WidthBits { get; }

    /// <summary>The widest loops that are no wider than asked.</summary>
    public static WordRuns OfWidth(int widthBits)
    {
        foreach (WordRuns runs in All)
        {
            if (runs.WidthBits <= widthBits)
            {
                return runs;
            }
        }

        return All[^1];
    }

    /// <summary>Index of the first word from <paramref name="from"/> on that has the wanted bits and a frame outside the run; <paramref name="end"/> when there is none.</summary>
    public abstract nint FindOutside(ulong* words, nint from, nint end, in WordFilter filter);

    /// <summary>Index of the first word from <paramref name="from"/> on that the filter takes; <paramref name="end"/> when there is none.</summary>
    public abstract nint FindInside(ulong* words, nint from, nint end, in WordFilter filter);

    /// <summary>Applies the effect to words from <paramref name="from"/> on, as long as the filter takes them.</summary>
    /// <param name="words">Words; changed.</param>
    /// <param name="addresses">Receives the addresses, at the words' indices.</param>
    /// <param name="from">First index.</param>
    /// <param name="end">Index after the last.</param>
    /// <param name="filter">Which are taken.</param>
    /// <param name="effect">What becomes of them.</param>
    /// <param name="streaming">True to store addresses past the cache.</param>
    /// <returns>Index of the first word not taken.</returns>
    public abstract nint Map(ulong* words, ulong* addresses, nint from, nint end, in WordFilter filter, in WordEffect effect, bool streaming);

    /// <summary>Clears bits of every word that has all of the wanted bits.</summary>
    /// <returns>Words that had them.</returns>
    public abstract nint ClearWhere(ulong* words, nint end, ulong wanted, ulong clear);

    private static List<WordRuns> MakeAll()
    {
        List<WordRuns> all = [];
        if (WordLanes512.IsSupported)
        {
            all.Add(new WordRuns<WordLanes512, System.Runtime.Intrinsics.Vector512<ulong>>());
        }

        if (WordLanes256.IsSupported)
        {
            all.Add(new WordRuns<WordLanes256, System.Runtime.Intrinsics.Vector256<ulong>>());
        }

        if (WordLanes128.IsSupported)
        {
            all.Add(new WordRuns<WordLanes128, System.Runtime.Intrinsics.Vector128<ulong>>());
        }

        all.Add(new WordRuns<WordLanesScalar, ulong>());
        return all;
    }
}

/// <summary>The loops, once for every width.</summary>
internal sealed unsafe class WordRuns<TLanes, TVector> : WordRuns
    where TLanes : struct, IWordLanes<TVector>
    where TVector : struct
{
    public override string Name => TLanes.Name;

    public override int WidthBits => TLanes.Count * 64;

    public override nint FindOutside(ulong* words, nint from, nint end, in WordFilter filter)
    {
        TVector keep = TLanes.Create(filter.Keep);
        TVector first = TLanes.Create(filter.Base);
        TVector length = TLanes.Create(filter.Length);
        nint i = from;
        while (i < end)
        {
            for (; i <= end - TLanes.Count && TLanes.AllBelow(TLanes.Subtract(TLanes.And(TLanes.Load(words + i), keep), first), length); i += TLanes.Count)
            {
            }

            // The words of the vector that stopped: those without the wanted bits are passed over too.
            nint stop = Math.Min(end, i + TLanes.Count);
            for (; i < stop; i++)
            {
                if ((words[i] & filter.TestMask) == filter.Wanted && !filter.Takes(words[i]))
                {
                    return i;
                }
            }
        }

        return end;
    }

    public override nint FindInside(ulong* words, nint from, nint end, in WordFilter filter)
    {
        TVector keep = TLanes.Create(filter.Keep);
        TVector first = TLanes.Create(filter.Base);
        TVector length = TLanes.Create(filter.Length);
        nint i = from;
        for (; i <= end - TLanes.Count && !TLanes.AnyBelow(TLanes.Subtract(TLanes.And(TLanes.Load(words + i), keep), first), length); i += TLanes.Count)
        {
        }

        while (i < end && !filter.Takes(words[i]))
        {
            i++;
        }

        return i;
    }

    public override nint Map(ulong* words, ulong* addresses, nint from, nint end, in WordFilter filter, in WordEffect effect, bool streaming)
    {
        nint i = from;
        if (streaming)
        {
            nuint alignment = (nuint)(TLanes.Count * sizeof(ulong));
            while (i < end && ((nuint)(addresses + i) & (alignment - 1)) != 0 && MapOne(words, addresses, from, i, filter, effect))
            {
                i++;
            }

            streaming = ((nuint)(addresses + i) & (alignment - 1)) == 0;
        }

        i = (streaming, effect.FromPfn) switch
        {
            (false, false) => MapVectors(words, addresses, from, i, end, filter, effect, false, false),
            (false, true) => MapVectors(words, addresses, from, i, end, filter, effect, false, true),
            (true, false) => MapVectors(words, addresses, from, i, end, filter, effect, true, false),
            (true, true) => MapVectors(words, addresses, from, i, end, filter, effect, true, true),
        };
        while (i < end && MapOne(words, addresses, from, i, filter, effect))
        {
            i++;
        }

        return i;
    }

    public override nint ClearWhere(ulong* words, nint end, ulong wanted, ulong clear)
    {
        TVector want = TLanes.Create(wanted);
        TVector clearBits = TLanes.Create(clear);
        nint cleared = 0;
        nint i = 0;
        nint vectorEnd = end - TLanes.Count;
        for (; i <= vectorEnd; i += TLanes.Count)
        {
            TVector value = TLanes.Load(words + i);
            TVector hit = TLanes.Equal(TLanes.And(value, want), want);
            TLanes.Store(TLanes.AndNot(value, TLanes.And(hit, clearBits)), words + i);
            cleared += TLanes.CountSet(hit);
        }

        for (; i < end; i++)
        {
            if ((words[i] & wanted) == wanted)
            {
                words[i] &= ~clear;
                cleared++;
            }
        }

        return cleared;
    }

    // One loop for each pair of the two switches, which are constants where it is called.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint MapVectors(
        ulong* words, ulong* addresses, nint from, nint i, nint end, in WordFilter filter, in WordEffect effect, bool streaming, bool fromPfn)
    {
        TVector keep = TLanes.Create(filter.Keep);
        TVector first = TLanes.Create(filter.Base);
        TVector length = TLanes.Create(filter.Length);
        TVector pfnMask = TLanes.Create(filter.PfnMask);
        TVector clear = TLanes.Create(effect.Clear);
        TVector set = TLanes.Create(effect.Set);
        TVector address = fromPfn
            ? TLanes.Create(effect.Base)
            : TLanes.Sequence(effect.Base + ((ulong)(i - from) << 12), 1UL << 12);
        TVector step = TLanes.Create((ulong)TLanes.Count << 12);
        for (nint last = end - TLanes.Count; i <= last; i += TLanes.Count)
        {
            TVector value = TLanes.Load(words + i);
            if (!TLanes.AllBelow(TLanes.Subtract(TLanes.And(value, keep), first), length))
            {
                break;
            }

            TLanes.Store(TLanes.Or(TLanes.AndNot(value, clear), set), words + i);
            TVector result = fromPfn ? TLanes.Add(TLanes.ShiftLeft(TLanes.And(value, pfnMask), 12), address) : address;
            if (streaming)
            {
                TLanes.StoreStreaming(result, addresses + i);
            }
            else
            {
                TLanes.Store(result, addresses + i);
            }

            if (!fromPfn)
            {
                address = TLanes.Add(address, step);
            }
        }

        return i;
    }

    private static bool MapOne(ulong* words, ulong* addresses, nint from, nint i, in WordFilter filter, in WordEffect effect)
    {
        ulong word = words[i];
        ulong pfn = word & filter.PfnMask;
        if (!filter.Takes(word))
        {
            return false;
        }

        words[i] = (word & ~effect.Clear) | effect.Set;
        addresses[i] = effect.FromPfn ? (pfn << 12) + effect.Base : effect.Base + ((ulong)(i - from) << 12);
        return true;
    }
}
