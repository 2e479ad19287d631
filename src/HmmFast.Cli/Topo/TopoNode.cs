namespace HmmFast.Cli.Topo;

/// <summary>One line of the drawn tree, with the lines below it.</summary>
public sealed class TopoNode
{
    /// <summary>The pieces of the line, without blanks between.</summary>
    public List<TopoSpan> Spans { get; } = [];

    /// <summary>The lines below.</summary>
    public List<TopoNode> Children { get; } = [];

    /// <summary>For host bridges: the NUMA node, or -1.</summary>
    public int NumaNode { get; set; } = -1;

    /// <summary>How long the line is, one blank between pieces.</summary>
    public int Length => Spans.Sum(span => span.Text.Length + 1) - 1;

    /// <summary>Adds a piece; an empty text adds nothing.</summary>
    /// <param name="text">The text.</param>
    /// <param name="kind">What it is.</param>
    /// <returns>This node.</returns>
    public TopoNode Add(string text, TopoSpanKind kind = TopoSpanKind.Plain)
    {
        if (text.Length > 0)
        {
            Spans.Add(new TopoSpan(text, kind));
        }

        return this;
    }
}
