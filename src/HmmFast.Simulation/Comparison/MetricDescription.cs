namespace HmmFast.Simulation.Comparison;

/// <summary>A metric of the comparison.</summary>
/// <param name="Name">Stable, in camel case; its last word says what is counted.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Header">A short header for tables.</param>
/// <param name="Description">What it says.</param>
/// <param name="Value">Its value in a result.</param>
public sealed record MetricDescription(string Name, string Unit, string Header, string Description, Func<PolicyResult, double> Value);
