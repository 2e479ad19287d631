namespace HmmFast.Simulation.Costs;

/// <summary>One figure of the cost model.</summary>
/// <param name="Name">Stable; its last word is the unit.</param>
/// <param name="Value">The figure.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Source">Where it is from: measured by whom on what, derived from what, or assumed.</param>
public sealed record CostFigure(string Name, double Value, string Unit, string Source);
