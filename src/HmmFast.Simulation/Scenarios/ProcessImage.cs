using System.Globalization;
using System.Text;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Machines;
using HmmFast.Simulation.Machines.Readers;

namespace HmmFast.Simulation.Scenarios;

/// <summary>A made-up process, described in JSON: VMAs, and a pattern of page states that repeats until the VMA is full. Becomes a <see cref="Capture"/>.</summary>
/// <remarks>
/// <c>{ "name": "...", "vmas": [ { "at": "0x7f0000000000", "size": "64MiB", "protection": "rw", "kind": "privateAnonymous", "file": "...",
/// "hugePages": true, "pages": [ { "count": 512, "state": "huge" }, { "count": 64, "state": "hole" } ] } ] }</c>. States: hole, own, shared (with
/// another process), zero, hugeZero, huge, swapped, file. Comments and trailing commas are allowed; unknown members are not.
/// </remarks>
public static class ProcessImage
{
    private const string DefaultResource = "HmmFast.Simulation.Scenarios.default.process.json";
    private const ulong MaxPages = 1UL << 28;

    /// <summary>The process that the main job runs on when none is named: about 1 GiB of a graph server.</summary>
    public static Capture Default()
    {
        using Stream stream = typeof(ProcessImage).Assembly.GetManifestResourceStream(DefaultResource)
            ?? throw new InvalidOperationException($"The assembly lacks {DefaultResource}.");
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd(), "the embedded process");
    }

    /// <summary>Reads a process from JSON.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">Its name for messages.</param>
    /// <exception cref="CaptureException">The text is no such process; the message names the member, the value and the bound.</exception>
    public static Capture Parse(string json, string place)
    {
        ImageText image;
        try
        {
            image = ReadImage(JsonPart.Parse(new SourceText(place, Encoding.UTF8.GetBytes(json))));
        }
        catch (MachineReadException e)
        {
            string where = e.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{place}:{e.Line}") : place;
            throw new CaptureException(where, e.Value is null ? e.Problem : $"'{e.Value}': {e.Problem}", e);
        }

        CaptureBuilder builder = new();
        Dictionary<string, int> files = AddFiles(builder, image, place);
        for (int i = 0; i < image.Vmas.Count; i++)
        {
            AddVma(builder, image.Vmas[i], files, Place(place, image.Vmas[i], i));
        }

        return builder.Build(new CaptureFacts { ProcessName = image.Name });
    }

    private static string Place(string place, VmaText vma, int index) => string.Create(CultureInfo.InvariantCulture, $"{place}:{vma.Line}: vmas[{index}]");

    private static ImageText ReadImage(JsonPart root)
    {
        root.Expect("name", "vmas");
        return new ImageText
        {
            Name = root.Require("name").Text(),
            Vmas = [.. root.Require("vmas").Items().Select(ReadVma)],
        };
    }

    private static VmaText ReadVma(JsonPart part)
    {
        part.Expect("at", "size", "protection", "kind", "file", "hugePages", "pages");
        return new VmaText
        {
            Line = part.Line,
            At = part.Require("at").Text(),
            Size = part.Require("size").Text(),
            Protection = part.Require("protection").Text(),
            Kind = part.Require("kind").Enum<MappingKind>("kind of mapping"),
            File = part.Text("file"),
            HugePages = part.Bool("hugePages") ?? false,
            Pages = part.Take("pages") is { } pages ? [.. pages.Items().Select(ReadSegment)] : [],
        };
    }

    private static SegmentText ReadSegment(JsonPart part)
    {
        part.Expect("count", "state");
        _ = part.Require("count");
        return new SegmentText { Count = (ulong)part.Int("count", (int)MaxPages)!.Value, State = part.Require("state").Text() };
    }

    private static Dictionary<string, int> AddFiles(CaptureBuilder builder, ImageText image, string place)
    {
        Dictionary<string, ulong> pages = new(StringComparer.Ordinal);
        for (int i = 0; i < image.Vmas.Count; i++)
        {
            VmaText vma = image.Vmas[i];
            bool wantsFile = vma.Kind is MappingKind.PrivateFile or MappingKind.SharedFile;
            if (wantsFile != vma.File is not null)
            {
                throw new CaptureException(Place(place, vma, i), $"kind {vma.Kind} {(wantsFile ? "needs" : "takes no")} file.");
            }

            if (vma.File is not null)
            {
                pages[vma.File] = pages.GetValueOrDefault(vma.File) + PagesOf(vma.Size, $"{Place(place, vma, i)}.size");
            }
        }

        return pages.ToDictionary(
            file => file.Key,
            file => builder.AddFile(new CapturedFile(file.Key.StartsWith("memfd:", StringComparison.Ordinal) ? FileKind.Memfd : FileKind.Disk, file.Key, file.Value)),
            StringComparer.Ordinal);
    }

    private static void AddVma(CaptureBuilder builder, VmaText vma, Dictionary<string, int> files, string place)
    {
        ulong start = PageAt(vma.At, $"{place}.at");
        ulong pageCount = PagesOf(vma.Size, $"{place}.size");
        VpnRange range = start <= VpnRange.LimitVpn - pageCount
            ? new VpnRange(new Vpn(start), pageCount)
            : throw new CaptureException($"{place}.at", $"'{vma.At}' and {pageCount} pages end past page 0x{VpnRange.LimitVpn:x}.");
        Protection protection = vma.Protection switch
        {
            "none" => Protection.None,
            "r" => Protection.Read,
            "w" => Protection.Write,
            "rw" => Protection.ReadWrite,
            _ => throw new CaptureException($"{place}.protection", $"'{vma.Protection}' is none of none, r, w, rw."),
        };
        builder.BeginVma(new CapturedVma(
            range,
            protection,
            vma.Kind,
            vma.File is null ? -1 : files[vma.File],
            0,
            vma.HugePages ? VmaTraits.HugePageAdvised : VmaTraits.None));
        if (vma.Pages.Count == 0)
        {
            return;
        }

        ulong done = 0;
        for (int i = 0; done < pageCount; i = (i + 1) % vma.Pages.Count)
        {
            SegmentText segment = vma.Pages[i];
            if (segment.Count is 0 or > MaxPages)
            {
                throw new CaptureException($"{place}.pages[{i}].count", $"{segment.Count} lies outside 1 to {MaxPages}.");
            }

            ulong count = Math.Min(segment.Count, pageCount - done);
            PageState state = StateOf(segment.State, vma, $"{place}.pages[{i}].state");
            if ((state & PageState.Huge) != 0 && (((start + done) | count) % PageOrder.PagesPerBlock) != 0)
            {
                throw new CaptureException($"{place}.pages[{i}]", $"{count} huge pages at page 0x{start + done:x} do not fill 2 MiB blocks.");
            }

            if (state != PageState.None)
            {
                builder.AppendSynthetic(new Vpn(start + done), count, state);
            }

            done += count;
        }
    }

    private static PageState StateOf(string name, VmaText vma, string place)
    {
        bool isAnonymous = vma.Kind == MappingKind.PrivateAnonymous;
        (PageState State, bool Fits) found = name switch
        {
            "hole" => (PageState.None, true),
            "own" => (PageState.Present | PageState.Exclusive, vma.Kind is MappingKind.PrivateAnonymous or MappingKind.PrivateFile),
            "shared" => (PageState.Present, vma.Kind is MappingKind.PrivateAnonymous or MappingKind.PrivateFile),
            "zero" => (PageState.Present | PageState.Zero, isAnonymous),
            "hugeZero" => (PageState.Present | PageState.FileOrShared | PageState.Zero | PageState.Huge, isAnonymous),
            "huge" => (PageState.Present | PageState.Exclusive | PageState.Huge, isAnonymous),
            "swapped" => (PageState.Swapped, isAnonymous),
            "file" => (PageState.Present | PageState.FileOrShared, vma.Kind is MappingKind.PrivateFile or MappingKind.SharedFile or MappingKind.SharedAnonymous),
            _ => throw new CaptureException(place, $"'{name}' is none of hole, own, shared, zero, hugeZero, huge, swapped, file."),
        };
        return found.Fits ? found.State : throw new CaptureException(place, $"'{name}' is no state of a {vma.Kind} page.");
    }

    private static ulong PageAt(string text, string place)
    {
        string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address) && address % PageOrder.PageSizeBytes == 0
            ? address / PageOrder.PageSizeBytes
            : throw new CaptureException(place, $"'{text}' is no hexadecimal multiple of 0x{PageOrder.PageSizeBytes:x}.");
    }

    private static ulong PagesOf(string text, string place) =>
        ByteSize.TryParse(text, out ulong bytes) && bytes % PageOrder.PageSizeBytes == 0 && bytes / PageOrder.PageSizeBytes is > 0 and <= MaxPages
            ? bytes / PageOrder.PageSizeBytes
            : throw new CaptureException(place, $"'{text}' is no size of 1 to {MaxPages} whole 4 KiB pages (such as 64MiB).");

    private sealed record ImageText
    {
        public required string Name { get; init; }

        public required IReadOnlyList<VmaText> Vmas { get; init; }
    }

    private sealed record VmaText
    {
        public required int Line { get; init; }

        public required string At { get; init; }

        public required string Size { get; init; }

        public required string Protection { get; init; }

        public required MappingKind Kind { get; init; }

        public string? File { get; init; }

        public bool HugePages { get; init; }

        public IReadOnlyList<SegmentText> Pages { get; init; } = [];
    }

    private sealed record SegmentText
    {
        public required ulong Count { get; init; }

        public required string State { get; init; }
    }
}
