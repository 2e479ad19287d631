using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads the text of lspci from plain <c>lspci</c> to <c>-vvv</c>, with <c>-nn</c>, <c>-n</c>, <c>-D</c> or without, and the dumps of
/// <c>-x</c> to <c>-xxxx</c>, also mixed. Indentation by tabs or blanks.
/// </summary>
internal sealed class LspciReader
{
    private const int DetailIndent = 8;
    private const int MaxConfigBytes = 4096;

    private readonly SourceText _text;
    private readonly MachineDraft _machine;
    private readonly HashSet<PciAddress> _seen = [];
    private readonly List<Record> _records = [];
    private readonly List<byte> _config = [];
    private Record? _record;
    private bool _sawExtended;

    private LspciReader(SourceText text, MachineDraft machine)
    {
        _text = text;
        _machine = machine;
    }

    /// <summary>Reads the lines from <paramref name="first"/> up to <paramref name="end"/> (from 0) into a machine.</summary>
    /// <returns>Whether hexadecimal rows were among them.</returns>
    public static bool ReadInto(MachineDraft machine, SourceText text, int first, int end)
    {
        var reader = new LspciReader(text, machine);
        bool hasHex = false;
        for (int i = first; i < end; i++)
        {
            hasHex |= reader.ReadLine(text.Lines[i], i + 1);
        }

        reader.EndRecord();
        reader.Conclude();
        return hasHex;
    }

    private bool ReadLine(string line, int number)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return false;
        }

        if (line[0] is ' ' or '\t')
        {
            ReadDetail(line, number);
            return false;
        }

        if (IsHexRow(line))
        {
            ReadHexRow(line, number);
            return true;
        }

        if (LspciHeader.TryAddress(line, out PciAddress address))
        {
            EndRecord();
            Begin(address, line, number);
            return false;
        }

        if (line.StartsWith("lspci: ", StringComparison.Ordinal) || line.StartsWith("pcilib: ", StringComparison.Ordinal)
            || (_records.Count == 0 && line.Contains("lspci", StringComparison.Ordinal)) || IsLastPrompt(line, number))
        {
            _machine.Remarks.Add($"line {number} read over: {line[..Math.Min(line.Length, 100)]}");
            return false;
        }

        throw _text.Error(number, line, "neither the first line of a function (dddd:bb:dd.f Class: Name) nor one of its indented lines");
    }

    // A copied terminal ends with the next prompt.
    private bool IsLastPrompt(string line, int number) =>
        line.TrimEnd()[^1] is '$' or '#' && _text.Lines.Skip(number).All(string.IsNullOrWhiteSpace);

    private void Begin(PciAddress address, string line, int number)
    {
        if (!_seen.Add(address))
        {
            throw _text.Error(number, address.ToString(), "this address occurs twice");
        }

        FunctionDraft draft = _machine.Find(address) ?? _machine.Add(address, _text.Name, number);
        LspciHeader.Read(draft, line);
        _record = new Record(draft, number);
        _records.Add(_record);
    }

    private void ReadDetail(string line, int number)
    {
        if (_record is not Record record)
        {
            throw _text.Error(number, line.Trim(), "an indented line before the first function; is the head of the text missing?");
        }

        int indent = 0;
        int at = 0;
        for (; at < line.Length && line[at] is ' ' or '\t'; at++)
        {
            indent += line[at] == '\t' ? 8 - (indent % 8) : 1;
        }

        string text = line[at..].TrimEnd();
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (text.StartsWith("!!! Unknown header type", StringComparison.Ordinal))
        {
            record.IsUnreadable = true;
            _machine.Remarks.Add($"line {number}: {record.Draft.Address} did not answer (unknown header type)");
            return;
        }

        if (colon < 0)
        {
            if (indent <= DetailIndent)
            {
                ReadShortRegion(record, text, number);
            }

            return;
        }

        string key = text[..colon];
        string value = text[(colon + 1)..].Trim();
        LspciDetail.Read(record, key, value, indent <= DetailIndent, _text, number);
        _sawExtended |= record.SawExtended;
    }

    // lspci -v writes regions without their numbers.
    private void ReadShortRegion(Record record, string text, int number)
    {
        if (text.StartsWith("Memory at ", StringComparison.Ordinal) || text.StartsWith("I/O ports at ", StringComparison.Ordinal))
        {
            LspciDetail.ReadRegion(record, record.Bars.Count, text, _text, number);
        }
    }

    private static bool IsHexRow(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon is 2 or 3 && (line.Length == colon + 1 || line[colon + 1] == ' ') && Numbers.TryHex(line.AsSpan(0, colon), 0xFFF, out _);
    }

    private void ReadHexRow(string line, int number)
    {
        if (_record is null)
        {
            throw _text.Error(number, line, "a row of configuration space before the first function");
        }

        int colon = line.IndexOf(':', StringComparison.Ordinal);
        _ = Numbers.TryHex(line.AsSpan(0, colon), 0xFFF, out ulong offset);
        if (offset != (ulong)_config.Count)
        {
            throw _text.Error(number, line[..colon], $"the row of configuration space at {_config.Count:x2} expected");
        }

        _record.HexLine = number;
        ReadOnlySpan<char> rest = line.AsSpan(colon + 1);
        int count = 0;
        while (!(rest = rest.TrimStart(' ')).IsEmpty)
        {
            int length = rest.IndexOf(' ') is int blank and >= 0 ? blank : rest.Length;
            if (length != 2 || !Numbers.TryHex8(rest[..length], out byte value))
            {
                throw _text.Error(number, rest[..length].ToString(), "a byte of two hexadecimal digits expected");
            }

            if (++count > 16 || _config.Count >= MaxConfigBytes)
            {
                throw _text.Error(number, rest[..length].ToString(), "more than 16 bytes in a row or 4096 in a function");
            }

            _config.Add(value);
            rest = rest[length..];
        }
    }

    private void EndRecord()
    {
        if (_record is Record record && _config.Count > 0)
        {
            if (_config.Count is not (64 or 128 or 256 or MaxConfigBytes))
            {
                throw _text.Error(record.HexLine, null,
                    $"{record.Draft.Address} has {_config.Count} bytes of configuration space where 64, 128, 256 or 4096 belong: the text is cut short");
            }

            PciConfigSpace.Apply(record.Draft, [.. _config], lengthIsCfgSize: false);
        }

        _config.Clear();
        _record = null;
    }

    private void Conclude()
    {
        foreach (Record record in _records)
        {
            FunctionDraft draft = record.Draft;
            if (record.IsUnreadable)
            {
                continue;
            }

            if (record.AcsCapability is not null && record.AcsControl is null)
            {
                throw _text.Error(record.AcsLine, null, $"{draft.Address} has an ACSCap line and no ACSCtl line: the text is cut short");
            }

            if (record.SawDetails)
            {
                draft.Bars ??= record.Bars;
            }

            if (!record.AccessDenied && (record.SawCapabilities || record.HasNoCapabilities))
            {
                draft.IsPcie ??= false;
            }

            if (record.SawAcs)
            {
                draft.Acs = new() { IsPresent = true, Capability = record.AcsCapability, Control = record.AcsControl };
            }
            else if (draft.Acs.IsPresent is null && !record.AccessDenied
                && (draft.IsPcie == false || (draft.IsPcie == true && record.SawCapabilities && _sawExtended)))
            {
                // Extended capabilities show in the text, so they could be read, and ACS is not among this function's.
                draft.Acs = AcsDescription.Absent;
            }
        }
    }

    /// <summary>A function while its lines are being read.</summary>
    internal sealed class Record(FunctionDraft draft, int line)
    {
        public FunctionDraft Draft { get; } = draft;

        public int Line { get; } = line;

        public List<BarDescription> Bars { get; } = [];

        public bool SawDetails { get; set; }

        public bool SawCapabilities { get; set; }

        public bool HasNoCapabilities { get; set; }

        public bool AccessDenied { get; set; }

        public bool SawExtended { get; set; }

        public bool SawAcs { get; set; }

        public bool IsUnreadable { get; set; }

        public bool VirtualFunctionsAreOff { get; set; }

        public int AcsLine { get; set; }

        public int HexLine { get; set; }

        public ushort? AcsCapability { get; set; }

        public ushort? AcsControl { get; set; }
    }
}
