using System.Globalization;

namespace HmmFast.Simulation.Scenarios;

/// <summary>Sizes as people write and read them: 4096, 64K, 2MiB, 1.5 GiB.</summary>
public static class ByteSize
{
    private static readonly string[] Names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Bytes in the largest unit that leaves at least 1, with up to two decimals.</summary>
    public static string Format(ulong bytes)
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

    /// <summary>Reads a size: digits, then nothing, B, K, KiB, M, MiB, G, GiB, T or TiB, in any case.</summary>
    /// <returns>False when the text is no size, or one that does not fit 64 bits.</returns>
    public static bool TryParse(string text, out ulong bytes)
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
        if (shift < 0
            || !ulong.TryParse(trimmed.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            || value > ulong.MaxValue >> shift)
        {
            return false;
        }

        bytes = value << shift;
        return true;
    }
}
