using System.IO.Compression;
using System.IO.Hashing;
using System.Text.Json;
using HmmFast.Simulation.Machines.Readers;

namespace HmmFast.Simulation.Traces;

/// <summary>Reads recordings (.jsonl, .jsonl.gz) and checks them as wholes.</summary>
/// <remarks>
/// Nothing is skipped: an unknown field, operation or letter, a gap in the steps or in a run list, a sequence shorter than its header says, a
/// damaged or truncated archive, another format version, all end in <see cref="TraceFormatException"/> with the line.
/// </remarks>
public static class TraceReader
{
    private const int GzipTrailerSizeBytes = 8;

    /// <summary>Reads a file.</summary>
    /// <exception cref="TraceFormatException">It is not a whole recording of the known format.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static TraceFile ReadFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Parse(path, ReadText(path));
    }

    /// <summary>Reads a file's text, unpacking it when it is gzip data; checks the archive's length and checksum.</summary>
    /// <exception cref="TraceFormatException">The archive is truncated or damaged.</exception>
    public static byte[] ReadText(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b)
        {
            return path.EndsWith(".gz", StringComparison.Ordinal) ? throw new TraceFormatException(path, 0, "not gzip data") : bytes;
        }

        try
        {
            using MemoryStream packed = new(bytes, writable: false);
            using GZipStream unpacker = new(packed, CompressionMode.Decompress);
            using MemoryStream text = new();
            unpacker.CopyTo(text);
            byte[] result = text.ToArray();

            // The unpacker ends quietly when the data end early; the trailer tells.
            ReadOnlySpan<byte> trailer = bytes.AsSpan(Math.Max(0, bytes.Length - GzipTrailerSizeBytes));
            uint length = BitConverter.ToUInt32(trailer[4..]);
            if (length != (uint)result.Length || BitConverter.ToUInt32(trailer) != Crc32.HashToUInt32(result))
            {
                throw new TraceFormatException(
                    path,
                    CountLines(result) + 1,
                    $"the archive is truncated, damaged or in several parts: {result.Length} bytes came out, its trailer says {length} or another checksum");
            }

            return result;
        }
        catch (InvalidDataException error)
        {
            throw new TraceFormatException(path, 0, $"the archive is damaged: {error.Message}", error);
        }
    }

    /// <summary>Reads a recording from its text.</summary>
    /// <param name="path">Named in errors.</param>
    /// <param name="text">UTF-8, one JSON object a line.</param>
    /// <exception cref="TraceFormatException">It is not a whole recording of the known format.</exception>
    public static TraceFile Parse(string path, ReadOnlyMemory<byte> text)
    {
        List<TraceSequence> sequences = [];
        Dictionary<int, int> lineOfSeed = [];
        TraceHeader? header = null;
        List<TraceStep> steps = [];
        int lineNumber = 0;
        while (!text.IsEmpty)
        {
            lineNumber++;
            int end = text.Span.IndexOf((byte)'\n');
            if (end < 0)
            {
                throw new TraceFormatException(path, lineNumber, "the last line does not end: the file is truncated");
            }

            TraceLine line = ParseLine(path, lineNumber, text[..end]);
            text = text[(end + 1)..];
            if (line.Has("hdr"))
            {
                Close(path, header, steps, sequences);
                header = TraceStepParser.ParseHeader(line);
                steps = [];
                if (!lineOfSeed.TryAdd(header.Seed, lineNumber))
                {
                    throw line.Error($"seed {header.Seed} has stood before, in line {lineOfSeed[header.Seed]}");
                }

                continue;
            }

            if (header is null)
            {
                throw line.Error("a recording begins with a header line (\"hdr\":1)");
            }

            steps.Add(ParseStep(line, header, steps));
        }

        Close(path, header, steps, sequences);
        if (sequences.Count == 0)
        {
            throw new TraceFormatException(path, 1, "the file holds no sequence");
        }

        return new TraceFile(path, sequences);
    }

    private static TraceLine ParseLine(string path, int lineNumber, ReadOnlyMemory<byte> text)
    {
        try
        {
            // Elements outlive the document's pool only as clones; a recording's lines are short.
            using JsonDocument document = JsonDocument.Parse(text);
            return new TraceLine(path, lineNumber, document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new TraceFormatException(path, lineNumber, $"not a JSON line: {JsonFault.Reason(error)}", error);
        }
    }

    private static TraceStep ParseStep(TraceLine line, TraceHeader header, List<TraceStep> steps)
    {
        int seed = line.TakeInt("seed", 0, int.MaxValue);
        if (seed != header.Seed)
        {
            throw line.Error($"a step of seed {seed} stands in the sequence of seed {header.Seed} (line {header.LineNumber})");
        }

        TraceStep step = TraceStepParser.ParseStep(line, header);
        if (step.Step != steps.Count)
        {
            throw line.Error($"step {step.Step} stands where step {steps.Count} belongs: steps are missing or out of order");
        }

        bool hadChild = steps.Count > 0 && steps[^1].Child is not null;
        bool hasChild = step.Operation switch
        {
            TraceOperation.Fork => hadChild ? throw line.Error("fork with a child alive: a recording has one child at most") : true,
            TraceOperation.ChildExit => hadChild ? false : throw line.Error("child_exit without a child"),
            TraceOperation.ChildRead or TraceOperation.ChildWrite when !hadChild => throw line.Error($"{TraceOperations.NameOf(step.Operation)} without a child"),
            _ => hadChild,
        };
        if (hasChild != (step.Child is not null))
        {
            throw line.Error(hasChild ? "a child is alive, but \"child\" is missing" : "\"child\" stands here, but no child is alive");
        }

        return step;
    }

    private static void Close(string path, TraceHeader? header, List<TraceStep> steps, List<TraceSequence> sequences)
    {
        if (header is null)
        {
            return;
        }

        if (steps.Count == 0)
        {
            throw new TraceFormatException(path, header.LineNumber, $"the sequence of seed {header.Seed} has no step");
        }

        // Random sequences say how long they are; hand-made ones name the step under test, and end after the read-back that follows it.
        int expected = header.Script is null ? header.OperationCount : header.HasRangeFaults ? 0 : StepsOfScript(header.Script);
        if (expected > 0 && steps.Count != expected)
        {
            throw new TraceFormatException(
                path,
                steps[^1].LineNumber,
                $"the sequence of seed {header.Seed} has {steps.Count} steps instead of {expected}: the file is truncated or lines are missing");
        }

        sequences.Add(new TraceSequence(header, steps));
    }

    private static int StepsOfScript(string script)
    {
        string[] parts = script.Split('|');
        return parts.Length == 3 && int.TryParse(parts[2], out int step) && step >= 0 ? step + 2 : 0;
    }

    private static int CountLines(ReadOnlySpan<byte> text) => text.Count((byte)'\n');
}
