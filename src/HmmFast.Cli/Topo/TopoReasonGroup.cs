namespace HmmFast.Cli.Topo;

/// <summary>Pairs of devices that have one answer for one reason.</summary>
/// <param name="Cell">The matrix cell they share.</param>
/// <param name="Answer">The answer in words.</param>
/// <param name="Reason">The reason in words: the ports and bits, or the host bridge lines.</param>
/// <param name="Pairs">The unordered pairs, as places among the devices.</param>
public sealed record TopoReasonGroup(string Cell, string Answer, string Reason, IReadOnlyList<(int A, int B)> Pairs);
