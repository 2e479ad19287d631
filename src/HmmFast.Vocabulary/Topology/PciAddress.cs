using System.Globalization;

namespace HmmFast.Topology;

/// <summary>
/// The address of a PCI function: domain (up to 32 bits), bus, device and function, as in <c>10000:e1:00.0</c>.
/// </summary>
/// <remarks>
/// Ordered as the tools list functions: by domain, then bus, then device, then function. The default value is 0000:00:00.0.
/// Comparison and hashing cost one 64-bit operation.
/// </remarks>
public readonly struct PciAddress : IEquatable<PciAddress>, IComparable<PciAddress>
{
    /// <summary>The highest device number on a bus.</summary>
    public const int MaxDevice = 31;

    /// <summary>The highest function number of a device.</summary>
    public const int MaxFunction = 7;

    private readonly ulong _packed;

    /// <summary>Makes an address from its parts.</summary>
    /// <param name="domain">PCI domain (segment); all 32 bits are allowed, since drivers make domains beyond 16 bits.</param>
    /// <param name="bus">Bus number.</param>
    /// <param name="device">Device number, 0 to 31.</param>
    /// <param name="function">Function number, 0 to 7.</param>
    /// <exception cref="ArgumentOutOfRangeException">The device or the function is out of its bounds.</exception>
    public PciAddress(uint domain, byte bus, int device, int function)
    {
        if ((uint)device > MaxDevice)
        {
            throw new ArgumentOutOfRangeException(nameof(device), device, $"a PCI device number is 0 to {MaxDevice}, not {device}");
        }

        if ((uint)function > MaxFunction)
        {
            throw new ArgumentOutOfRangeException(nameof(function), function, $"a PCI function number is 0 to {MaxFunction}, not {function}");
        }

        _packed = ((ulong)domain << 16) | ((ulong)bus << 8) | (uint)((device << 3) | function);
    }

    private PciAddress(ulong packed) => _packed = packed;

    /// <summary>PCI domain (segment), 32 bits.</summary>
    public uint Domain => (uint)(_packed >> 16);

    /// <summary>Bus number.</summary>
    public byte Bus => (byte)(_packed >> 8);

    /// <summary>Device number, 0 to 31.</summary>
    public int Device => (int)(_packed >> 3) & MaxDevice;

    /// <summary>Function number, 0 to 7.</summary>
    public int Function => (int)_packed & MaxFunction;

    /// <summary>Device and function as one byte, the kernel's <c>devfn</c>.</summary>
    public byte DeviceFunction => (byte)_packed;

    /// <summary>The bus the function sits on.</summary>
    public PciBusAddress BusAddress => new(Domain, Bus);

    /// <summary>Makes an address from a bus and a <c>devfn</c> byte. Never fails.</summary>
    /// <param name="bus">Domain and bus.</param>
    /// <param name="deviceFunction">Device in the upper five bits, function in the lower three.</param>
    /// <returns>The address.</returns>
    public static PciAddress FromDeviceFunction(PciBusAddress bus, byte deviceFunction) =>
        new(((ulong)bus.Domain << 16) | ((ulong)bus.Bus << 8) | deviceFunction);

    /// <summary>Reads <c>domain:bus:device.function</c> or <c>bus:device.function</c> (domain 0), all hexadecimal.</summary>
    /// <param name="text">The text, without spaces.</param>
    /// <returns>The address.</returns>
    /// <exception cref="FormatException">The text is not such an address; the message quotes it.</exception>
    public static PciAddress Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out PciAddress address)
            ? address
            : throw new FormatException(
                $"'{Shorten(text)}' is not a PCI address (domain:bus:device.function, hexadecimal; domain up to 8 digits, bus 2, device 00 to 1f, function 0 to 7)");

    /// <summary>Reads an address as <see cref="Parse"/> does, without throwing.</summary>
    /// <param name="text">The text, without spaces.</param>
    /// <param name="address">The address, or 0000:00:00.0.</param>
    /// <returns>Whether the text was an address.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out PciAddress address)
    {
        address = default;
        uint domain = 0;
        int lastColon = text.LastIndexOf(':');
        if (lastColon < 0)
        {
            return false;
        }

        ReadOnlySpan<char> busText = text[..lastColon];
        int domainColon = busText.IndexOf(':');
        if (domainColon >= 0)
        {
            if (!TryHex(busText[..domainColon], 8, out domain))
            {
                return false;
            }

            busText = busText[(domainColon + 1)..];
        }

        ReadOnlySpan<char> deviceText = text[(lastColon + 1)..];
        int dot = deviceText.IndexOf('.');
        if (dot < 0
            || !TryHex(busText, 2, out uint bus)
            || !TryHex(deviceText[..dot], 2, out uint device)
            || !TryHex(deviceText[(dot + 1)..], 1, out uint function)
            || device > MaxDevice
            || function > MaxFunction)
        {
            return false;
        }

        address = new PciAddress(domain, (byte)bus, (int)device, (int)function);
        return true;
    }

    /// <summary>Compares domain, bus, device and function in this order.</summary>
    /// <param name="other">The other address.</param>
    /// <returns>Negative, zero or positive.</returns>
    public int CompareTo(PciAddress other) => _packed.CompareTo(other._packed);

    /// <inheritdoc/>
    public bool Equals(PciAddress other) => _packed == other._packed;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PciAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _packed.GetHashCode();

    /// <summary>The address as the kernel writes it: <c>0000:3b:00.0</c>; longer domains with as many digits as they need.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Domain:x4}:{Bus:x2}:{Device:x2}.{Function}");

    /// <summary>Whether two addresses are equal.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if equal.</returns>
    public static bool operator ==(PciAddress left, PciAddress right) => left.Equals(right);

    /// <summary>Whether two addresses differ.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if they differ.</returns>
    public static bool operator !=(PciAddress left, PciAddress right) => !left.Equals(right);

    /// <summary>Whether the left address is listed before the right one.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if before.</returns>
    public static bool operator <(PciAddress left, PciAddress right) => left._packed < right._packed;

    /// <summary>Whether the left address is listed after the right one.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if after.</returns>
    public static bool operator >(PciAddress left, PciAddress right) => left._packed > right._packed;

    /// <summary>Whether the left address is listed before the right one, or equal.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if before or equal.</returns>
    public static bool operator <=(PciAddress left, PciAddress right) => left._packed <= right._packed;

    /// <summary>Whether the left address is listed after the right one, or equal.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if after or equal.</returns>
    public static bool operator >=(PciAddress left, PciAddress right) => left._packed >= right._packed;

    private static bool TryHex(ReadOnlySpan<char> text, int maxDigits, out uint value)
    {
        value = 0;
        return text.Length >= 1
            && text.Length <= maxDigits
            && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 60 ? text.ToString() : $"{text[..60]}...";
}
