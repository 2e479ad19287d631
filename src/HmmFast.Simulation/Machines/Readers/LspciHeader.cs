using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>The first line of a function in an lspci text: address, class, names or numbers.</summary>
internal static class LspciHeader
{
    /// <summary>Whether a line begins a function: an address of seven characters, or with a domain, in the first column.</summary>
    public static bool TryAddress(string line, out PciAddress address)
    {
        int blank = line.IndexOf(' ', StringComparison.Ordinal);
        ReadOnlySpan<char> token = blank < 0 ? line : line.AsSpan(0, blank);
        address = default;
        return token.Length is 7 or (>= 12 and <= 16) && token[^2] == '.' && token[^5] == ':' && PciAddress.TryParse(token, out address);
    }

    /// <summary>Reads what follows the address into the draft.</summary>
    public static void Read(FunctionDraft draft, string line)
    {
        int blank = line.IndexOf(' ', StringComparison.Ordinal);
        int colon = blank < 0 ? -1 : line.IndexOf(": ", blank, StringComparison.Ordinal);
        if (colon < 0)
        {
            return;
        }

        ReadClass(draft, line[(blank + 1)..colon]);
        ReadName(draft, line[(colon + 2)..]);
    }

    /// <summary>Reads <c>Vendor Device (rev 01) (prog-if 00 [Normal decode])</c>, <c>... [8086:29c0]</c> or <c>8086:29c0</c>.</summary>
    public static void ReadName(FunctionDraft draft, string text)
    {
        int progIf = text.LastIndexOf(" (prog-if ", StringComparison.Ordinal);
        if (progIf >= 0)
        {
            if (text.Length >= progIf + 12 && Numbers.TryHex8(text.AsSpan(progIf + 10, 2), out byte value))
            {
                draft.ProgrammingInterface = value;
            }

            text = text[..progIf];
        }

        int revision = text.LastIndexOf(" (rev ", StringComparison.Ordinal);
        if (revision >= 0)
        {
            if (text.Length >= revision + 8 && Numbers.TryHex8(text.AsSpan(revision + 6, 2), out byte value))
            {
                draft.Revision = value;
            }

            text = text[..revision];
        }

        text = text.Trim();
        if (TryIds(text, 0, out ushort vendor, out ushort device) && text.Length == 9)
        {
            (draft.VendorId, draft.DeviceId) = (vendor, device);
            return;
        }

        int bracket = text.LastIndexOf('[');
        if (bracket >= 0 && text.EndsWith(']') && text.Length - bracket == 11 && TryIds(text, bracket + 1, out vendor, out device))
        {
            (draft.VendorId, draft.DeviceId) = (vendor, device);
            text = text[..bracket].TrimEnd();
        }
        else
        {
            (ushort? namedVendor, ushort? namedDevice) = PciNames.IdsByName(text);
            draft.VendorId ??= namedVendor;
            draft.DeviceId ??= namedDevice;
        }

        draft.Name = text.Length > 0 ? text : null;
    }

    /// <summary>Reads <c>vvvv:dddd</c> at a place of a text.</summary>
    public static bool TryIds(string text, int at, out ushort vendor, out ushort device)
    {
        device = 0;
        vendor = 0;
        return text.Length >= at + 9 && text[at + 4] == ':' && Numbers.TryHex16(text.AsSpan(at, 4), out vendor)
            && Numbers.TryHex16(text.AsSpan(at + 5, 4), out device);
    }

    private static void ReadClass(FunctionDraft draft, string text)
    {
        if (text.Length == 4 && Numbers.TryHex16(text, out ushort bare))
        {
            draft.ClassCode = bare;
            return;
        }

        int bracket = text.LastIndexOf('[');
        if (bracket >= 0 && text.EndsWith(']') && text.Length - bracket == 6 && Numbers.TryHex16(text.AsSpan(bracket + 1, 4), out ushort code))
        {
            draft.ClassCode = code;
        }
        else
        {
            draft.ClassCode ??= PciNames.ClassByName(text);
        }
    }
}
