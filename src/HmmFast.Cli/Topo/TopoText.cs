using System.Text;
using HmmFast.Simulation.Machines;
using HmmFast.Topology;
using Spectre.Console;

namespace HmmFast.Cli.Topo;

/// <summary>Writes a machine as text: head, tree, matrix, reasons, links, and what is unknown. Lines never pass the console's width.</summary>
public sealed class TopoText(IAnsiConsole console)
{
    // One column is left free, so that no terminal wraps a full line.
    private readonly int _width = Math.Clamp(console.Profile.Width, 60, 240) - 1;

    /// <summary>Writes the head: source, processor, list and counts.</summary>
    /// <param name="view">The machine.</param>
    public void WriteHead(TopoView view)
    {
        PciTopology topology = view.Topology;
        int bridges = topology.IsBridge.Count(true);
        string source = view.Machine is MachineDescription machine ? $"{machine.Source} ({machine.Format})" : "";
        Line(source);
        Line($"{topology.Count} functions, {bridges} bridges, {topology.HostBridgeCount} host bridges; "
            + $"processor {(topology.Cpu is CpuIdentity cpu ? cpu.ToString() : "unknown")}; host bridge list {view.State.List}");
    }

    /// <summary>Writes the tree.</summary>
    /// <param name="nodes">Its lines.</param>
    public void WriteTree(IReadOnlyList<TopoNode> nodes)
    {
        foreach (TopoNode node in nodes)
        {
            WriteNode(node, "", "");
        }
    }

    /// <summary>Writes the matrix, in blocks of as many columns as fit.</summary>
    /// <param name="view">The machine.</param>
    public void WriteMatrix(TopoView view)
    {
        int count = view.Devices.Count;
        string[] names = [.. view.Devices.Select((device, i) => $"{i,3} {view.Short(device.Address)}{(device.FunctionCount > 1 ? "+" : " ")} {device.Label}")];
        int nameWidth = names.Length == 0 ? 0 : names.Max(name => name.Length);
        int cellWidth = 3;
        for (int i = 0; i < count * count; i++)
        {
            cellWidth = Math.Max(cellWidth, TopoView.Cell(view[i / count, i % count]).Length + 1);
        }

        int perBlock = Math.Max(1, (_width - nameWidth) / cellWidth);
        for (int start = 0; start < count; start += perBlock)
        {
            int end = Math.Min(count, start + perBlock);
            var head = new StringBuilder().Append(' ', nameWidth);
            for (int column = start; column < end; column++)
            {
                head.Append($"{column}".PadLeft(cellWidth));
            }

            Markup($"[dim]{head}[/]");
            for (int row = 0; row < count; row++)
            {
                var line = new StringBuilder(Spectre.Console.Markup.Escape(names[row].PadRight(nameWidth)));
                for (int column = start; column < end; column++)
                {
                    string cell = row == column && view[row, column].Answer.MapType == P2PdmaMapType.BusAddr ? "·" : TopoView.Cell(view[row, column]);
                    line.Append($"[{Colour(cell)}]{cell.PadLeft(cellWidth)}[/]");
                }

                Markup(line.ToString());
            }

            Line("");
        }

        Line("B below a common bridge (BUS_ADDR), H through the host bridge (THRU_HOST_BRIDGE), - not supported, ? depends on what is");
        Line("unknown; the number is the distance. Rows are providers, columns clients.");
    }

    /// <summary>Writes the reasons, grouped.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="groups">The groups.</param>
    public void WriteReasons(TopoView view, IReadOnlyList<TopoReasonGroup> groups)
    {
        foreach (TopoReasonGroup group in groups)
        {
            string count = group.Pairs.Count == 1 ? "1 pair" : $"{group.Pairs.Count} pairs";
            string answer = group.Cell.StartsWith('?') ? $"{group.Answer}: " : "";
            Wrapped($"{group.Cell,-4}{count,9}  ", $"{answer}{group.Reason} ({TopoReasons.Members(view, group.Pairs)})", Colour(group.Cell));
        }
    }

    /// <summary>Writes one pair in full: answer, path and reason.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="provider">The provider's place among the devices.</param>
    /// <param name="client">The client's.</param>
    public void WritePair(TopoView view, int provider, int client)
    {
        P2PdmaExplanation why = view[provider, client];
        Wrapped("", $"{view.Devices[provider].Label} {why.Provider} -> {view.Devices[client].Label} {why.Client}: {TopoView.AnswerText(why)}", Colour(TopoView.Cell(why)));
        Wrapped("  path    ", why.PathText(), null);
        Wrapped("  reason  ", why.Reason(), null);
    }

    /// <summary>Writes the private links, grouped by kind and bandwidth.</summary>
    /// <param name="view">The machine.</param>
    public void WriteLinks(TopoView view)
    {
        foreach (string line in TopoLinks.Lines(view))
        {
            Wrapped("  ", line, null);
        }
    }

    /// <summary>Writes how far devices are apart where the file tells only that, as <c>nvidia-smi topo -m</c> does.</summary>
    /// <param name="view">The machine.</param>
    public void WriteRelations(TopoView view)
    {
        IReadOnlyList<DeviceRelationDescription> relations = view.Machine?.Relations ?? [];
        if (relations.Count == 0)
        {
            return;
        }

        Heading("How far apart, as the file has it (PIX one bridge, PXB several, PHB a host bridge, NODE and SYS beyond; no path is known)");
        string[] names = [.. relations.Select(relation => relation.From).Concat(relations.Select(relation => relation.To)).Distinct()];
        int width = Math.Max(6, names.Max(name => name.Length) + 1);
        var classes = relations.ToDictionary(relation => (relation.From, relation.To), relation =>
            relation.Class == RelationClass.NvLink ? $"NV{relation.LinkCount}" : relation.Class.ToString().ToUpperInvariant());
        Line(new string(' ', width) + string.Concat(names.Select(name => name.PadLeft(width))));
        foreach (string row in names)
        {
            Line(row.PadRight(width) + string.Concat(names.Select(column => (row == column ? "·" : classes.GetValueOrDefault((row, column), "")).PadLeft(width))));
        }
    }

    /// <summary>Writes one line, cut at the width.</summary>
    /// <param name="text">The line.</param>
    public void Line(string text) => console.WriteLine(text.Length > _width ? text[..(_width - 1)] + "…" : text);

    /// <summary>Writes a heading.</summary>
    /// <param name="text">The heading.</param>
    public void Heading(string text)
    {
        console.WriteLine();
        Markup($"[bold]{Spectre.Console.Markup.Escape(text)}[/]");
    }

    /// <summary>Writes text after a first part, broken at blanks, the rest indented below it.</summary>
    /// <param name="first">The first part.</param>
    /// <param name="text">The text.</param>
    /// <param name="colour">The first part's colour; null: none.</param>
    public void Wrapped(string first, string text, string? colour)
    {
        string indent = new(' ', Math.Max(2, first.Length));
        string lead = first;
        bool isFirst = true;
        var line = new StringBuilder();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && lead.Length + line.Length + 1 + word.Length > _width)
            {
                Flush();
            }

            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }

        Flush();

        void Flush()
        {
            string escaped = Spectre.Console.Markup.Escape(line.ToString());
            string head = isFirst && colour is not null ? $"[{colour}]{Spectre.Console.Markup.Escape(lead)}[/]" : Spectre.Console.Markup.Escape(lead);
            Markup(first.Length == 0 && isFirst && colour is not null ? $"[{colour}]{escaped}[/]" : head + escaped);
            line.Clear();
            lead = indent;
            isFirst = false;
        }
    }

    private void WriteNode(TopoNode node, string lead, string indent)
    {
        var line = new StringBuilder(Spectre.Console.Markup.Escape(lead));
        int left = _width - lead.Length;
        foreach (TopoSpan span in node.Spans)
        {
            if (left <= 1)
            {
                break;
            }

            string text = span.Text.Length > left ? span.Text[..(left - 1)] + "…" : span.Text;
            string escaped = Spectre.Console.Markup.Escape(text);
            line.Append(SpanColour(span.Kind) is string colour ? $"[{colour}]{escaped}[/] " : escaped + " ");
            left -= text.Length + 1;
        }

        Markup(line.ToString());
        for (int i = 0; i < node.Children.Count; i++)
        {
            bool isLast = i == node.Children.Count - 1;
            WriteNode(node.Children[i], indent + (isLast ? "└─ " : "├─ "), indent + (isLast ? "   " : "│  "));
        }
    }

    // Not MarkupLine: it would break long lines at the console's width for itself.
    private void Markup(string markup) => console.Write(new Markup(markup.TrimEnd() + "\n") { Overflow = Overflow.Crop });

    private static string Colour(string cell) => cell[0] switch
    {
        'B' or '·' => "green",
        'H' => "yellow",
        '-' => "red",
        _ => "magenta",
    };

    private static string? SpanColour(TopoSpanKind kind) => kind switch
    {
        TopoSpanKind.Address => "bold",
        TopoSpanKind.Device => "bold blue",
        TopoSpanKind.Good => "green",
        TopoSpanKind.Bad => "red",
        TopoSpanKind.Unknown => "magenta",
        TopoSpanKind.Dim => "dim",
        _ => null,
    };
}
