using System.Globalization;

namespace HmmFast;

/// <summary>A PCI bus: domain (segment) and bus number, written <c>dddd:bb</c> in hexadecimal.</summary>
/// <param name="Domain">The domain (segment), any 32-bit value.</param>
/// <param name="Bus">The bus number, 0 to 255.</param>
public readonly record struct PciBus(uint Domain, byte Bus) : IComparable<PciBus>
{
    /// <summary>The bus that a function sits on.</summary>
    /// <param name="address">The function's address.</param>
    public static PciBus Of(PciAddress address) => new(address.Domain, address.Bus);

    /// <inheritdoc/>
    public int CompareTo(PciBus other) => Domain != other.Domain ? Domain.CompareTo(other.Domain) : Bus.CompareTo(other.Bus);

    /// <summary>Whether the left bus comes first.</summary>
    public static bool operator <(PciBus left, PciBus right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left bus comes last.</summary>
    public static bool operator >(PciBus left, PciBus right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left bus does not come last.</summary>
    public static bool operator <=(PciBus left, PciBus right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left bus does not come first.</summary>
    public static bool operator >=(PciBus left, PciBus right) => left.CompareTo(right) >= 0;

    /// <summary>The kernel's way to write it: <c>0000:3b</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Domain:x4}:{Bus:x2}");
}
