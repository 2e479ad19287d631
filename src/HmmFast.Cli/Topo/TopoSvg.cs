using System.Globalization;
using System.Net;
using System.Text;
using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>
/// Draws a machine as an SVG picture: a panel a host bridge with its tree, then the matrix as a coloured grid with the reasons beside
/// it. Self-contained: no scripts, no fonts, no outside files.
/// </summary>
public sealed class TopoSvg
{
    private const double CharWidth = 6.62;
    private const double RowHeight = 19;
    private const double Indent = 16;
    private const double Margin = 24;
    private const double Gap = 14;
    private const double Width = 1600;
    private const double CellSize = 25;
    private const int MostCharsOfARow = 74;

    private readonly TopoView _view;
    private readonly StringBuilder _body = new();

    private TopoSvg(TopoView view) => _view = view;

    /// <summary>Draws the picture.</summary>
    /// <param name="view">The machine.</param>
    /// <param name="nodes">The lines of its tree.</param>
    /// <param name="groups">The reasons.</param>
    /// <returns>The SVG document.</returns>
    public static string Draw(TopoView view, IReadOnlyList<TopoNode> nodes, IReadOnlyList<TopoReasonGroup> groups)
    {
        var picture = new TopoSvg(view);
        double y = picture.Head();
        y = picture.Panels(nodes, y);
        y = picture.MatrixAndReasons(groups, y + Gap);
        return picture.Document(y + Margin);
    }

    private double Head()
    {
        PciTopology topology = _view.Topology;
        Text(Margin, 38, "Who reaches whose memory over PCI", "title");
        string source = _view.Machine is null ? "" : Path.GetFileName(_view.Machine.Source) + " · ";
        Text(Margin, 60, $"{source}{topology.Count} functions, {topology.HostBridgeCount} host bridges · processor "
            + $"{(topology.Cpu is CpuIdentity cpu ? cpu.ToString() : "unknown")} · host bridge list {_view.State.List}", "sub");
        return 80;
    }

    /// <summary>Lays the panels into columns, each into the one that is shortest so far.</summary>
    private double Panels(IReadOnlyList<TopoNode> nodes, double top)
    {
        int widest = nodes.Count == 0 ? 40 : nodes.Max(node => LongestRow(node, 0));
        double panelWidth = (Math.Clamp(widest, 40, MostCharsOfARow) * CharWidth) + 24;
        int columns = Math.Max(1, (int)((Width - (2 * Margin) + Gap) / (panelWidth + Gap)));
        panelWidth = ((Width - (2 * Margin) + Gap) / columns) - Gap;
        double[] bottoms = new double[columns];
        Array.Fill(bottoms, top);
        foreach (TopoNode node in nodes)
        {
            int column = Array.IndexOf(bottoms, bottoms.Min());
            double x = Margin + (column * (panelWidth + Gap));
            double y = bottoms[column];
            double height = (Rows(node) * RowHeight) + 18;
            string colour = node.NumaNode < 0 ? "panel" : node.NumaNode % 2 == 0 ? "panel even" : "panel odd";
            _body.Append(CultureInfo.InvariantCulture, $"<rect class=\"{colour}\" x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{panelWidth:0.#}\" height=\"{height:0.#}\" rx=\"6\"/>\n");
            double rowY = y + 9;
            int chars = (int)((panelWidth - 24) / CharWidth);
            DrawNode(node, x + 12, ref rowY, chars);
            bottoms[column] = y + height + Gap;
        }

        return bottoms.Max();
    }

    /// <summary>The node's own row, broken where a further function shares it, then its children joined by elbows.</summary>
    private void DrawNode(TopoNode node, double x, ref double y, int chars)
    {
        double bottom = y;
        foreach (List<TopoSpan> row in BreakRow(node.Spans, chars))
        {
            DrawSpans(row, x, y, chars);
            bottom = y + RowHeight;
            y = bottom;
        }

        double trunk = x + 6;
        double lastMiddle = bottom;
        foreach (TopoNode child in node.Children)
        {
            lastMiddle = y + (RowHeight / 2);
            _body.Append(CultureInfo.InvariantCulture, $"<path class=\"wire\" d=\"M{trunk:0.#} {lastMiddle:0.#}H{x + Indent - 2:0.#}\"/>\n");
            DrawNode(child, x + Indent, ref y, chars - 3);
        }

        if (node.Children.Count > 0)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<path class=\"wire\" d=\"M{trunk:0.#} {bottom:0.#}V{lastMiddle:0.#}\"/>\n");
        }
    }

    private void DrawSpans(List<TopoSpan> spans, double x, double y, int chars)
    {
        int left = chars;
        foreach (TopoSpan span in spans)
        {
            if (left < 2)
            {
                break;
            }

            string text = span.Text.Length > left ? span.Text[..(left - 1)] + "…" : span.Text;
            double width = text.Length * CharWidth;
            string style = SpanClass(span);
            bool isPill = span.Kind is TopoSpanKind.Device or TopoSpanKind.Good or TopoSpanKind.Bad or TopoSpanKind.Unknown;
            if (isPill)
            {
                _body.Append(CultureInfo.InvariantCulture, $"<rect class=\"pill {style}\" x=\"{x - 3:0.#}\" y=\"{y + 1.5:0.#}\" width=\"{width + 6:0.#}\" height=\"{RowHeight - 4:0.#}\" rx=\"4\"/>\n");
            }

            Text(x, y + 13.5, text, "t " + (isPill ? style + "text" : style));
            x += width + CharWidth;
            left -= text.Length + 1;
        }
    }

    private double MatrixAndReasons(IReadOnlyList<TopoReasonGroup> groups, double top)
    {
        int count = _view.Devices.Count;
        double labelWidth = count == 0 ? 0 : _view.Devices.Max(device => _view.Short(device.Address).Length + device.Label.Length + 1) * CharWidth;
        double x0 = Margin + labelWidth + 8;
        double y0 = top + 62;
        Text(Margin, top + 14, "Matrix: rows provide the memory, columns use it", "head");
        for (int i = 0; i < count; i++)
        {
            TopoDevice device = _view.Devices[i];
            double middle = y0 + (i * CellSize) + 16;
            Text(Margin, middle, $"{_view.Short(device.Address)} {device.Label}", "t");
            _body.Append(CultureInfo.InvariantCulture, $"<text class=\"t\" transform=\"translate({x0 + (i * CellSize) + 16:0.#},{y0 - 5:0.#}) rotate(-55)\">{Escape(device.Label)}</text>\n");
            for (int j = 0; j < count; j++)
            {
                Cell(i, j, x0 + (j * CellSize), y0 + (i * CellSize));
            }
        }

        double gridRight = x0 + (count * CellSize);
        double gridBottom = y0 + (count * CellSize);
        bool isBeside = Width - Margin - gridRight > 420;
        double x = isBeside ? gridRight + 28 : Margin;
        double y = isBeside ? top : gridBottom + 24;
        return Math.Max(gridBottom, Reasons(groups, x, y, Width - Margin - x));
    }

    private void Cell(int i, int j, double x, double y)
    {
        P2PdmaExplanation why = _view[i, j];
        string cell = TopoView.Cell(why);
        bool isSelf = i == j && why.Answer.MapType == P2PdmaMapType.BusAddr && why.IsCertain;
        string style = isSelf ? "self" : CellClass(cell);
        _body.Append(CultureInfo.InvariantCulture, $"<g><title>{Escape($"{_view.Devices[i].Label} {why.Provider} -> {_view.Devices[j].Label} {why.Client}: {TopoView.AnswerText(why)}\n{why.PathText()}\n{why.Reason()}")}</title>");
        _body.Append(CultureInfo.InvariantCulture, $"<rect class=\"cell {style}\" x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{CellSize - 1:0.#}\" height=\"{CellSize - 1:0.#}\"/>");
        if (!isSelf)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<text class=\"t c\" x=\"{x + ((CellSize - 1) / 2):0.#}\" y=\"{y + 16:0.#}\">{Escape(cell)}</text>");
        }

        _body.Append("</g>\n");
    }

    private double Reasons(IReadOnlyList<TopoReasonGroup> groups, double x, double y, double width)
    {
        Text(x, y + 14, "Why", "head");
        y += 34;
        (string Style, string Words)[] legend =
        [
            ("bus", "B: stays below a common bridge (BUS_ADDR)"), ("host", "H: through the host bridge (THRU_HOST_BRIDGE)"),
            ("none", "-: not supported"), ("unknown", "?: depends on what the description does not say"),
        ];
        foreach ((string style, string words) in legend)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<rect class=\"cell {style}\" x=\"{x:0.#}\" y=\"{y - 11:0.#}\" width=\"14\" height=\"14\"/>\n");
            Text(x + 22, y, words, "t dim");
            y += RowHeight;
        }

        y += 8;
        int chars = (int)((width - 46) / CharWidth);
        foreach (TopoReasonGroup group in groups)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<rect class=\"cell {CellClass(group.Cell)}\" x=\"{x:0.#}\" y=\"{y - 13:0.#}\" width=\"34\" height=\"18\"/>\n");
            _body.Append(CultureInfo.InvariantCulture, $"<text class=\"t c\" x=\"{x + 17:0.#}\" y=\"{y:0.#}\">{Escape(group.Cell)}</text>\n");
            string pairs = group.Pairs.Count == 1 ? "1 pair" : $"{group.Pairs.Count} pairs";
            string answer = group.Cell.StartsWith('?') ? group.Answer + ": " : "";
            foreach (string line in Wrap($"{pairs}: {answer}{group.Reason} ({TopoReasons.Members(_view, group.Pairs)})", chars))
            {
                Text(x + 44, y, line, "t");
                y += RowHeight - 3;
            }

            y += 7;
        }

        return Links(x, y, width);
    }

    private double Links(double x, double y, double width)
    {
        IReadOnlyList<string> links = TopoLinks.Lines(_view);
        if (links.Count == 0)
        {
            return y;
        }

        y += 14;
        Text(x, y, "Private links", "head");
        y += 24;
        foreach (string line in links.SelectMany(link => Wrap(link, (int)(width / CharWidth))))
        {
            Text(x, y, line, "t");
            y += RowHeight - 3;
        }

        return y;
    }

    private string Document(double height)
    {
        string style = """
            svg{background:#fff;font-family:"DejaVu Sans Mono",Menlo,Consolas,monospace}
            .title{font:600 22px "DejaVu Sans",Helvetica,Arial,sans-serif;fill:#1b1f24}.sub{font:13px "DejaVu Sans",Helvetica,Arial,sans-serif;fill:#57606a}
            .head{font:600 15px "DejaVu Sans",Helvetica,Arial,sans-serif;fill:#1b1f24}
            .t{font-size:11px;fill:#24292f;white-space:pre}.c{text-anchor:middle}.dim{fill:#6e7781}.addr{font-weight:700}
            .panel{fill:#f6f8fa;stroke:#d0d7de}.even{fill:#f3f8ff;stroke:#b6d4fe}.odd{fill:#fff8ef;stroke:#f3d5a5}
            .wire{fill:none;stroke:#8c959f;stroke-width:1.2}
            .pill.gpu{fill:#1a7f37}.pill.nic{fill:#0969da}.pill.nvme{fill:#8250df}.pill.dev{fill:#57606a}.gputext,.nictext,.nvmetext,.devtext{fill:#fff;font-weight:700}
            .pill.good{fill:#dafbe1}.goodtext{fill:#116329}.pill.bad{fill:#ffd7d5}.badtext{fill:#a40e26;font-weight:700}.pill.unk{fill:#eddeff}.unktext{fill:#6639ba}
            .cell{stroke:#fff}.bus{fill:#7ee2a0}.host{fill:#ffdf7e}.none{fill:#ff9a93}.unknown{fill:#d8b9ff}.self{fill:#d0d7de}
            """;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width:0} {height:0}\" width=\"{Width:0}\" height=\"{height:0}\">\n<style>{style}</style>\n{_body}</svg>\n");
    }

    private void Text(double x, double y, string text, string style) =>
        _body.Append(CultureInfo.InvariantCulture, $"<text class=\"{style}\" x=\"{x:0.#}\" y=\"{y:0.#}\">{Escape(text)}</text>\n");

    private static string Escape(string text)
    {
        // Names come from files: XML knows no control characters but these three.
        var clean = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            clean.Append((c < ' ' && c is not ('\t' or '\n' or '\r')) || char.IsSurrogate(c) || c >= '\ufffe' ? '?' : c);
        }

        return WebUtility.HtmlEncode(clean.ToString());
    }

    private static string CellClass(string cell) => cell[0] switch { 'B' => "bus", 'H' => "host", '-' => "none", _ => "unknown" };

    private static string SpanClass(TopoSpan span) => span.Kind switch
    {
        TopoSpanKind.Address => "addr",
        TopoSpanKind.Device => span.Text.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9') switch
        {
            "GPU" or "ACC" => "gpu",
            "NIC" => "nic",
            "NVMe" => "nvme",
            _ => "dev",
        },
        TopoSpanKind.Good => "good",
        TopoSpanKind.Bad => "bad",
        TopoSpanKind.Unknown => "unk",
        TopoSpanKind.Dim => "dim",
        _ => "",
    };

    /// <summary>A line that is too long for its panel is broken before a function that shares it, if that helps.</summary>
    private static List<List<TopoSpan>> BreakRow(List<TopoSpan> spans, int chars)
    {
        var rows = new List<List<TopoSpan>> { new() };
        int length = 0;
        for (int i = 0; i < spans.Count; i++)
        {
            bool startsFunction = spans[i] is { Text: "─", Kind: TopoSpanKind.Dim };
            int piece = 0;
            for (int j = i; startsFunction && j < spans.Count && (j == i || spans[j].Text != "─"); j++)
            {
                // The name at a function's end may be cut, so it does not force a new row.
                piece += spans[j].Kind == TopoSpanKind.Dim && j > i ? 0 : spans[j].Text.Length + 1;
            }

            if (startsFunction && length + piece > chars)
            {
                rows.Add([new TopoSpan("  └", TopoSpanKind.Dim)]);
                length = 4;
                continue;
            }

            rows[^1].Add(spans[i]);
            length += spans[i].Text.Length + 1;
        }

        return rows;
    }

    private static int Rows(TopoNode node) => BreakRow(node.Spans, MostCharsOfARow).Count + node.Children.Sum(Rows);

    private static int LongestRow(TopoNode node, int depth) =>
        Math.Max(node.Length + (3 * depth), node.Children.Count == 0 ? 0 : node.Children.Max(child => LongestRow(child, depth + 1)));

    private static IEnumerable<string> Wrap(string text, int chars)
    {
        var line = new StringBuilder();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > chars)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }

        yield return line.ToString();
    }
}
