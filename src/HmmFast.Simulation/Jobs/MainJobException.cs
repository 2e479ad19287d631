namespace HmmFast.Simulation.Jobs;

/// <summary>The main job could not go on: memory ran out, or a call failed in a way that no driver can repair. The message names step, pages and bounds.</summary>
/// <param name="message">What happened.</param>
public sealed class MainJobException(string message) : Exception(message);
