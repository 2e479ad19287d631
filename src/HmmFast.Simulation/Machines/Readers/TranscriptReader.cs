using System.Globalization;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads a page of shell output, Markdown or plain: every command that it knows by its prompt (lspci -t, lspci -vvv, lspci | grep ACSCtl,
/// nvidia-smi topo -m, nvidia-smi, lscpu) adds its part to one machine.
/// </summary>
internal static class TranscriptReader
{
    private const string Fence = "```";

    /// <summary>Whether the text has prompts with a command that is understood, or a fenced block of lspci.</summary>
    public static bool LooksLike(SourceText text)
    {
        bool fenced = false;
        foreach (string line in text.Lines)
        {
            fenced |= line.StartsWith(Fence, StringComparison.Ordinal);
            if (CommandOf(line) is string command && KindOf(command) != SectionKind.Other)
            {
                return true;
            }

            if (fenced && (LspciTreeReader.LooksLike(line) || LspciHeader.TryAddress(line, out _)))
            {
                return true;
            }
        }

        return false;
    }

    public static MachineDescription Read(SourceText text)
    {
        var machine = new MachineDraft(text.Name, MachineFormat.Markdown);
        List<Section> sections = Split(text);
        machine.ListsEveryFunction = sections.Any(static section => section.Kind is SectionKind.Tree or SectionKind.WholeText);

        // The tree first: partial listings then add to functions that have their place already.
        foreach (SectionKind kind in (ReadOnlySpan<SectionKind>)[SectionKind.Tree, SectionKind.WholeText, SectionKind.PartialText, SectionKind.Matrix,
            SectionKind.GpuTable, SectionKind.Cpu, SectionKind.AcsLines])
        {
            foreach (Section section in sections)
            {
                if (section.Kind == kind)
                {
                    ReadSection(machine, text, section);
                }
            }
        }

        if (machine.Functions.Count == 0 && machine.Devices.Count == 0)
        {
            throw text.Error(0, null, "a page of text in which no output of lspci or nvidia-smi was found");
        }

        return machine.Complete();
    }

    private static void ReadSection(MachineDraft machine, SourceText text, Section section)
    {
        switch (section.Kind)
        {
            case SectionKind.Tree:
                LspciTreeReader.ReadInto(machine, text, section.First, section.End);
                break;
            case SectionKind.WholeText or SectionKind.PartialText:
                LspciReader.ReadInto(machine, text, section.First, section.End);
                break;
            case SectionKind.Matrix:
                NvidiaSmiReader.ReadInto(machine, text, section.First, section.End);
                break;
            case SectionKind.GpuTable:
                NvidiaSmiReader.ReadTable(machine, text, section.First, section.End);
                break;
            case SectionKind.Cpu:
                machine.Cpu ??= CpuInfo.Read(text.Lines.Skip(section.First).Take(section.End - section.First));
                break;
            case SectionKind.AcsLines:
                ReadAcsLines(machine, text, section);
                break;
            default:
                break;
        }
    }

    // "lspci -vvv | grep ACSCtl" has lost its addresses. If no line sets a redirect bit, none of the machine's functions redirects;
    // else nothing is known of any one of them.
    private static void ReadAcsLines(MachineDraft machine, SourceText text, Section section)
    {
        int count = 0;
        int set = 0;
        for (int i = section.First; i < section.End; i++)
        {
            string line = text.Lines[i].Trim();
            if (line.StartsWith("ACSCtl:", StringComparison.Ordinal))
            {
                count++;
                set += LspciDetail.AcsBits(line[7..].Trim(), text, i + 1) != 0 ? 1 : 0;
            }
        }

        if (count == 0)
        {
            return;
        }

        if (set > 0)
        {
            machine.Remarks.Add(string.Create(CultureInfo.InvariantCulture,
                $"line {section.First + 1}: {set} of {count} ACSCtl lines set a bit; of which functions is not said"));
            return;
        }

        machine.Remarks.Add(string.Create(CultureInfo.InvariantCulture,
            $"line {section.First + 1}: all {count} ACSCtl lines of the machine are clear, so no function redirects"));
        foreach (FunctionDraft function in machine.Functions)
        {
            if (function.Acs.Redirects is null)
            {
                function.Acs = function.Acs with { Control = 0 };
            }
        }
    }

    private static List<Section> Split(SourceText text)
    {
        var sections = new List<Section>();
        bool inFence = false;
        bool hasFences = text.Lines.Any(static line => line.StartsWith(Fence, StringComparison.Ordinal));
        Section? open = null;
        for (int i = 0; i < text.Lines.Count; i++)
        {
            string line = text.Lines[i];
            bool isFence = line.StartsWith(Fence, StringComparison.Ordinal);
            string? command = inFence || !hasFences ? CommandOf(line) : null;
            if (isFence || command is not null)
            {
                Close(sections, open, i);
                open = null;
            }

            if (isFence)
            {
                inFence = !inFence;
                open = inFence ? new Section(SectionKind.Unnamed, i + 1, i + 1) : null;
            }
            else if (command is not null)
            {
                open = new Section(KindOf(command), i + 1, i + 1);
            }
            else if (open is { Kind: SectionKind.Unnamed } && line.Length > 0)
            {
                open = open with { Kind = Sniff(line) };
            }
        }

        Close(sections, open, text.Lines.Count);
        return sections;
    }

    private static void Close(List<Section> sections, Section? open, int end)
    {
        if (open is not null && open.Kind is not (SectionKind.Unnamed or SectionKind.Other))
        {
            sections.Add(open with { End = end });
        }
    }

    private static SectionKind Sniff(string line) =>
        LspciTreeReader.LooksLike(line) ? SectionKind.Tree
        : LspciHeader.TryAddress(line, out _) ? SectionKind.PartialText
        : NvidiaSmiReader.IsHead(line) ? SectionKind.Matrix : SectionKind.Other;

    /// <summary>The command of a prompt line: what follows "$ " in a line that begins with a prompt.</summary>
    private static string? CommandOf(string line)
    {
        int at = line[..Math.Min(line.Length, 120)].LastIndexOf("$ ", StringComparison.Ordinal);
        if (at < 0 || (at > 0 && !line.AsSpan(0, at).Contains('@') && !line.StartsWith("$ ", StringComparison.Ordinal)))
        {
            return line.StartsWith("# lspci", StringComparison.Ordinal) || line.StartsWith("# nvidia-smi", StringComparison.Ordinal) ? line[2..] : null;
        }

        return line[(at + 2)..];
    }

    private static SectionKind KindOf(string command)
    {
        string[] parts = command.Split('|');
        string[] words = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int program = Array.FindIndex(words, static word => word is "lspci" or "nvidia-smi" or "lscpu");
        if (program < 0)
        {
            return SectionKind.Other;
        }

        string[] options = words[(program + 1)..];
        bool piped = parts.Length > 1;
        switch (words[program])
        {
            case "lspci" when piped:
                return parts.Length == 2 && parts[1].Contains("grep", StringComparison.Ordinal) && parts[1].Contains("ACSCtl", StringComparison.Ordinal)
                    && options.All(static option => option.StartsWith("-v", StringComparison.Ordinal)) ? SectionKind.AcsLines : SectionKind.Other;
            case "lspci":
                return options.Any(static option => IsFlag(option, 't')) ? SectionKind.Tree
                    : options.Any(static option => IsFlag(option, 's') || IsFlag(option, 'd')) ? SectionKind.PartialText : SectionKind.WholeText;
            case "nvidia-smi":
                return piped ? SectionKind.Other
                    : options is ["topo", "-m", ..] ? SectionKind.Matrix
                    : options.Length == 0 ? SectionKind.GpuTable : SectionKind.Other;
            default:
                return options.Length == 0 && !piped ? SectionKind.Cpu : SectionKind.Other;
        }
    }

    private static bool IsFlag(string option, char flag) => option.Length > 1 && option[0] == '-' && option[1] != '-' && option.Contains(flag, StringComparison.Ordinal);

    private enum SectionKind
    {
        Other,
        Unnamed,
        Tree,
        WholeText,
        PartialText,
        Matrix,
        GpuTable,
        Cpu,
        AcsLines,
    }

    private sealed record Section(SectionKind Kind, int First, int End);
}
