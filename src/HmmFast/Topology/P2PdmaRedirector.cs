namespace HmmFast.Topology;

/// <summary>A function on a path whose ACS sends peer traffic up.</summary>
/// <param name="Index">The function's index.</param>
/// <param name="Address">Its address.</param>
/// <param name="Bits">The bits that do it: RR, CR, EC.</param>
public readonly record struct P2PdmaRedirector(int Index, PciAddress Address, AcsControl Bits)
{
    /// <summary>The function and its bits: <c>0000:17:01.0 (RR+CR)</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{Address} ({AcsState.BitNames(Bits)})";
}
