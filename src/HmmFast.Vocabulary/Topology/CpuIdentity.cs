using System.Globalization;

namespace HmmFast.Topology;

/// <summary>The processor as CPUID names it; the peer-to-peer rule asks for vendor and family only.</summary>
/// <param name="Vendor">CPUID vendor string, such as <c>AuthenticAMD</c>, <c>HygonGenuine</c>, <c>GenuineIntel</c>.</param>
/// <param name="Family">Family, extended family included (0x17 for Zen).</param>
/// <param name="Model">Model; the rule does not look at it.</param>
public readonly record struct CpuIdentity(string Vendor, int Family, int Model = 0)
{
    /// <summary>Reads <c>vendor:family</c>, as in <c>AuthenticAMD:0x19</c>; <c>AMD</c>, <c>Intel</c> and <c>Hygon</c> are understood for the vendor.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The processor.</returns>
    /// <exception cref="FormatException">There is no family, or it is not a number from 0 to 0x10e.</exception>
    public static CpuIdentity Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string vendor = colon < 0 ? text : text[..colon];
        string familyText = colon < 0 ? "" : text[(colon + 1)..];
        bool isHex = familyText.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (vendor.Length == 0
            || !int.TryParse(
                isHex ? familyText.AsSpan(2) : familyText,
                isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
                CultureInfo.InvariantCulture,
                out int family)
            || family is < 0 or > MaxFamily)
        {
            throw new FormatException(
                $"'{text}' is not a processor (vendor:family, as AuthenticAMD:0x19 or GenuineIntel:6; the family is 0 to 0x{MaxFamily:x})");
        }

        string full = vendor.ToUpperInvariant() switch
        {
            "AMD" => "AuthenticAMD",
            "INTEL" => "GenuineIntel",
            "HYGON" => "HygonGenuine",
            _ => vendor,
        };
        return new CpuIdentity(full, family);
    }

    /// <summary>The highest family that CPUID can express: 0xf plus the extended family 0xff.</summary>
    public const int MaxFamily = 0x10e;

    /// <summary>In <see cref="Family"/>: not known. No rule covers it.</summary>
    public const int UnknownFamily = -1;

    /// <summary>The processor as text, family in hexadecimal.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Family == UnknownFamily ? $"{Vendor}, family unknown" : string.Create(CultureInfo.InvariantCulture, $"{Vendor} family 0x{Family:x}");
}
