using System.Globalization;

namespace HmmFast.Topology;

/// <summary>A PCI bus: domain and bus number, as in <c>0000:40</c>. A root bus is named by it.</summary>
/// <param name="Domain">PCI domain (segment), 32 bits.</param>
/// <param name="Bus">Bus number.</param>
public readonly record struct PciBusAddress(uint Domain, byte Bus) : IComparable<PciBusAddress>
{
    /// <summary>Reads <c>domain:bus</c> or <c>bus</c> (domain 0), both hexadecimal.</summary>
    /// <param name="text">The text, without spaces.</param>
    /// <returns>The bus.</returns>
    /// <exception cref="FormatException">The text is not a bus; the message quotes it.</exception>
    public static PciBusAddress Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out PciBusAddress bus)
            ? bus
            : throw new FormatException(
                $"'{(text.Length <= 60 ? text : text[..60])}' is not a PCI bus (domain:bus, hexadecimal; domain up to 8 digits, bus up to 2)");

    /// <summary>Reads a bus as <see cref="Parse"/> does, without throwing.</summary>
    /// <param name="text">The text, without spaces.</param>
    /// <param name="bus">The bus, or 0000:00.</param>
    /// <returns>Whether the text was a bus.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out PciBusAddress bus)
    {
        bus = default;
        uint domain = 0;
        int colon = text.IndexOf(':');
        if (colon >= 0)
        {
            if (colon is 0 or > 8
                || !uint.TryParse(text[..colon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out domain))
            {
                return false;
            }

            text = text[(colon + 1)..];
        }

        if (text.Length is 0 or > 2
            || !byte.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte number))
        {
            return false;
        }

        bus = new PciBusAddress(domain, number);
        return true;
    }

    /// <summary>Compares domain, then bus.</summary>
    /// <param name="other">The other bus.</param>
    /// <returns>Negative, zero or positive.</returns>
    public int CompareTo(PciBusAddress other) =>
        Domain != other.Domain ? Domain.CompareTo(other.Domain) : Bus.CompareTo(other.Bus);

    /// <summary>The bus as the kernel writes it: <c>0000:40</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Domain:x4}:{Bus:x2}");

    /// <summary>Whether the left bus is listed before the right one.</summary>
    /// <param name="left">One bus.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if before.</returns>
    public static bool operator <(PciBusAddress left, PciBusAddress right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left bus is listed after the right one.</summary>
    /// <param name="left">One bus.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if after.</returns>
    public static bool operator >(PciBusAddress left, PciBusAddress right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left bus is listed before the right one, or equal.</summary>
    /// <param name="left">One bus.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if before or equal.</returns>
    public static bool operator <=(PciBusAddress left, PciBusAddress right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left bus is listed after the right one, or equal.</summary>
    /// <param name="left">One bus.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if after or equal.</returns>
    public static bool operator >=(PciBusAddress left, PciBusAddress right) => left.CompareTo(right) >= 0;
}
