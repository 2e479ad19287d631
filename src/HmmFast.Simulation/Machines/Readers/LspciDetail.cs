namespace HmmFast.Simulation.Machines.Readers;

/// <summary>The indented lines of a function in an lspci text.</summary>
internal static class LspciDetail
{
    /// <summary>The ACS bits in the order of their numbers, as lspci abbreviates them.</summary>
    private static readonly string[] AcsBitNames =
        ["SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl", "DirectTrans"];

    // Longer phrases first: one must not be found inside another.
    private static readonly (string Phrase, byte Type)[] ExpressTypes =
    [
        ("Root Complex Integrated Endpoint", 9),
        ("Root Complex Event Collector", 10),
        ("PCI-Express to PCI/PCI-X Bridge", 7),
        ("PCI/PCI-X to PCI-Express Bridge", 8),
        ("Legacy Endpoint", 1),
        ("Endpoint", 0),
        ("Root Port", 4),
        ("Upstream Port", 5),
        ("Downstream Port", 6),
    ];

    public static void Read(LspciReader.Record record, string key, string value, bool isOuter, SourceText text, int line)
    {
        FunctionDraft draft = record.Draft;
        switch (key)
        {
            case "Control" or "Flags" when isOuter:
                // -v has Flags and lists capabilities if there are any; -vv has Status, which says whether there are any.
                record.SawDetails = true;
                record.HasNoCapabilities |= key == "Flags";
                break;
            case "Status" when isOuter:
                record.SawDetails = true;
                record.HasNoCapabilities |= value.StartsWith("Cap-", StringComparison.Ordinal);
                break;
            case "Capabilities":
                ReadCapability(record, value, text, line);
                break;
            case "Bus" when isOuter:
                ReadBuses(draft, value, text, line);
                break;
            case "NUMA node" when isOuter:
                draft.NumaNode = Whole(value, "a NUMA node", text, line);
                break;
            case "IOMMU group" when isOuter:
                draft.IommuGroup = Whole(value, "an IOMMU group", text, line);
                break;
            case "Kernel driver in use" when isOuter:
                draft.Driver = value;
                break;
            case "Subsystem" when isOuter:
                ReadSubsystem(draft, value);
                break;
            case "ACSCap":
                record.AcsCapability = AcsBits(value, text, line);
                record.AcsLine = line;
                record.SawAcs = true;
                break;
            case "ACSCtl":
                record.AcsControl = AcsBits(value, text, line);
                record.SawAcs = true;
                break;
            case "LnkCap":
                draft.MaxSpeed = Numbers.GigatransfersIn(value);
                draft.MaxWidth = WidthIn(value);
                break;
            case "LnkSta":
                draft.Speed = Numbers.GigatransfersIn(value);
                draft.Width = WidthIn(value);
                break;
            case "IOVCtl":
                record.VirtualFunctionsAreOff = value.StartsWith("Enable-", StringComparison.Ordinal);
                break;
            case "Initial VFs":
                int count = NumberAfter(value, "Number of VFs: ", text, line);
                draft.VirtualFunctionCount = record.VirtualFunctionsAreOff ? 0 : count;
                break;
            case "VF offset":
                draft.VirtualFunctionOffset = NumberAfter("VF offset: " + value, "VF offset: ", text, line);
                draft.VirtualFunctionStride = NumberAfter(value, "stride: ", text, line);
                int at = value.IndexOf("Device ID: ", StringComparison.Ordinal);
                draft.VirtualFunctionDeviceId = at >= 0 && Numbers.TryHex16(value.AsSpan(at + 11), out ushort id) ? id : null;
                break;
            default:
                if (isOuter && key.StartsWith("Region ", StringComparison.Ordinal))
                {
                    if (!Numbers.TryInt(key.AsSpan(7), out int index) || index > 5)
                    {
                        throw text.Error(line, key, "a region's number is 0 to 5");
                    }

                    ReadRegion(record, index, value, text, line);
                }

                break;
        }
    }

    /// <summary>Reads <c>Memory at f8000000 (32-bit, non-prefetchable) [size=16M]</c>.</summary>
    public static void ReadRegion(LspciReader.Record record, int index, string value, SourceText text, int line)
    {
        int at = value.IndexOf(" at ", StringComparison.Ordinal);
        if (at < 0)
        {
            throw text.Error(line, value, "a region 'Memory at ...' or 'I/O ports at ...' expected");
        }

        int end = value.IndexOf(' ', at + 4);
        ReadOnlySpan<char> address = value.AsSpan(at + 4, (end < 0 ? value.Length : end) - at - 4);
        ulong? start = Numbers.TryHex(address, ulong.MaxValue, out ulong number) ? number : null;
        if (start is null && !address.StartsWith("<"))
        {
            throw text.Error(line, address.ToString(), "the region's address is not hexadecimal");
        }

        ulong? size = null;
        int sizeAt = value.IndexOf("[size=", StringComparison.Ordinal);
        if (sizeAt >= 0)
        {
            int close = value.IndexOf(']', sizeAt);
            if (close < 0 || !Numbers.TrySize(value.AsSpan(sizeAt + 6, close - sizeAt - 6), out ulong bytes))
            {
                throw text.Error(line, value[sizeAt..], "a size like [size=16M] expected");
            }

            size = bytes;
        }

        record.SawDetails = true;
        record.Bars.Add(new BarDescription
        {
            Index = index,
            Start = start,
            SizeBytes = size,
            IsIo = value.StartsWith("I/O", StringComparison.Ordinal),
            Is64Bit = value.Contains("64-bit", StringComparison.Ordinal),
            IsPrefetchable = value.Contains("prefetchable", StringComparison.Ordinal)
                && !value.Contains("non-prefetchable", StringComparison.Ordinal),
        });
    }

    /// <summary>Reads <c>SrcValid+ TransBlk- ...</c>; all seven bits must be there, what follows them is of newer versions.</summary>
    public static ushort AcsBits(string value, SourceText text, int line)
    {
        string[] words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int bits = 0;
        for (int i = 0; i < AcsBitNames.Length; i++)
        {
            string expected = AcsBitNames[i];
            if (i >= words.Length || words[i].Length != expected.Length + 1 || !words[i].StartsWith(expected, StringComparison.Ordinal)
                || words[i][^1] is not ('+' or '-'))
            {
                throw text.Error(line, i < words.Length ? words[i] : value, $"the ACS bit {expected}+ or {expected}- expected here");
            }

            bits |= words[i][^1] == '+' ? 1 << i : 0;
        }

        return (ushort)bits;
    }

    private static void ReadCapability(LspciReader.Record record, string value, SourceText text, int line)
    {
        if (value.StartsWith("<access denied>", StringComparison.Ordinal))
        {
            record.AccessDenied = true;
            return;
        }

        int close = value.IndexOf(']', StringComparison.Ordinal);
        int end = value.IndexOf(' ', StringComparison.Ordinal);
        end = end < 0 || end > close ? close : end;
        if (!value.StartsWith('[') || close < 0 || !Numbers.TryHex(value.AsSpan(1, end - 1), 0xFFF, out ulong offset))
        {
            throw text.Error(line, value, "a capability '[offset] Name' expected");
        }

        record.SawCapabilities = true;
        string name = value[(close + 1)..].Trim();
        if (offset >= 0x100)
        {
            record.SawExtended = true;
            record.SawAcs |= name.StartsWith("Access Control Services", StringComparison.Ordinal);
        }
        else if (name.StartsWith("Express", StringComparison.Ordinal))
        {
            record.Draft.IsPcie = true;
            foreach ((string phrase, byte type) in ExpressTypes)
            {
                if (name.Contains(phrase, StringComparison.Ordinal))
                {
                    record.Draft.PcieType = type;
                    break;
                }
            }
        }
    }

    private static void ReadBuses(FunctionDraft draft, string value, SourceText text, int line)
    {
        draft.SecondaryBus = BusAfter(value, "secondary=", text, line);
        draft.SubordinateBus = BusAfter(value, "subordinate=", text, line);
    }

    private static byte BusAfter(string value, string word, SourceText text, int line)
    {
        int at = value.IndexOf(word, StringComparison.Ordinal);
        int end = at < 0 ? -1 : value.IndexOf(',', at);
        if (at < 0 || !Numbers.TryHex8(value.AsSpan(at + word.Length, (end < 0 ? value.Length : end) - at - word.Length), out byte bus))
        {
            throw text.Error(line, value, $"{word} with a bus number of two hexadecimal digits expected");
        }

        return bus;
    }

    private static void ReadSubsystem(FunctionDraft draft, string value)
    {
        int bracket = value.LastIndexOf('[');
        if (LspciHeader.TryIds(value, bracket + 1, out ushort vendor, out ushort device))
        {
            draft.SubsystemVendorId = vendor;
            draft.SubsystemDeviceId = device;
        }
    }

    private static int? WidthIn(string value)
    {
        int at = value.IndexOf("Width x", StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        int end = at + 7;
        while (end < value.Length && char.IsAsciiDigit(value[end]))
        {
            end++;
        }

        return Numbers.TryInt(value.AsSpan(at + 7, end - at - 7), out int width) && width > 0 ? width : null;
    }

    private static int Whole(string value, string what, SourceText text, int line) =>
        Numbers.TryInt(value, out int number) ? number : throw text.Error(line, value, $"{what} is a whole number");

    private static int NumberAfter(string value, string word, SourceText text, int line)
    {
        int at = value.IndexOf(word, StringComparison.Ordinal);
        int start = at + word.Length;
        int end = start;
        while (at >= 0 && end < value.Length && char.IsAsciiDigit(value[end]))
        {
            end++;
        }

        return at >= 0 && Numbers.TryInt(value.AsSpan(start, end - start), out int number) && number <= ushort.MaxValue
            ? number
            : throw text.Error(line, value, $"{word.TrimEnd()} with a number up to 65535 expected");
    }
}
