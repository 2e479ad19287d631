namespace HmmFast.Simulation.Traces;

/// <summary>A run of equal results of a direct range fault.</summary>
/// <param name="Page">First page.</param>
/// <param name="Count">Pages.</param>
/// <param name="Flags">V, VW, E or nothing.</param>
/// <param name="Order">Mapping order.</param>
/// <param name="Untouched">The word still holds its input.</param>
/// <param name="Frame">'-' none, '=' the page table's frame, 'z' the zero page, 'Z' and '!' something else.</param>
public readonly record struct TraceResultRun(int Page, int Count, string Flags, int Order, bool Untouched, char Frame);
