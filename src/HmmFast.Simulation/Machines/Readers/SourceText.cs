using System.Text;
using System.Text.Unicode;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>A text file in memory: its name for messages, its bytes (valid UTF-8, no byte order mark) and its lines.</summary>
internal sealed class SourceText
{
    /// <summary>More lines than this are refused: the largest real file here has 13,000.</summary>
    public const int MaxLines = 4_000_000;

    private string[]? _lines;

    public SourceText(string name, ReadOnlyMemory<byte> content)
    {
        Name = name;
        ReadOnlySpan<byte> bytes = content.Span;
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            content = content[3..];
            bytes = content.Span;
        }

        if (!Utf8.IsValid(bytes))
        {
            int at = FirstInvalid(bytes);
            throw new MachineReadException(name, LineAt(bytes, at), $"0x{bytes[at]:x2}",
                "this byte is not UTF-8; the text looks like Latin-1 or another 8-bit encoding, convert it to UTF-8");
        }

        Bytes = content;
    }

    public string Name { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The lines without their ends; line n is at n - 1.</summary>
    public IReadOnlyList<string> Lines => _lines ??= Split();

    /// <summary>The line, from 1, that a byte offset lies on.</summary>
    public static int LineAt(ReadOnlySpan<byte> bytes, int offset) => bytes[..Math.Min(offset, bytes.Length)].Count((byte)'\n') + 1;

    public MachineReadException Error(int line, string? value, string problem) => new(Name, line, value, problem);

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int good = 0;
        while (good < bytes.Length)
        {
            if (Rune.DecodeFromUtf8(bytes[good..], out _, out int used) != System.Buffers.OperationStatus.Done)
            {
                return good;
            }

            good += used;
        }

        return bytes.Length - 1;
    }

    private string[] Split()
    {
        int count = Bytes.Span.Count((byte)'\n');
        if (count >= MaxLines)
        {
            throw new MachineReadException(Name, MaxLines, null, $"more than {MaxLines} lines; no machine's description is that long");
        }

        string[] lines = Encoding.UTF8.GetString(Bytes.Span).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = lines[i].TrimEnd('\r');
        }

        return lines;
    }
}
