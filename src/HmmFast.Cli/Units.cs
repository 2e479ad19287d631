using System.Globalization;

namespace HmmFast.Cli;

/// <summary>Numbers with units, as people write and read them.</summary>
internal static class Units
{
    private static readonly string[] Names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Bytes in the largest unit that leaves at least 1.</summary>
    public static string Size(ulong bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < Names.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.##} {Names[unit]}");
    }

    /// <summary>A rate of pages a second.</summary>
    public static string Rate(double pagesPerSecond) => pagesPerSecond switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond / 1e9:0.00} G/s"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond / 1e6:0.0} M/s"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond / 1e3:0.0} k/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond:0} /s"),
    };

    /// <summary>Reads a size such as 2MiB, 64K or 4096.</summary>
    /// <param name="text">The text.</param>
    /// <param name="bytes">The bytes.</param>
    /// <returns>False when it is no size or does not fit 64 bits.</returns>
    public static bool TrySize(string text, out ulong bytes)
    {
        bytes = 0;
        string trimmed = text.Trim();
        int digits = 0;
        while (digits < trimmed.Length && char.IsAsciiDigit(trimmed[digits]))
        {
            digits++;
        }

        int shift = trimmed[digits..].Trim().ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KIB" => 10,
            "M" or "MIB" => 20,
            "G" or "GIB" => 30,
            "T" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || !ulong.TryParse(trimmed.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) || value > ulong.MaxValue >> shift)
        {
            return false;
        }

        bytes = value << shift;
        return true;
    }
}
