namespace HmmFast.Topology;

/// <summary>All ordered pairs of a machine, two bytes a pair, in the functions' order.</summary>
public sealed class P2PdmaMatrix
{
    /// <summary>The most functions whose matrix is made (2 GiB); beyond it, ask row by row.</summary>
    public const int MaxFunctions = 32_768;

    private readonly P2PdmaAnswer[] _answers;

    private P2PdmaMatrix(P2PdmaDistance distance, P2PdmaAnswer[] answers)
    {
        Distance = distance;
        _answers = answers;
    }

    /// <summary>The rule and the machine that the matrix is of.</summary>
    public P2PdmaDistance Distance { get; }

    /// <summary>Rows and columns.</summary>
    public int Count => Distance.Topology.Count;

    /// <summary>The answer for one ordered pair.</summary>
    /// <param name="provider">Index of the function whose memory it is.</param>
    /// <param name="client">Index of the client.</param>
    public P2PdmaAnswer this[int provider, int client] => Row(provider)[client];

    /// <summary>Answers all pairs. Cost: a few nanoseconds a hundred pairs, and two bytes a pair.</summary>
    /// <param name="distance">The rule and the machine.</param>
    /// <returns>The matrix.</returns>
    /// <exception cref="ArgumentException">The machine has more than <see cref="MaxFunctions"/> functions.</exception>
    public static P2PdmaMatrix Compute(P2PdmaDistance distance)
    {
        ArgumentNullException.ThrowIfNull(distance);
        int count = distance.Topology.Count;
        if (count > MaxFunctions)
        {
            throw new ArgumentException(
                $"a matrix is made for at most {MaxFunctions} functions, and the machine has {count}; ask row by row", nameof(distance));
        }

        var answers = GC.AllocateUninitializedArray<P2PdmaAnswer>(checked(count * count));
        for (int provider = 0; provider < count; provider++)
        {
            distance.FillRow(provider, answers.AsSpan(provider * count, count));
        }

        return new P2PdmaMatrix(distance, answers);
    }

    /// <summary>One provider's answers for every client.</summary>
    /// <param name="provider">Index of the function whose memory it is.</param>
    /// <returns>The answers, in the functions' order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The index is not a function's.</exception>
    public ReadOnlySpan<P2PdmaAnswer> Row(int provider)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(provider);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(provider, Count);
        return _answers.AsSpan(provider * Count, Count);
    }
}
