namespace HmmFast.Simulation.Captures;

/// <summary>A capture as bytes, column by column, before compression.</summary>
/// <remarks>
/// Order: facts; files (kinds, names, sizes); VMAs (gaps, lengths, packed kind and protection, traits, files, offsets); page runs (gaps, lengths, states);
/// frame runs (differences from where the run before would go on, lengths). Columns of one thing lie together because like compresses with like.
/// </remarks>
internal static class CaptureCodec
{
    /// <summary>Most bytes that a capture may take before compression.</summary>
    public const int MaxPayloadBytes = 256 << 20;

    private const byte MaxTraits = (byte)(VmaTraits.HugePageAdvised | VmaTraits.NoHugePageAdvised | VmaTraits.HugeTlb | VmaTraits.Executable);
    private const ulong MaxFilePages = 1UL << 52;

    public static ColumnWriter Encode(Capture capture)
    {
        ColumnWriter writer = new();
        WriteFacts(writer, capture.Facts);
        WriteFiles(writer, capture.Files);
        WriteVmas(writer, capture.Vmas);
        WriteRuns(writer, capture.Runs);
        WriteFrames(writer, capture.Frames);
        return writer.Length <= MaxPayloadBytes
            ? writer
            : throw new CaptureException("capture", $"it takes {writer.Length} bytes before compression; a capture may take {MaxPayloadBytes}. Without frame numbers it is smaller.");
    }

    public static Capture Decode(ReadOnlySpan<byte> payload)
    {
        ColumnReader reader = new(payload);
        CaptureFacts facts = ReadFacts(ref reader);
        CapturedFile[] files = ReadFiles(ref reader);
        CapturedVma[] vmas = ReadVmas(ref reader);
        PageRun[] runs = ReadRuns(ref reader);
        FrameRun[] frames = ReadFrames(ref reader);
        return reader.Left == 0
            ? new Capture(facts, vmas, files, runs, frames)
            : throw new CaptureException("payload", $"{reader.Left} bytes follow the last column.");
    }

    private static void WriteFacts(ColumnWriter writer, CaptureFacts facts)
    {
        writer.Text(facts.ProcessName);
        writer.Number((ulong)facts.ProcessId);
        writer.Text(facts.KernelRelease);
        writer.Byte((byte)facts.FrameSource);
        writer.Byte((byte)facts.Method);
        writer.Byte(facts.KnowsHugePages ? (byte)1 : (byte)0);
        writer.Byte(facts.KnowsZeroPages ? (byte)1 : (byte)0);
        writer.Byte(facts.HugePagesAlways ? (byte)1 : (byte)0);
        writer.Byte(facts.LayoutChanged ? (byte)1 : (byte)0);
        writer.Number((ulong)facts.SkippedVmaCount);
    }

    private static CaptureFacts ReadFacts(ref ColumnReader reader) => new()
    {
        ProcessName = reader.Text("process name"),
        ProcessId = (int)reader.Number("pid", int.MaxValue),
        KernelRelease = reader.Text("kernel release"),
        FrameSource = (FrameSource)reader.Byte("frame source", (byte)FrameSource.Synthetic),
        Method = (PageScanMethod)reader.Byte("scan method", (byte)PageScanMethod.PlainReads),
        KnowsHugePages = reader.Flag("huge pages known"),
        KnowsZeroPages = reader.Flag("zero pages known"),
        HugePagesAlways = reader.Flag("huge pages always"),
        LayoutChanged = reader.Flag("layout changed"),
        SkippedVmaCount = (int)reader.Number("skipped VMAs", Capture.MaxVmaCount),
    };

    private static void WriteFiles(ColumnWriter writer, ReadOnlySpan<CapturedFile> files)
    {
        writer.Number((ulong)files.Length);
        foreach (CapturedFile file in files)
        {
            writer.Byte((byte)file.Kind);
        }

        foreach (CapturedFile file in files)
        {
            writer.Text(file.Name);
        }

        foreach (CapturedFile file in files)
        {
            writer.Number(file.PageCount);
        }
    }

    private static CapturedFile[] ReadFiles(ref ColumnReader reader)
    {
        int count = reader.Count("files", Capture.MaxVmaCount, bytesEach: 3);
        FileKind[] kinds = new FileKind[count];
        string[] names = new string[count];
        CapturedFile[] files = new CapturedFile[count];
        for (int i = 0; i < count; i++)
        {
            kinds[i] = (FileKind)reader.Byte("file kind", (byte)FileKind.Disk);
        }

        for (int i = 0; i < count; i++)
        {
            names[i] = reader.Text("file name");
        }

        for (int i = 0; i < count; i++)
        {
            files[i] = new CapturedFile(kinds[i], names[i], reader.Number("file pages", MaxFilePages));
        }

        return files;
    }

    private static void WriteVmas(ColumnWriter writer, ReadOnlySpan<CapturedVma> vmas)
    {
        writer.Number((ulong)vmas.Length);
        ulong end = 0;
        foreach (CapturedVma vma in vmas)
        {
            writer.Number(vma.Range.Start.Value - end);
            end = vma.Range.End.Value;
        }

        foreach (CapturedVma vma in vmas)
        {
            writer.Number(vma.Range.PageCount);
        }

        foreach (CapturedVma vma in vmas)
        {
            writer.Byte((byte)(((byte)vma.Kind << 2) | (byte)vma.Protection));
        }

        foreach (CapturedVma vma in vmas)
        {
            writer.Byte((byte)vma.Traits);
        }

        foreach (CapturedVma vma in vmas)
        {
            writer.Number((ulong)(vma.FileIndex + 1));
        }

        foreach (CapturedVma vma in vmas)
        {
            writer.Number(vma.PageOffset);
        }
    }

    private static CapturedVma[] ReadVmas(ref ColumnReader reader)
    {
        const byte maxPacked = ((byte)MappingKind.DriverIo << 2) | (byte)Protection.ReadWrite;
        int count = reader.Count("VMAs", Capture.MaxVmaCount, bytesEach: 6);
        ulong[] gaps = new ulong[count];
        VpnRange[] ranges = new VpnRange[count];
        byte[] packed = new byte[count];
        byte[] traits = new byte[count];
        int[] files = new int[count];
        CapturedVma[] vmas = new CapturedVma[count];
        for (int i = 0; i < count; i++)
        {
            gaps[i] = reader.Number("VMA gap", VpnRange.LimitVpn);
        }

        ulong end = 0;
        for (int i = 0; i < count; i++)
        {
            // Never negative: the end stays at or below the limit, and a gap that would pass it is refused here.
            ulong start = gaps[i] <= VpnRange.LimitVpn - end
                ? end + gaps[i]
                : throw new CaptureException("VMA gap", $"page 0x{end + gaps[i]:x} lies past 0x{VpnRange.LimitVpn:x}.");
            ulong pageCount = reader.Number("VMA pages", VpnRange.LimitVpn - start);
            ranges[i] = new VpnRange(new Vpn(start), pageCount);
            end = start + pageCount;
        }

        for (int i = 0; i < count; i++)
        {
            packed[i] = reader.Byte("VMA kind", maxPacked);
        }

        for (int i = 0; i < count; i++)
        {
            traits[i] = reader.Byte("VMA traits", MaxTraits);
        }

        for (int i = 0; i < count; i++)
        {
            files[i] = (int)reader.Number("VMA file", Capture.MaxVmaCount) - 1;
        }

        for (int i = 0; i < count; i++)
        {
            vmas[i] = new CapturedVma(
                ranges[i],
                (Protection)(packed[i] & 3),
                (MappingKind)(packed[i] >> 2),
                files[i],
                reader.Number("VMA offset", MaxFilePages),
                (VmaTraits)traits[i]);
        }

        return vmas;
    }

    private static void WriteRuns(ColumnWriter writer, ReadOnlySpan<PageRun> runs)
    {
        writer.Number((ulong)runs.Length);
        ulong end = 0;
        foreach (PageRun run in runs)
        {
            writer.Number(run.Start.Value - end);
            end = run.End.Value;
        }

        foreach (PageRun run in runs)
        {
            writer.Number(run.PageCount);
        }

        foreach (PageRun run in runs)
        {
            writer.Byte((byte)run.State);
        }
    }

    private static PageRun[] ReadRuns(ref ColumnReader reader)
    {
        int count = reader.Count("page runs", int.MaxValue, bytesEach: 3);
        PageRun[] runs = new PageRun[count];

        // The columns come one after the other: gaps wait in the start, lengths in the count, until the state completes the run.
        for (int i = 0; i < count; i++)
        {
            runs[i] = new PageRun(new Vpn(reader.Number("page run gap", VpnRange.LimitVpn)), 0, PageState.None);
        }

        ulong end = 0;
        for (int i = 0; i < count; i++)
        {
            ulong gap = runs[i].Start.Value;
            ulong start = gap <= VpnRange.LimitVpn - end
                ? end + gap
                : throw new CaptureException("page run gap", $"page 0x{end + gap:x} lies past 0x{VpnRange.LimitVpn:x}.");
            ulong pageCount = reader.Number("page run pages", VpnRange.LimitVpn - start);
            runs[i] = new PageRun(new Vpn(start), pageCount, PageState.None);
            end = start + pageCount;
        }

        for (int i = 0; i < count; i++)
        {
            runs[i] = new PageRun(runs[i].Start, runs[i].PageCount, (PageState)reader.Byte("page state", 0x7f));
        }

        return runs;
    }

    private static void WriteFrames(ColumnWriter writer, ReadOnlySpan<FrameRun> frames)
    {
        writer.Number((ulong)frames.Length);
        ulong next = 0;
        foreach (FrameRun run in frames)
        {
            writer.Difference(next, run.First.Value);
            next = run.First.Value + run.PageCount;
        }

        foreach (FrameRun run in frames)
        {
            writer.Number(run.PageCount);
        }
    }

    private static FrameRun[] ReadFrames(ref ColumnReader reader)
    {
        int count = reader.Count("frame runs", int.MaxValue, bytesEach: 2);
        FrameRun[] frames = new FrameRun[count];

        // A first frame is told from where the run before ends, and that run's length comes in the next column: differences wait in First.
        for (int i = 0; i < count; i++)
        {
            frames[i] = new FrameRun(new Pfn(reader.Difference("frame", 0, ulong.MaxValue)), 0);
        }

        ulong next = 0;
        for (int i = 0; i < count; i++)
        {
            ulong first = unchecked(next + frames[i].First.Value);
            if (first > Capture.MaxFrame)
            {
                throw new CaptureException("frame", $"0x{first:x} is larger than 0x{Capture.MaxFrame:x}.");
            }

            ulong pageCount = reader.Number("frame run pages", Capture.MaxFrame - first + 1);
            frames[i] = new FrameRun(new Pfn(first), pageCount);
            next = first + pageCount;
        }

        return frames;
    }
}
