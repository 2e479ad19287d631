using System.Globalization;
using HmmFast.Dma;
using HmmFast.Drivers.Devices;
using HmmFast.Simulation.Machines;
using HmmFast.Simulation.Machines.Readers;
using HmmFast.Simulation.Scenarios;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <content>A scenario's devices, and what the machine says of them.</content>
public static partial class ScenarioReader
{
    private static ScenarioDevice ReadDevice(SourceText text, JsonPart part, List<ScenarioDevice> devices, MachineDescription machine)
    {
        part.Expect("name", "address", "memory", "kind", "chunk", "owner", "dma", "plugged", "window", "busOffset", "unmappedChunks", "gpu");
        JsonPart name = part.Require("name");
        if (devices.Exists(device => device.Name == name.Text()))
        {
            throw name.Error("a second device of this name");
        }

        JsonPart place = part.Require("address");
        PciAddress address = place.Address();
        if (machine.Find(address) is not { } function)
        {
            throw place.Error($"the machine has no such function ({machine.Source})");
        }

        if (devices.Find(device => device.Address == address) is { } other)
        {
            throw place.Error($"\"{other.Name}\" (line {other.Line}) is the device at this address; one function is one device");
        }

        bool hasMemory = part.Take("memory") is { } memory && !(memory.IsText && memory.Value == "none");
        bool isAuto = hasMemory && part.Take("memory") is { IsText: true, Value: "auto" };
        BarDescription? bar = hasMemory ? LargestBar(function) : null;
        ScenarioDevice read = new()
        {
            Name = name.Text(),
            Address = address,
            HasMemory = hasMemory,
            MemoryBytes = !hasMemory || isAuto ? null : Size(part.Require("memory")),
            Kind = part.Take("kind")?.Enum<DeviceMemoryKind>("kind of memory") ?? DeviceMemoryKind.Private,
            ChunkBytes = part.Take("chunk") is { } chunk ? Size(chunk) : 2 << 20,
            Owner = part.Text("owner") ?? (hasMemory ? name.Text() : null),
            Dma = ReadDma(part.Take("dma")),
            IsPluggedAtStart = part.Bool("plugged") ?? true,
            BarBytes = bar?.SizeBytes,
            BarStart = bar?.Start,
            BusOffsetBytes = Offset(part.Take("busOffset")),
            UnmappedChunks = [.. (part.Take("unmappedChunks")?.Items() ?? []).Select(Chunk)],
            Gpu = ReadGpu(part.Take("gpu"), hasMemory),
            Line = part.Line,
        };
        bool isNull = part.Has("owner") && part.Take("owner") is null or { Value: "" };
        if (hasMemory && isNull && read.Kind == DeviceMemoryKind.Private)
        {
            throw text.Error(part.Line, read.Name, "private memory needs an owner: the kernel asks for pagemap->owner == range->owner, so that pages whose owner is NULL would match requests that have none (memremap_pages refuses it). A request can bring NULL (\"forcesSystem\"); memory of kind coherent needs no owner");
        }

        if (read.ChunkBytes % PageOrder.PageSizeBytes != 0 || read.ChunkBytes == 0)
        {
            throw part.Require("chunk").Error($"chunks of {read.ChunkBytes} bytes; a multiple of {PageOrder.PageSizeBytes} expected");
        }

        CheckOverlap(text, read, devices);
        if (read.Kind == DeviceMemoryKind.PciP2pdma)
        {
            throw part.Require("kind").Error("a device's memory is private or coherent; its alias pages are its window");
        }

        if (part.Take("window") is { } window)
        {
            read = ReadWindow(read, window);
        }

        part.Finish();
        return read;
    }

    private static ScenarioDevice ReadWindow(ScenarioDevice device, JsonPart window)
    {
        if (!device.HasMemory)
        {
            throw window.Error($"\"{device.Name}\" has no memory that a window could show");
        }

        string text = window.Text();
        if (text == "none")
        {
            return device with { WindowShare = 0 };
        }

        if (text.EndsWith('%'))
        {
            return Numbers.TryReal(text.AsSpan(0, text.Length - 1), out double percent) && percent is >= 0 and <= 100
                ? device with { WindowShare = percent / 100 }
                : throw window.Error("a share of 0% to 100% expected");
        }

        ulong bytes = Size(window);
        if (device.MemoryBytes is { } memory && bytes > memory)
        {
            throw window.Error($"the window is larger than the {ByteSize.Format(memory)} of memory that \"{device.Name}\" has");
        }

        if (device.BarBytes is { } bar && bytes > bar)
        {
            throw window.Error($"the window is larger than the BAR of {ByteSize.Format(bar)} that the machine gives \"{device.Name}\"");
        }

        if (bytes < device.ChunkBytes)
        {
            throw window.Error($"the window is smaller than one chunk of {ByteSize.Format(device.ChunkBytes)}");
        }

        return device with { WindowBytes = bytes };
    }

    private static DmaDeviceOptions ReadDma(JsonPart? part)
    {
        if (part is null)
        {
            return new DmaDeviceOptions();
        }

        part.Expect("iommu", "maskBits", "needsSync", "offset", "iovaStart");
        JsonPart? mask = part.Take("maskBits");
        DmaDeviceOptions read = new()
        {
            UsesIommu = part.Bool("iommu") ?? true,
            MaskBits = part.Int("maskBits", 64) ?? 64,
            NeedsSync = part.Bool("needsSync") ?? false,
            OffsetBytes = Offset(part.Take("offset")),
            IovaStart = part.Take("iovaStart") is { } start ? (ulong)Offset(start) : new DmaDeviceOptions().IovaStart,
        };
        if (read.MaskBits < 12)
        {
            throw mask!.Error("a DMA mask has 12 to 64 bits");
        }

        if (part.Take("iovaStart") is { } first && (read.IovaStart > read.Mask || !read.UsesIommu))
        {
            throw first.Error($"only a device with an IOMMU has IOVAs, and they start at or below its mask, 0x{read.Mask:x}");
        }

        if (part.Take("offset") is { } offset && read.UsesIommu)
        {
            throw offset.Error("with an IOMMU nothing is added to physical addresses; \"iommu\": false has an offset");
        }

        part.Finish();
        return read;
    }

    private static SvmGpuOptions ReadGpu(JsonPart? part, bool hasMemory)
    {
        if (part is null)
        {
            return new SvmGpuOptions();
        }

        if (!hasMemory)
        {
            throw part.Error("only a device with memory moves pages to it");
        }

        part.Expect("migratesOnFault", "migrationTryLimit", "evictLimit");
        SvmGpuOptions plain = new();
        SvmGpuOptions read = new()
        {
            MigratesOnFault = part.Bool("migratesOnFault") ?? plain.MigratesOnFault,
            MigrationTryLimit = part.Int("migrationTryLimit", 1000) ?? plain.MigrationTryLimit,
            EvictLimit = part.Int("evictLimit", 1000) ?? plain.EvictLimit,
        };
        part.Finish();
        return read;
    }

    // Which region shows a device's memory no file says; it is the largest one that is no I/O ports.
    private static BarDescription? LargestBar(PciFunctionDescription function) =>
        function.Bars?.Where(bar => !bar.IsIo && bar.SizeBytes is not null).MaxBy(bar => bar.SizeBytes);

    private static void CheckOverlap(SourceText text, ScenarioDevice read, List<ScenarioDevice> devices)
    {
        foreach (ScenarioDevice other in devices)
        {
            if (read is { BarStart: { } start, BarBytes: { } bytes } && other is { BarStart: { } otherStart, BarBytes: { } otherBytes }
                && start < otherStart + otherBytes && otherStart < start + bytes)
            {
                throw text.Error(read.Line, read.Name, $"its BAR at 0x{start:x} of {ByteSize.Format(bytes)} overlaps that of \"{other.Name}\" (line {other.Line}) at 0x{otherStart:x} of {ByteSize.Format(otherBytes)}");
            }
        }
    }

    private static int Chunk(JsonPart part) => Numbers.TryInt(part.Value, out int chunk)
        ? chunk
        : throw part.Error("the number of a chunk expected");

    /// <summary>A difference of addresses: whole pages, in hexadecimal, with or without a minus sign.</summary>
    private static long Offset(JsonPart? part)
    {
        if (part is null)
        {
            return 0;
        }

        ReadOnlySpan<char> digits = part.Text();
        bool isNegative = digits.StartsWith("-");
        digits = isNegative ? digits[1..] : digits;
        return digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && long.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value)
            && value >= 0 && value % PageOrder.PageSizeBytes == 0
            ? isNegative ? -value : value
            : throw part.Error($"an address difference in hexadecimal, a multiple of {PageOrder.PageSizeBytes}, such as \"0x8000000000\", expected");
    }
}
