using System.Globalization;

namespace HmmFast;

/// <summary>
/// The address of a PCI function: domain (segment), bus, device and function number, written <c>dddd:bb:dd.f</c> in
/// hexadecimal as the kernel writes it. Domains may take 32 bits (a volume management device makes domains from 0x10000 on).
/// </summary>
public readonly record struct PciAddress : IComparable<PciAddress>
{
    /// <summary>The largest device number on a bus, 31.</summary>
    public const byte MaxDevice = 31;

    /// <summary>The largest function number in a device, 7.</summary>
    public const byte MaxFunction = 7;

    private readonly ushort _routingId;

    /// <summary>Makes an address from its four numbers.</summary>
    /// <param name="domain">Domain (segment), any 32-bit value.</param>
    /// <param name="bus">Bus, 0 to 255.</param>
    /// <param name="device">Device, 0 to 31.</param>
    /// <param name="function">Function, 0 to 7.</param>
    /// <exception cref="ArgumentOutOfRangeException">Device above 31 or function above 7.</exception>
    public PciAddress(uint domain, byte bus, byte device, byte function)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(device, MaxDevice);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(function, MaxFunction);
        Domain = domain;
        _routingId = (ushort)((bus << 8) | (device << 3) | function);
    }

    /// <summary>The domain (segment).</summary>
    public uint Domain { get; }

    /// <summary>The bus number, 0 to 255.</summary>
    public byte Bus => (byte)(_routingId >> 8);

    /// <summary>The device number, 0 to 31.</summary>
    public byte Device => (byte)((_routingId >> 3) & MaxDevice);

    /// <summary>The function number, 0 to 7.</summary>
    public byte Function => (byte)(_routingId & MaxFunction);

    /// <summary>Bus, device and function in 16 bits, as they go over the wire (the requester id).</summary>
    public ushort RoutingId => _routingId;

    /// <summary>Device and function in 8 bits, the kernel's <c>devfn</c>.</summary>
    public byte DeviceFunction => (byte)_routingId;

    /// <summary>The address with this domain and routing id.</summary>
    /// <param name="domain">Domain (segment).</param>
    /// <param name="routingId">Bus, device and function in 16 bits.</param>
    public static PciAddress FromRoutingId(uint domain, ushort routingId) =>
        new(domain, (byte)(routingId >> 8), (byte)((routingId >> 3) & MaxDevice), (byte)(routingId & MaxFunction));

    /// <summary>Reads <c>dddd:bb:dd.f</c> or, for domain 0, <c>bb:dd.f</c>; hexadecimal, a domain of one to eight digits.</summary>
    /// <param name="text">The text, without blanks around it.</param>
    /// <param name="address">The address, or the default when the text is none.</param>
    /// <returns>Whether the whole text is an address whose numbers are in range.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out PciAddress address)
    {
        address = default;
        uint domain = 0;
        int tail = text.Length - 7;
        if (tail < 0)
        {
            return false;
        }

        if (tail > 0)
        {
            if (tail is < 2 or > 9 || text[tail - 1] != ':' || !TryHex(text[..(tail - 1)], out domain))
            {
                return false;
            }

            text = text[tail..];
        }

        if (text[2] != ':' || text[5] != '.' || !TryHex(text[..2], out uint bus)
            || !TryHex(text.Slice(3, 2), out uint device) || !TryHex(text.Slice(6, 1), out uint function)
            || device > MaxDevice || function > MaxFunction)
        {
            return false;
        }

        address = new PciAddress(domain, (byte)bus, (byte)device, (byte)function);
        return true;
    }

    /// <summary>Reads an address as <see cref="TryParse"/> does.</summary>
    /// <param name="text">The text, without blanks around it.</param>
    /// <exception cref="FormatException">The text is not an address; the message carries it and the form expected.</exception>
    public static PciAddress Parse(string text) => TryParse(text, out PciAddress address)
        ? address
        : throw new FormatException($"'{text}' is not a PCI address: dddd:bb:dd.f expected, device up to 1f, function up to 7.");

    /// <inheritdoc/>
    public int CompareTo(PciAddress other) =>
        Domain != other.Domain ? Domain.CompareTo(other.Domain) : _routingId.CompareTo(other._routingId);

    /// <summary>Whether the left address comes first, by domain, bus, device and function.</summary>
    public static bool operator <(PciAddress left, PciAddress right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left address comes last, by domain, bus, device and function.</summary>
    public static bool operator >(PciAddress left, PciAddress right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left address does not come last.</summary>
    public static bool operator <=(PciAddress left, PciAddress right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left address does not come first.</summary>
    public static bool operator >=(PciAddress left, PciAddress right) => left.CompareTo(right) >= 0;

    /// <summary>The kernel's way to write it: <c>0000:3b:00.1</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Domain:x4}:{Bus:x2}:{Device:x2}.{Function:x}");

    private static bool TryHex(ReadOnlySpan<char> digits, out uint value)
    {
        value = 0;
        foreach (char digit in digits)
        {
            if (!char.IsAsciiHexDigit(digit))
            {
                return false;
            }

            value = (value << 4) | (uint)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return digits.Length > 0;
    }
}
