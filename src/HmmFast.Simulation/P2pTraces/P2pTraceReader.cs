using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using HmmFast.Simulation.Machines.Readers;
using HmmFast.Topology;

namespace HmmFast.Simulation.P2pTraces;

/// <summary>
/// Reads recorded peer-to-peer answers: one JSON object a line (or one object in a whole file), plain or
/// gzip (recognised by its first bytes). Unknown properties are
/// passed over; what is needed and missing, or out of bounds, is an error with file and line.
/// </summary>
public static class P2pTraceReader
{
    /// <summary>The longest line that is read, in characters.</summary>
    public const int MaxLineLength = 16 << 20;

    // A path of 256 bridges nests two levels of JSON a bridge.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = (2 * PciTopologyBuilder.MaxDepth) + 16 };

    /// <summary>Reads a file's cases one by one.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The cases, in the file's order.</returns>
    /// <exception cref="P2pTraceFormatException">A line is not a case.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<P2pTraceCase> ReadFile(string path)
    {
        using FileStream file = File.OpenRead(path);
        foreach (P2pTraceCase read in Read(file, path))
        {
            yield return read;
        }
    }

    /// <summary>Reads a stream's cases one by one.</summary>
    /// <param name="stream">The stream, which can seek; the caller keeps it.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <returns>The cases, in the stream's order.</returns>
    /// <exception cref="P2pTraceFormatException">A line is not a case, or there is none.</exception>
    public static IEnumerable<P2pTraceCase> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Stream text = IsGzip(stream) ? new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true) : stream;
        using var reader = new StreamReader(text, leaveOpen: true);
        int line = 0;
        int count = 0;
        while (ReadLine(reader, name, line + 1) is string json)
        {
            line++;
            if (string.IsNullOrWhiteSpace(json))
            {
                continue;
            }

            count++;
            if (count == 1 && !json.TrimEnd().EndsWith('}'))
            {
                // One case over several lines, indented for people.
                json += "\n" + ReadRest(reader, name, line);
                yield return ParseCase(json, name, line);
                yield break;
            }

            yield return ParseCase(json, name, line);
        }

        if (count == 0)
        {
            throw new P2pTraceFormatException(name, 0, "the file has no case");
        }
    }

    /// <summary>Reads one case.</summary>
    /// <param name="json">The case's JSON object.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <param name="line">The line, for messages.</param>
    /// <returns>The case.</returns>
    /// <exception cref="P2pTraceFormatException">The text is not a case.</exception>
    public static P2pTraceCase ParseCase(string json, string name, int line)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return new P2pCaseParser().Parse(document.RootElement, line);
        }
        catch (JsonException e)
        {
            throw new P2pTraceFormatException(name, JsonFault.Line(e, line), $"not a JSON object of a recorded case (is the file cut short?): {JsonFault.Reason(e)}", e);
        }
        catch (Exception e) when (e is FormatException or KeyNotFoundException or InvalidOperationException or OverflowException)
        {
            throw new P2pTraceFormatException(name, line, e.Message, e);
        }
    }

    /// <summary>Whether a line looks like a recorded peer-to-peer case, for telling files apart.</summary>
    /// <param name="line">A file's first line.</param>
    /// <returns>True if it has the case's properties.</returns>
    public static bool LooksLikeCase(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line.TrimStart().StartsWith('{')
            && line.Contains("\"host_bridges\"", StringComparison.Ordinal)
            && line.Contains("\"matrix\"", StringComparison.Ordinal);
    }

    private static bool IsGzip(Stream stream)
    {
        Span<byte> magic = stackalloc byte[2];
        int read = stream.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        stream.Seek(-read, SeekOrigin.Current);
        return read == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
    }

    private static string ReadRest(StreamReader reader, string name, int line)
    {
        var rest = new StringBuilder();
        while (ReadLine(reader, name, line) is string next)
        {
            rest.Append(next).Append('\n');
            if (rest.Length > MaxLineLength)
            {
                throw new P2pTraceFormatException(name, line, $"the case has more than {MaxLineLength} characters");
            }
        }

        return rest.ToString();
    }

    private static string? ReadLine(StreamReader reader, string name, int line)
    {
        try
        {
            // Not StreamReader.ReadLine: a line of a damaged or hostile file may be as long as memory.
            var text = new StringBuilder();
            int character;
            while ((character = reader.Read()) >= 0 && character != '\n')
            {
                if (text.Length == MaxLineLength)
                {
                    throw new P2pTraceFormatException(
                        name, line, string.Create(CultureInfo.InvariantCulture, $"the line has more than {MaxLineLength} characters"));
                }

                text.Append((char)character);
            }

            return character < 0 && text.Length == 0 ? null : text.ToString();
        }
        catch (InvalidDataException e)
        {
            throw new P2pTraceFormatException(name, line, $"the compressed file is damaged or cut short: {e.Message}", e);
        }
    }
}
