namespace HmmFast.Cli.Topo;

/// <summary>A piece of a line.</summary>
/// <param name="Text">The text.</param>
/// <param name="Kind">What it is.</param>
public readonly record struct TopoSpan(string Text, TopoSpanKind Kind);
