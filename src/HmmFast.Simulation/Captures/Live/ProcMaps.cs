using System.Globalization;

namespace HmmFast.Simulation.Captures.Live;

/// <summary>Reads /proc/N/maps and /proc/N/smaps (the same lines, with details between them).</summary>
internal static class ProcMaps
{
    private const ulong PageMask = PageOrder.PageSizeBytes - 1;

    /// <summary>Reads every mapping.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="place">Its name for messages.</param>
    /// <exception cref="CaptureException">A line is none that these files have; the message has its number and text.</exception>
    public static List<ProcMapping> Read(TextReader reader, string place)
    {
        List<ProcMapping> mappings = [];
        int lineNumber = 0;
        while (reader.ReadLine() is { } line)
        {
            lineNumber++;
            if (IsDetail(line))
            {
                if (line.StartsWith("VmFlags:", StringComparison.Ordinal) && mappings.Count > 0)
                {
                    mappings[^1] = mappings[^1] with { Flags = line["VmFlags:".Length..].Trim() };
                }

                continue;
            }

            mappings.Add(ReadMapping(line, $"{place}:{lineNumber}"));
            if (mappings.Count > Capture.MaxVmaCount)
            {
                throw new CaptureException(place, $"has more than {Capture.MaxVmaCount} mappings.");
            }
        }

        return mappings;
    }

    // A detail is "Name:  value"; a mapping's first word is an address range, whose colons (in the device) come later.
    private static bool IsDetail(string line)
    {
        int end = line.IndexOfAny([' ', ':']);
        return end > 0 && line[end] == ':';
    }

    private static ProcMapping ReadMapping(string line, string place)
    {
        ReadOnlySpan<char> rest = line;
        ReadOnlySpan<char> addresses = Word(ref rest);
        ReadOnlySpan<char> permissions = Word(ref rest);
        ReadOnlySpan<char> offset = Word(ref rest);
        ReadOnlySpan<char> device = Word(ref rest);
        ReadOnlySpan<char> inode = Word(ref rest);
        int dash = addresses.IndexOf('-');
        if (dash <= 0
            || !ulong.TryParse(addresses[..dash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong start)
            || !ulong.TryParse(addresses[(dash + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong end)
            || permissions.Length != 4
            || !ulong.TryParse(offset, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong offsetBytes)
            || !ulong.TryParse(inode, NumberStyles.None, CultureInfo.InvariantCulture, out ulong inodeNumber)
            || end <= start
            || ((start | end) & PageMask) != 0)
        {
            throw new CaptureException(place, $"'{line}' is not a mapping of whole pages.");
        }

        return new ProcMapping(start, end, permissions.ToString(), offsetBytes, device.ToString(), inodeNumber, rest.Trim().ToString(), null);
    }

    private static ReadOnlySpan<char> Word(ref ReadOnlySpan<char> rest)
    {
        rest = rest.TrimStart(' ');
        int end = rest.IndexOf(' ');
        ReadOnlySpan<char> word = end < 0 ? rest : rest[..end];
        rest = end < 0 ? [] : rest[end..];
        return word;
    }
}
