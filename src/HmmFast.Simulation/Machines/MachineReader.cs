using System.IO.Compression;
using HmmFast.Simulation.Machines.Readers;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>
/// Reads a machine's description from whatever there is: own JSON, lspci texts, sysfs and kfd trees (folder, .tar, .tar.gz), hwloc and
/// NCCL XML, nvidia-smi's matrix, Markdown with such texts, or the running machine. The format is told from the content.
/// </summary>
/// <remarks>
/// Input is not trusted: sizes, nesting and counts are bounded, XML has no DTD and no entities. What is refused is refused with a
/// <see cref="MachineReadException"/> that names file, line and value; nothing else is thrown for bad content. Cost: linear in the size;
/// the largest real text here (0.9 MB, 517 functions) takes some ten milliseconds.
/// </remarks>
public static class MachineReader
{
    /// <summary>Larger files are refused, packed or unpacked.</summary>
    public const int MaxFileBytes = 256 << 20;

    private const string RunningPci = "bus/pci/devices";

    /// <summary>Reads one machine from a file or folder. <c>file.tar.gz#folder/inside</c> names one of several machines in a packed file.</summary>
    /// <param name="path">The file or folder.</param>
    /// <returns>The machine.</returns>
    /// <exception cref="MachineReadException">Not there, not readable, not a machine's description, or more than one.</exception>
    public static MachineDescription Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string? inside = null;
        string file = path;
        int hash = path.LastIndexOf('#');
        if (hash > 0 && !File.Exists(path) && !Directory.Exists(path))
        {
            file = path[..hash];
            inside = path[(hash + 1)..].Trim('/');
        }

        List<MachineDescription> machines = OpenAll(file, inside);
        return machines.Count == 1
            ? machines[0]
            : throw new MachineReadException(path, 0, null,
                $"{machines.Count} machines are in it; name one: {string.Join(", ", machines.Take(20).Select(machine => machine.Source))}");
    }

    /// <summary>Reads every machine of a file or folder: several where a packed file or folder holds several trees.</summary>
    /// <param name="path">The file or folder.</param>
    /// <returns>At least one machine, in the order of their folders.</returns>
    /// <exception cref="MachineReadException">Not there, not readable, or no machine's description.</exception>
    public static IReadOnlyList<MachineDescription> OpenAll(string path) => OpenAll(path, null);

    /// <summary>Reads one machine from bytes in memory, as <see cref="Open"/> does from a file.</summary>
    /// <param name="content">The file's content.</param>
    /// <param name="name">The name for messages and for <see cref="MachineDescription.Source"/>.</param>
    /// <returns>The machine.</returns>
    /// <exception cref="MachineReadException">Not a machine's description, or more than one.</exception>
    public static MachineDescription Parse(ReadOnlyMemory<byte> content, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        List<MachineDescription> machines = ParseAll(content, name, null);
        return machines.Count == 1
            ? machines[0]
            : throw new MachineReadException(name, 0, null, $"{machines.Count} machines are in it; one was asked for");
    }

    /// <summary>
    /// Reads the machine that this process runs on: /sys/bus/pci/devices, /proc/cpuinfo and, if there, /sys/class/kfd. Without root, ACS
    /// and PCIe types stay unknown.
    /// </summary>
    /// <exception cref="MachineReadException">There is no /sys/bus/pci (not Linux, or a container without it), or it has no function.</exception>
    public static MachineDescription ReadRunningMachine()
    {
        var tree = new DiskTree("/sys");
        if (tree.Folders(RunningPci).Count == 0)
        {
            throw new MachineReadException("/sys/" + RunningPci, 0, null, "no PCI functions here: not Linux, or hidden from this process");
        }

        const string Kfd = "class/kfd/kfd/topology/nodes";
        return SysfsReader.Read(tree, RunningPci, MachineFormat.RunningMachine, tree.Folders(Kfd).Count > 0 ? Kfd : null);
    }

    private static List<MachineDescription> OpenAll(string path, string? inside)
    {
        if (Directory.Exists(path))
        {
            return ReadTree(new DiskTree(Path.TrimEndingDirectorySeparator(path)), inside);
        }

        byte[] content;
        try
        {
            long length = new FileInfo(path).Length;
            if (length > MaxFileBytes)
            {
                throw new MachineReadException(path, 0, null, $"{length} bytes; files up to {MaxFileBytes} bytes are read");
            }

            content = File.ReadAllBytes(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new MachineReadException(path, 0, null, $"cannot be read: {fault.Message}", fault);
        }

        return ParseAll(content, path, inside);
    }

    private static List<MachineDescription> ParseAll(ReadOnlyMemory<byte> content, string name, string? inside)
    {
        if (content.Span.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            content = Unpack(content, name);
        }

        if (content.Length > 262 && content.Span.Slice(257, 5).SequenceEqual("ustar"u8))
        {
            return ReadTree(new TarTree(name, content.ToArray()), inside);
        }

        if (inside is not null)
        {
            throw new MachineReadException(name, 0, inside, "a folder inside was named, and this is no packed file");
        }

        ForeignFile.RefuseBinary(name, content.Span);
        return [ParseText(new SourceText(name, content))];
    }

    private static MachineDescription ParseText(SourceText text)
    {
        ReadOnlySpan<byte> start = text.Bytes.Span.TrimStart(" \t\r\n"u8);
        if (start.IsEmpty)
        {
            throw ForeignFile.OfText(text);
        }

        if (start[0] is (byte)'{' or (byte)'/' || (start[0] == (byte)'[' && OpensArray(start)))
        {
            return MachineJsonReader.Read(text);
        }

        if (start[0] == (byte)'<')
        {
            return ParseXml(text);
        }

        bool isTree = false;
        bool isLspci = false;
        foreach (string line in text.Lines.Take(64))
        {
            isTree |= LspciTreeReader.LooksLike(line);
            isLspci |= LspciHeader.TryAddress(line, out _);
            if (isTree || isLspci)
            {
                break;
            }

            if (NvidiaSmiReader.IsHead(line))
            {
                var matrix = new MachineDraft(text.Name, MachineFormat.NvidiaSmiMatrix) { ListsEveryFunction = false };
                NvidiaSmiReader.ReadInto(matrix, text, 0, text.Lines.Count);
                return matrix.Complete();
            }
        }

        if (TranscriptReader.LooksLike(text))
        {
            return TranscriptReader.Read(text);
        }

        if (isTree)
        {
            var tree = new MachineDraft(text.Name, MachineFormat.LspciTree);
            LspciTreeReader.ReadInto(tree, text, 0, text.Lines.Count);
            return tree.Complete();
        }

        if (isLspci)
        {
            var listing = new MachineDraft(text.Name, MachineFormat.LspciText);
            if (LspciReader.ReadInto(listing, text, 0, text.Lines.Count))
            {
                listing.Format = MachineFormat.LspciHexDump;
            }

            return listing.Complete();
        }

        throw ForeignFile.OfText(text);
    }

    // A bracket may also open the time stamp of a log line, or the prompt of a copied terminal.
    private static bool OpensArray(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> next = text[1..].TrimStart(" \t\r\n"u8);
        bool isStamp = text[..Math.Min(text.Length, 32)].IndexOf("] "u8) > 0;
        return next.IsEmpty || ("{[\"]-0123456789"u8.Contains(next[0]) && !isStamp);
    }

    private static MachineDescription ParseXml(SourceText text)
    {
        string? root = null;
        using (var xml = new HardenedXml(text))
        {
            while (root is null && xml.Read())
            {
                root = xml.Kind == System.Xml.XmlNodeType.Element ? xml.Name : null;
            }
        }

        return root switch
        {
            "topology" or "root" => HwlocReader.Read(text),
            "system" => NcclReader.Read(text),
            "html" => throw ForeignFile.Unknown(text.Name, "a web page"),
            "svg" => throw ForeignFile.Unknown(text.Name, "a picture (SVG)"),
            "list" or "node" => throw ForeignFile.Unknown(text.Name, "the XML of lshw"),
            "nvidia_smi_log" => throw ForeignFile.Unknown(text.Name, "the XML of nvidia-smi -q"),
            "domain" => throw ForeignFile.Unknown(text.Name, "a libvirt domain"),
            _ => throw ForeignFile.Unknown(text.Name, $"XML with the root element '{root}'"),
        };
    }

    private static List<MachineDescription> ReadTree(FileTree tree, string? inside)
    {
        IReadOnlyList<(string Path, bool IsKfd, string? KfdBeside)> places = TreeFinder.Find(tree);
        var machines = new List<MachineDescription>();
        foreach ((string path, bool isKfd, string? kfdBeside) in places)
        {
            if (inside is null || inside.Length == 0 || path == inside || path.StartsWith(inside + "/", StringComparison.Ordinal)
                || path.EndsWith("/" + inside, StringComparison.Ordinal))
            {
                machines.Add(isKfd ? KfdReader.Read(tree, path) : SysfsReader.Read(tree, path, MachineFormat.SysfsTree, kfdBeside));
            }
        }

        if (machines.Count == 0 && inside is { Length: > 0 } && tree.Read(inside) is byte[] content)
        {
            return ParseAll(content, tree.Show(inside), null);
        }

        if (machines.Count == 0)
        {
            string[] seen = [.. tree.Folders("").Concat(tree.Files("")).Take(8)];
            throw new MachineReadException(tree.Name, 0, inside, places.Count > 0
                ? $"no such machine inside; there are: {string.Join(", ", places.Take(20).Select(place => place.Path))}"
                : $"neither folders named by PCI addresses nor kfd nodes are in it; it holds {(seen.Length == 0 ? "nothing" : string.Join(", ", seen))}");
        }

        return machines;
    }

    // Unpacked whole and bounded, so that a bomb stops at the bound and a cut file is told by its length.
    private static byte[] Unpack(ReadOnlyMemory<byte> packed, string name)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(packed.ToArray(), writable: false), CompressionMode.Decompress);
            var unpacked = new MemoryStream();
            byte[] buffer = new byte[81920];
            int count;
            while ((count = gzip.Read(buffer)) > 0)
            {
                unpacked.Write(buffer, 0, count);
                if (unpacked.Length > MaxFileBytes)
                {
                    throw new MachineReadException(name, 0, null, $"more than {MaxFileBytes} bytes unpacked");
                }
            }

            uint stated = packed.Length < 18 ? uint.MaxValue : BitConverter.ToUInt32(packed.Span[^4..]);
            if (stated != (uint)unpacked.Length)
            {
                throw new MachineReadException(name, 0, null,
                    $"the packed file is cut short or has bytes behind its end: it states {stated} bytes and unpacks to {unpacked.Length}");
            }

            return unpacked.ToArray();
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException)
        {
            throw new MachineReadException(name, 0, null, $"not a whole gzip file: {fault.Message}", fault);
        }
    }
}
