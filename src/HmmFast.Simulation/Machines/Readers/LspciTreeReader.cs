using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads the tree that <c>lspci -t</c> draws. A plus sign opens a bus at its column; every later line that has a plus or a backslash
/// at that column continues it.
/// </summary>
internal sealed class LspciTreeReader
{
    private readonly SourceText _text;
    private readonly MachineDraft _machine;
    private readonly HashSet<PciAddress> _seen = [];
    private readonly Dictionary<int, Place> _open = [];

    private LspciTreeReader(SourceText text, MachineDraft machine)
    {
        _text = text;
        _machine = machine;
    }

    public static bool LooksLike(string line) =>
        (line.StartsWith("-[", StringComparison.Ordinal) || line.StartsWith("-+-[", StringComparison.Ordinal)) && line.Contains(']', StringComparison.Ordinal);

    /// <summary>Reads the lines from <paramref name="first"/> up to <paramref name="end"/> (from 0) into a machine.</summary>
    public static void ReadInto(MachineDraft machine, SourceText text, int first, int end)
    {
        var reader = new LspciTreeReader(text, machine);
        for (int i = first; i < end; i++)
        {
            string line = text.Lines[i].TrimEnd();
            if (line.Length > 0 && !line.StartsWith("lspci: ", StringComparison.Ordinal) && !line.StartsWith("pcilib: ", StringComparison.Ordinal))
            {
                reader.ReadLine(line, i + 1);
            }
        }
    }

    private void ReadLine(string line, int number)
    {
        int at = 0;
        while (at < line.Length && line[at] is ' ' or '|')
        {
            at++;
        }

        var place = default(Place);
        if (at < line.Length && line[at] is '+' or '\\')
        {
            if (!_open.TryGetValue(at, out place))
            {
                throw _text.Error(number, line[at..], $"a branch at column {at + 1}, where no line above opened one");
            }
        }
        else if (at != 0 || line[0] != '-')
        {
            throw _text.Error(number, line, "a line of the drawn tree expected: bars, then + or \\");
        }

        at++;
        ReadChildren(line, at, place, number);
    }

    // Everything to the right of a place: dashes, perhaps a plus that opens a bus, then a root bus or a device, and so on.
    private void ReadChildren(string line, int at, Place place, int number)
    {
        while (true)
        {
            at = SkipDashes(line, at);
            if (at < line.Length && line[at] == '+')
            {
                _open[at] = place;
                at = SkipDashes(line, at + 1);
            }

            if (at >= line.Length || line[at] == ' ')
            {
                return;
            }

            if (line[at] == '[' && !place.HasBus)
            {
                place = ReadRootBus(line, ref at, number);
                continue;
            }

            if (!place.HasBus || line.Length < at + 4 || !PciAddress.TryParse($"{place.Bus}:{line.AsSpan(at, 4)}", out PciAddress address))
            {
                throw _text.Error(number, line[at..], place.HasBus ? "a device dd.f expected" : "a root bus [dddd:bb] expected");
            }

            FunctionDraft draft = Add(address, place, number);
            at += 4;
            if (at + 1 < line.Length && line[at] == '-' && line[at + 1] == '[')
            {
                place = ReadBridge(draft, line, ref at, number);
                continue;
            }

            if (at < line.Length && line[at] != ' ')
            {
                throw _text.Error(number, line[at..], $"after the device {address} a bus range or a blank expected");
            }

            if (at < line.Length)
            {
                LspciHeader.ReadName(draft, line[at..].Trim());
            }

            return;
        }
    }

    private static int SkipDashes(string line, int at)
    {
        while (at < line.Length && line[at] == '-')
        {
            at++;
        }

        return at;
    }

    private Place ReadRootBus(string line, ref int at, int number)
    {
        int close = line.IndexOf(']', at);
        if (close < 0 || !PciBusAddress.TryParse(line.AsSpan(at + 1, close - at - 1), out PciBusAddress bus))
        {
            throw _text.Error(number, line[at..], "a root bus [dddd:bb] expected");
        }

        _machine.AddHostBridge(new HostBridgeDescription { RootBus = bus }, _text.Name, number);
        at = close + 1;
        return new Place(true, bus, null);
    }

    private Place ReadBridge(FunctionDraft draft, string line, ref int at, int number)
    {
        int close = line.IndexOf(']', at);
        ReadOnlySpan<char> range = close < 0 ? [] : line.AsSpan(at + 2, close - at - 2);
        int dash = range.IndexOf('-');
        if (!Numbers.TryHex8(dash < 0 ? range : range[..dash], out byte secondary)
            || !Numbers.TryHex8(dash < 0 ? range : range[(dash + 1)..], out byte subordinate))
        {
            throw _text.Error(number, line[at..], "a range of buses [bb-bb] expected");
        }

        draft.SecondaryBus = secondary;
        draft.SubordinateBus = subordinate;
        at = close + 1;
        return new Place(true, new PciBusAddress(draft.Address.Domain, secondary), draft.Address);
    }

    private FunctionDraft Add(PciAddress address, Place place, int number)
    {
        if (!_seen.Add(address))
        {
            throw _text.Error(number, address.ToString(), "this address occurs twice");
        }

        FunctionDraft draft = _machine.Find(address) ?? _machine.Add(address, _text.Name, number);
        draft.ParentSource = ParentSource.Explicit;
        draft.Parent = place.Parent;
        draft.HeaderType ??= draft.SecondaryBus is null ? (byte)0 : null;
        return draft;
    }

    private readonly record struct Place(bool HasBus, PciBusAddress Bus, PciAddress? Parent);
}
