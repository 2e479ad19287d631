using System.Buffers.Binary;
using System.Globalization;
using HmmFast.Simulation.Captures.Live;
using Microsoft.Win32.SafeHandles;

namespace HmmFast.Simulation.Captures;

/// <summary>Captures a live Linux process from /proc, without stopping it.</summary>
/// <remarks>
/// Needs no rights for the user's own processes; frame numbers need CAP_SYS_ADMIN. A running process changes while it is read: each page is
/// as it was when its entry was read, and <see cref="CaptureFacts.LayoutChanged"/> tells when even its VMAs moved.
/// Cost: about 30 ns a populated page; empty memory costs nothing with PAGEMAP_SCAN and 8 bytes of reading a page without.
/// </remarks>
public static class ProcessCapture
{
    /// <summary>Largest pid that Linux gives.</summary>
    public const int MaxProcessId = 1 << 22;

    private const ulong PresentBit = 1UL << 63;
    private const ulong FrameMask = (1UL << 55) - 1;

    /// <summary>Captures a process.</summary>
    /// <param name="processId">Its pid.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="CaptureException">There is no such process, it may not be read, has no memory of its own, or ended on the way.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not 64-bit Linux with 4 KiB pages.</exception>
    public static Capture Take(int processId, ProcessCaptureOptions? options = null)
    {
        options ??= new ProcessCaptureOptions();
        if (!OperatingSystem.IsLinux() || Environment.SystemPageSize != PageOrder.PageSizeBytes || !Environment.Is64BitProcess)
        {
            throw new PlatformNotSupportedException(
                $"Capturing a process needs 64-bit Linux with {PageOrder.PageSizeBytes}-byte pages; this is {Environment.OSVersion.Platform} with {Environment.SystemPageSize}-byte pages.");
        }

        if (processId is < 1 or > MaxProcessId)
        {
            throw new CaptureException($"process {processId}", $"a pid lies between 1 and {MaxProcessId}.");
        }

        string process = $"process {processId.ToString(CultureInfo.InvariantCulture)}";
        string directory = $"/proc/{processId.ToString(CultureInfo.InvariantCulture)}";
        if (!Directory.Exists(directory))
        {
            throw new CaptureException(process, $"does not exist (there is no {directory}).");
        }

        try
        {
            return Read(processId, process, directory, options);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CaptureException(process, $"may not be read: {e.Message} Its own user may, and root (CAP_SYS_PTRACE).", e);
        }
        catch (Exception e) when (e is IOException && !Directory.Exists(directory))
        {
            throw new CaptureException(process, "ended while it was being captured.", e);
        }
        catch (IOException e)
        {
            throw new CaptureException(process, $"has no memory to read: it is a kernel thread or has just ended ({e.Message.Trim()}).", e);
        }
    }

    /// <summary>True when /proc shows this process frame numbers.</summary>
    public static bool CanSeeFrames()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        using SafeFileHandle pagemap = File.OpenHandle("/proc/self/pagemap");
        List<ProcMapping> mappings = ReadMappings("/proc/self", "this process", withDetails: false);
        return CanSeeFrames(pagemap, mappings);
    }

    /// <summary>True when this kernel has PAGEMAP_SCAN.</summary>
    public static bool HasPagemapScan()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        using SafeFileHandle pagemap = File.OpenHandle("/proc/self/pagemap");
        ulong start = 0;
        return PagemapScan.TryScan(pagemap, ref start, PageOrder.PageSizeBytes, new PagemapScan.Region[1], out _);
    }

    private static Capture Read(int processId, string process, string directory, ProcessCaptureOptions options)
    {
        string identity = ReadIdentity(directory, process);
        using SafeFileHandle pagemap = File.OpenHandle($"{directory}/pagemap");
        List<ProcMapping> mappings = ReadMappings(directory, process, withDetails: true);
        if (mappings.Count == 0)
        {
            throw new CaptureException(process, "has no user memory: it is a kernel thread or has ended.");
        }

        CaptureBuilder builder = new();
        ProcessVmas vmas = ProcessVmas.From(mappings, builder);
        bool hasFrames = !options.WithoutFrames && CanSeeFrames(pagemap, mappings);
        using HugePageTest? hugePages = hasFrames && options.Method != PageScanMethod.PagemapScan ? HugePageTest.TryOpen() : null;
        ulong zeroFrame = hugePages is null ? 0 : ZeroFrame.Find();
        ProcessPages pages = new(pagemap, builder, process, hasFrames, zeroFrame, hugePages);
        PageScanMethod method = ReadPages(vmas.Vmas, pages, builder, options);

        // What was read belongs together only if it is still the same process and still has memory.
        if (ReadIdentity(directory, process) != identity)
        {
            throw new CaptureException(process, "ended while it was being captured, and its pid went to another.");
        }

        List<ProcMapping> after = ReadMappings(directory, process, withDetails: false);
        if (after.Count == 0)
        {
            throw new CaptureException(process, "ended while it was being captured.");
        }

        return builder.Build(new CaptureFacts
        {
            ProcessName = ReadText($"{directory}/comm"),
            ProcessId = processId,
            KernelRelease = ReadText("/proc/sys/kernel/osrelease"),
            FrameSource = hasFrames ? FrameSource.Kernel : FrameSource.Synthetic,
            Method = method,
            KnowsHugePages = method == PageScanMethod.PagemapScan || hugePages is not null,
            KnowsZeroPages = method == PageScanMethod.PagemapScan || zeroFrame != 0,
            HugePagesAlways = HugePagesAlways(),
            LayoutChanged = !SameLayout(mappings, after),
            SkippedVmaCount = vmas.SkippedCount,
        });
    }

    private static PageScanMethod ReadPages(List<CapturedVma> vmas, ProcessPages pages, CaptureBuilder builder, ProcessCaptureOptions options)
    {
        PageScanMethod method = options.Method;
        ulong total = 0;
        ulong done = 0;
        foreach (CapturedVma vma in vmas)
        {
            total += vma.Range.PageCount;
        }

        foreach (CapturedVma vma in vmas)
        {
            builder.BeginVma(vma);
            if (method == PageScanMethod.PlainReads)
            {
                pages.ReadPlain(vma);
            }
            else if (pages.TryScan(vma))
            {
                method = PageScanMethod.PagemapScan;
            }
            else if (method == PageScanMethod.Auto)
            {
                method = PageScanMethod.PlainReads;
                pages.ReadPlain(vma);
            }
            else
            {
                throw new CaptureException("PAGEMAP_SCAN", "this kernel does not have it (Linux 6.7 and later do); plain reads work everywhere.");
            }

            done += vma.Range.PageCount;
            options.Progress?.Report((done, total));
        }

        return method;
    }

    private static List<ProcMapping> ReadMappings(string directory, string process, bool withDetails)
    {
        string path = withDetails && File.Exists($"{directory}/smaps") ? $"{directory}/smaps" : $"{directory}/maps";
        using StreamReader reader = new(path);
        return ProcMaps.Read(reader, $"{process}, {path}");
    }

    private static bool SameLayout(List<ProcMapping> before, List<ProcMapping> after)
    {
        if (before.Count != after.Count)
        {
            return false;
        }

        for (int i = 0; i < before.Count; i++)
        {
            if (before[i] with { Flags = null } != after[i])
            {
                return false;
            }
        }

        return true;
    }

    // The state letter and the start time of /proc/N/stat: a zombie has no memory, and a pid that was given anew starts at another time.
    private static string ReadIdentity(string directory, string process)
    {
        string stat = ReadText($"{directory}/stat");
        int nameEnd = stat.LastIndexOf(')');
        string[] fields = nameEnd < 0 ? [] : stat[(nameEnd + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 20)
        {
            throw new CaptureException(process, $"{directory}/stat reads '{stat}', which has no start time.");
        }

        return fields[0] is "Z" or "X"
            ? throw new CaptureException(process, $"has ended already (its state is {fields[0]}).")
            : fields[19];
    }

    private static string ReadText(string path) => File.ReadAllText(path).Trim();

    private static bool HugePagesAlways()
    {
        const string path = "/sys/kernel/mm/transparent_hugepage/enabled";
        return File.Exists(path) && ReadText(path).Contains("[always]", StringComparison.Ordinal);
    }

    // Frame numbers read as 0 without the right to see them; some page of any process is present, so a few entries tell.
    private static bool CanSeeFrames(SafeFileHandle pagemap, List<ProcMapping> mappings)
    {
        Span<byte> word = stackalloc byte[8];
        foreach (ProcMapping mapping in mappings)
        {
            ulong end = Math.Min(mapping.End, mapping.Start + (16 * PageOrder.PageSizeBytes));
            for (ulong at = mapping.Start; at < end && at < 1UL << 56; at += PageOrder.PageSizeBytes)
            {
                if (RandomAccess.Read(pagemap, word, (long)(at / PageOrder.PageSizeBytes * 8)) != word.Length)
                {
                    break;
                }

                ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(word);
                if ((entry & PresentBit) != 0 && (entry & FrameMask) != 0)
                {
                    return true;
                }

                if ((entry & PresentBit) != 0)
                {
                    return false;
                }
            }
        }

        return false;
    }
}
