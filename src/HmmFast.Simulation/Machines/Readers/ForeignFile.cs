using System.Text;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Says what a file looks like that no reader reads, so that the message helps.</summary>
internal static class ForeignFile
{
    private static readonly (byte[] Magic, string What)[] Magics =
    [
        ([0x7F, (byte)'E', (byte)'L', (byte)'F'], "a program or library (ELF)"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a picture (PNG)"),
        ([0xFF, 0xD8, 0xFF], "a picture (JPEG)"),
        ("GIF8"u8.ToArray(), "a picture (GIF)"),
        ("%PDF"u8.ToArray(), "a PDF document"),
        ("PK\x03\x04"u8.ToArray(), "a zip archive; unpack it, or pack it as .tar.gz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstd-compressed file; unpack it first"),
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "an xz-compressed file; unpack it first"),
        ("BZh"u8.ToArray(), "a bzip2-compressed file; unpack it first"),
        ("SQLite format 3"u8.ToArray(), "an SQLite database"),
        ("MZ"u8.ToArray(), "a Windows program"),
        ([0xCA, 0xFE, 0xBA, 0xBE], "a Java class or a macOS program"),
        ("#!"u8.ToArray(), "a script"),
        ("PERFILE2"u8.ToArray(), "a perf recording"),
    ];

    /// <summary>Refuses binary files and texts in 16- or 32-bit encodings, before anything is decoded.</summary>
    public static void RefuseBinary(string name, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            throw new MachineReadException(name, 0, null, "the file is empty");
        }

        foreach ((byte[] magic, string what) in Magics)
        {
            if (bytes.StartsWith(magic))
            {
                throw Unknown(name, what);
            }
        }

        bool isUtf32 = bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0]) || bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF]);
        bool isUtf16 = bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])
            || (bytes.Length > 3 && ((bytes[0] == 0 && bytes[1] != 0 && bytes[2] == 0) || (bytes[1] == 0 && bytes[0] != 0 && bytes[3] == 0)));
        if (isUtf32 || isUtf16)
        {
            throw new MachineReadException(name, 1, null, $"text in {(isUtf32 ? "UTF-32" : "UTF-16")}; convert it to UTF-8");
        }

        int zero = bytes.IndexOf((byte)0);
        if (zero >= 0)
        {
            throw new MachineReadException(name, SourceText.LineAt(bytes, zero), "0x00",
                $"a zero byte at offset {zero}: a binary file, or one of a PCI function's config; the folder of the whole tree is read");
        }
    }

    /// <summary>The error for a text that no reader takes, with a guess at what it is.</summary>
    public static MachineReadException OfText(SourceText text)
    {
        ReadOnlySpan<byte> bytes = text.Bytes.Span.TrimStart(" \t\r\n"u8);
        string head = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 4096)]);
        string firstLine = head.Split('\n')[0].Trim();
        string what =
            head.Length == 0 ? "nothing but blanks"
            : Has(head, "MemTotal:") ? "/proc/meminfo"
            : Has(head, "processor\t:") || Has(head, "Architecture:") ? "a description of the processor without PCI devices (cpuinfo, lscpu)"
            : Has(head, "available:") && Has(head, "node distances") ? "numactl --hardware"
            : Has(head, "] pci ") || Has(head, "[    0.") ? "a kernel log"
            : Has(head, "NVIDIA-SMI") ? "the table of nvidia-smi; the matrix of 'nvidia-smi topo -m' is read"
            : Has(head, "*-") && Has(head, "description:") ? "the text of lshw; use lspci -vvv"
            : Has(head, "Slot:\t") || Has(head, "Device:\t") ? "lspci's machine-readable form (-mm, -vmm); use lspci -vvv"
            : Has(head, "flowchart") || Has(head, "digraph") ? "a drawing in text"
            : firstLine.StartsWith("# ", StringComparison.Ordinal) || firstLine.StartsWith("## ", StringComparison.Ordinal)
                ? "a Markdown page without a fenced lspci text"
            : firstLine.Count(static c => c == ',') >= 2 ? "a table (CSV)"
            : "text of a kind that is not known here";
        return text.Error(1, firstLine, $"this looks like {what}. {Read}");
    }

    /// <summary>The error for a file that is known to be something else.</summary>
    public static MachineReadException Unknown(string name, string what) => new(name, 0, null, $"this looks like {what}. {Read}");

    private const string Read =
        "Read are: lspci -vvv, -xxxx and -t; a copy of /sys/bus/pci/devices or /sys/class/kfd (folder or .tar.gz); hwloc XML; NCCL XML; nvidia-smi topo -m; own JSON";

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.Ordinal);
}
