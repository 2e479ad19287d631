namespace HmmFast.Topology;

/// <summary>
/// The answer for one pair of functions: map type and path length in 16 bits, so that a matrix of 10,000 devices is 200 MB.
/// </summary>
public readonly record struct P2PdmaAnswer
{
    /// <summary>The longest path that fits.</summary>
    public const int MaxHops = 0x3fff;

    /// <summary>Makes an answer.</summary>
    /// <param name="mapType">The map type.</param>
    /// <param name="hops">Hops of the path, 0 to 16,383.</param>
    /// <exception cref="ArgumentOutOfRangeException">The path is longer than fits, or the map type is not one.</exception>
    public P2PdmaAnswer(P2PdmaMapType mapType, int hops)
    {
        if ((uint)hops > MaxHops)
        {
            throw new ArgumentOutOfRangeException(nameof(hops), hops, $"a path has 0 to {MaxHops} hops, not {hops}");
        }

        if (mapType > P2PdmaMapType.NotSupported)
        {
            throw new ArgumentOutOfRangeException(nameof(mapType), mapType, $"a map type is 0 to {(int)P2PdmaMapType.NotSupported}, not {(int)mapType}");
        }

        Word = (ushort)((hops << 2) | (int)mapType);
    }

    private P2PdmaAnswer(ushort word) => Word = word;

    /// <summary>The packed form: map type in the low two bits, hops above.</summary>
    public ushort Word { get; }

    /// <summary>The map type.</summary>
    public P2PdmaMapType MapType => (P2PdmaMapType)(Word & 3);

    /// <summary>Hops of the path, whether it may be used or not.</summary>
    public int Hops => Word >> 2;

    /// <summary>What <c>pci_p2pdma_distance</c> returns: the hops, or -1 when no traffic is allowed.</summary>
    public int Distance => MapType == P2PdmaMapType.NotSupported ? -1 : Hops;

    /// <summary>Reads the packed form.</summary>
    /// <param name="word">The word.</param>
    /// <returns>The answer.</returns>
    public static P2PdmaAnswer FromWord(ushort word) => new(word);

    /// <summary>The answer as text, like <c>BusAddr 4</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{MapType} {Distance}";
}
