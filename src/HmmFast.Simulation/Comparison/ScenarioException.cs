namespace HmmFast.Simulation.Comparison;

/// <summary>A scenario cannot be run as it is: the message names the scenario, the value and the bound.</summary>
/// <param name="message">The message.</param>
public sealed class ScenarioException(string message) : Exception(message);
