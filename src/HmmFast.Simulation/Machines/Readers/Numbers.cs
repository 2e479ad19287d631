using System.Globalization;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Numbers as the tools write them. Every method refuses signs, blanks and anything left over.</summary>
internal static class Numbers
{
    /// <summary>Hexadecimal with or without <c>0x</c>.</summary>
    public static bool TryHex(ReadOnlySpan<char> text, ulong max, out ulong value)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            text = text[2..];
        }

        return ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) && value <= max;
    }

    public static bool TryHex16(ReadOnlySpan<char> text, out ushort value)
    {
        bool good = TryHex(text, ushort.MaxValue, out ulong wide);
        value = good ? (ushort)wide : (ushort)0;
        return good;
    }

    public static bool TryHex8(ReadOnlySpan<char> text, out byte value)
    {
        bool good = TryHex(text, byte.MaxValue, out ulong wide);
        value = good ? (byte)wide : (byte)0;
        return good;
    }

    public static bool TryInt(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    public static bool TryReal(ReadOnlySpan<char> text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);

    /// <summary>The number in front of <c>GT/s</c>, with or without a blank between; anything may follow.</summary>
    public static double? GigatransfersIn(ReadOnlySpan<char> text)
    {
        int end = text.IndexOf("GT/s", StringComparison.Ordinal);
        if (end <= 0)
        {
            return null;
        }

        ReadOnlySpan<char> head = text[..end].TrimEnd(' ');
        int start = head.Length;
        while (start > 0 && (char.IsAsciiDigit(head[start - 1]) || head[start - 1] == '.'))
        {
            start--;
        }

        return TryReal(head[start..], out double speed) && speed > 0 ? speed : null;
    }

    /// <summary>Sizes as lspci writes them: <c>128</c>, <c>16K</c>, <c>64G</c>.</summary>
    public static bool TrySize(ReadOnlySpan<char> text, out ulong bytes)
    {
        int shift = text.IsEmpty ? 0 : text[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        ReadOnlySpan<char> digits = shift > 0 ? text[..^1] : text;
        bool good = ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out bytes) && bytes <= ulong.MaxValue >> shift;
        bytes <<= shift;
        return good;
    }

    /// <summary>The index of the only bit set in a hexadecimal mask that may have commas (<c>0x00000000,0x00000001</c>), else null.</summary>
    public static int? OnlyBit(ReadOnlySpan<char> mask)
    {
        int? found = null;
        int word = 0;
        while (!mask.IsEmpty)
        {
            int comma = mask.LastIndexOf(',');
            ReadOnlySpan<char> part = mask[(comma + 1)..];
            mask = comma < 0 ? [] : mask[..comma];
            ulong bits = 0;
            if (!part.IsEmpty && !TryHex(part, ulong.MaxValue, out bits))
            {
                return null;
            }

            if (bits != 0)
            {
                if (found is not null || !ulong.IsPow2(bits))
                {
                    return null;
                }

                found = (word * 32) + (int)ulong.Log2(bits);
            }

            word++;
        }

        return found;
    }
}
