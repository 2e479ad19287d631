using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using ZstdSharp;

namespace HmmFast.Simulation.Captures;

/// <summary>Captures on disk: a 64-byte header, then the columns in one zstd frame.</summary>
/// <remarks>
/// Header, little-endian: 8 bytes magic; u32 version; u32 header bytes; u64 payload bytes; u64 compressed bytes; u32 page bytes; 12 bytes zero;
/// 16 bytes XxHash128 over the header before it and everything after it. Reading takes at most the file's size, the stated payload (256 MiB at most)
/// and 16 bytes a run, whatever the file claims.
/// </remarks>
public static class CaptureFile
{
    /// <summary>The version written, and the only one read.</summary>
    public const int Version = 1;

    /// <summary>Bytes before the compressed columns.</summary>
    public const int HeaderBytes = 64;

    /// <summary>Largest file read: nothing that <see cref="Write(string, Capture)"/> makes is larger.</summary>
    public const long MaxFileBytes = HeaderBytes + CaptureCodec.MaxPayloadBytes + (1 << 20);

    private const int HashOffset = 48;
    private const int CompressionLevel = 6;

    private static ReadOnlySpan<byte> Magic => [0x89, (byte)'H', (byte)'M', (byte)'F', (byte)'C', 0x0d, 0x0a, 0x1a];

    /// <summary>Writes a capture under a temporary name beside the target and renames it: a file of that name is whole or not there.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="capture">What to write.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="IOException">The directory is missing or the disk is full; nothing is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    /// <exception cref="CaptureException">The capture is larger than the format takes.</exception>
    public static long Write(string path, Capture capture)
    {
        byte[] bytes = Encode(capture);
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new IOException($"{path}: is a directory, not a file to write.");
        }

        if (Path.GetDirectoryName(full) is { } folder && !Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"{path}: cannot be written: there is no folder {folder}.");
        }

        string temporary = $"{full}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.tmp";
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception fault)
        {
            File.Delete(temporary);

            // The temporary name means nothing to who asked for the file.
            string reason = fault.Message.Replace(temporary, full, StringComparison.Ordinal);
            throw fault switch
            {
                UnauthorizedAccessException => new UnauthorizedAccessException($"{path}: cannot be written: {reason}", fault),
                IOException => new IOException($"{path}: cannot be written: {reason}", fault),
                _ => fault,
            };
        }

        return bytes.Length;
    }

    /// <summary>Reads a capture.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CaptureException">The file is foreign, of another version, truncated, corrupted or contradicts itself.</exception>
    /// <exception cref="IOException">It does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static Capture Read(string path)
    {
        if (Directory.Exists(path))
        {
            throw new CaptureException(path, "is a directory, not a capture.");
        }

        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        long length = stream.CanSeek ? stream.Length : throw new CaptureException(path, "is not a regular file.");
        if (length > MaxFileBytes)
        {
            throw new CaptureException(path, $"has {length} bytes; a capture has at most {MaxFileBytes}.");
        }

        byte[] bytes = new byte[length];
        int got = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return Decode(bytes.AsSpan(0, got), path);
    }

    /// <summary>A capture as the bytes of a file.</summary>
    /// <exception cref="CaptureException">It is larger than the format takes.</exception>
    public static byte[] Encode(Capture capture) => Wrap(CaptureCodec.Encode(capture).Written);

    /// <summary>Reads a capture from the bytes of a file.</summary>
    /// <param name="bytes">All of the file.</param>
    /// <param name="place">Name for messages.</param>
    /// <exception cref="CaptureException">As for <see cref="Read"/>.</exception>
    public static Capture Decode(ReadOnlySpan<byte> bytes, string place)
    {
        byte[] payload = Unwrap(bytes, place);
        try
        {
            return CaptureCodec.Decode(payload);
        }
        catch (CaptureException e)
        {
            throw new CaptureException(place, $"the checksum holds but the content does not: {e.Message}", e);
        }
    }

    /// <summary>Adds header, compression and checksum.</summary>
    internal static byte[] Wrap(ReadOnlySpan<byte> payload)
    {
        using Compressor compressor = new(CompressionLevel);
        ReadOnlySpan<byte> compressed = compressor.Wrap(payload);
        byte[] bytes = new byte[HeaderBytes + compressed.Length];
        Span<byte> header = bytes;
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], HeaderBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], compressed.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[32..], PageOrder.PageSizeBytes);
        compressed.CopyTo(header[HeaderBytes..]);
        Checksum(bytes, header[HashOffset..HeaderBytes]);
        return bytes;
    }

    private static byte[] Unwrap(ReadOnlySpan<byte> bytes, string place)
    {
        if (bytes.Length < Magic.Length || !bytes[..Magic.Length].SequenceEqual(Magic))
        {
            throw new CaptureException(place, $"is not a capture: {Describe(bytes)}.");
        }

        if (bytes.Length < HeaderBytes)
        {
            throw new CaptureException(place, $"is cut off: {bytes.Length} bytes, and the header alone has {HeaderBytes}.");
        }

        int version = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (version != Version)
        {
            throw new CaptureException(place, $"is of format version {version}; this program reads version {Version}.");
        }

        int headerBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        long payloadBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        long compressedBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]);
        int pageBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
        if (headerBytes != HeaderBytes || pageBytes != PageOrder.PageSizeBytes || bytes[36..HashOffset].ContainsAnyExcept((byte)0))
        {
            throw new CaptureException(place, $"its header is broken: {headerBytes} header bytes (expected {HeaderBytes}), pages of {pageBytes} bytes (expected {PageOrder.PageSizeBytes}).");
        }

        if (compressedBytes != bytes.Length - HeaderBytes)
        {
            throw new CaptureException(place, $"has {bytes.Length} bytes; its header says {HeaderBytes} and {compressedBytes}.");
        }

        if (payloadBytes is < 0 or > CaptureCodec.MaxPayloadBytes)
        {
            throw new CaptureException(place, $"its header says {payloadBytes} bytes of content; at most {CaptureCodec.MaxPayloadBytes} are read.");
        }

        Span<byte> expected = stackalloc byte[16];
        Checksum(bytes, expected);
        if (!expected.SequenceEqual(bytes[HashOffset..HeaderBytes]))
        {
            throw new CaptureException(
                place,
                $"is corrupted: its checksum is {Convert.ToHexStringLower(bytes[HashOffset..HeaderBytes])}, its bytes give {Convert.ToHexStringLower(expected)}.");
        }

        return Decompress(bytes[HeaderBytes..], (int)payloadBytes, place);
    }

    private static byte[] Decompress(ReadOnlySpan<byte> compressed, int payloadBytes, string place)
    {
        byte[] payload = new byte[payloadBytes];
        try
        {
            using Decompressor decompressor = new();
            int got = decompressor.Unwrap(compressed, payload);
            return got == payloadBytes
                ? payload
                : throw new CaptureException(place, $"decompresses to {got} bytes; its header says {payloadBytes}.");
        }
        catch (ZstdException e)
        {
            throw new CaptureException(place, $"cannot be decompressed to the {payloadBytes} bytes that its header says: {e.Message}", e);
        }
    }

    private static void Checksum(ReadOnlySpan<byte> bytes, Span<byte> hash)
    {
        XxHash128 hasher = new();
        hasher.Append(bytes[..HashOffset]);
        hasher.Append(bytes[HeaderBytes..]);
        hasher.GetCurrentHash(hash);
    }

    private static string Describe(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return "it is empty";
        }

        ReadOnlySpan<byte> head = bytes[..Math.Min(8, bytes.Length)];
        string start = $"it begins with {Convert.ToHexStringLower(head)}";
        return head switch
        {
            [0x1f, 0x8b, ..] => $"{start}, as gzip does",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => $"{start}, as bare zstd does",
            [0x7f, (byte)'E', (byte)'L', (byte)'F', ..] => $"{start}, as an ELF program or core dump does",
            [(byte)'{' or (byte)'[', ..] => $"{start}, as JSON does",
            _ => start,
        };
    }
}
