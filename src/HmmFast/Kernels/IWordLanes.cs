namespace HmmFast.Kernels;

/// <summary>What one vector width can do with result words; loops over words are written once on top of it. Pointers need no alignment.</summary>
/// <typeparam name="TVector">A vector of <see cref="Count"/> words; comparisons give all ones or all zeros per lane.</typeparam>
internal unsafe interface IWordLanes<TVector>
    where TVector : struct
{
    /// <summary>The name of the width.</summary>
    static abstract string Name { get; }

    /// <summary>Words in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>The processor has it and the runtime was not told to leave it alone.</summary>
    static abstract bool IsSupported { get; }

    static abstract TVector Load(ulong* from);

    static abstract void Store(TVector value, ulong* to);

    /// <summary>Stores past the cache; <paramref name="to"/> is aligned to the vector.</summary>
    static abstract void StoreStreaming(TVector value, ulong* to);

    static abstract TVector Create(ulong value);

    /// <summary>start, start + step, start + 2 step, ...</summary>
    static abstract TVector Sequence(ulong start, ulong step);

    static abstract TVector And(TVector left, TVector right);

    static abstract TVector AndNot(TVector left, TVector right);

    static abstract TVector Or(TVector left, TVector right);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector ShiftLeft(TVector value, int bits);

    static abstract TVector Equal(TVector left, TVector right);

    /// <summary>Every lane of the left one is below the right one's, unsigned.</summary>
    static abstract bool AllBelow(TVector left, TVector right);

    /// <summary>Any lane is.</summary>
    static abstract bool AnyBelow(TVector left, TVector right);

    static abstract int CountSet(TVector lanes);
}
