namespace HmmFast.Cli;

/// <summary>Options that parse one by one but make no sense together. Ends the command with <see cref="ExitCode.Usage"/>.</summary>
/// <param name="message">What does not fit, and what would.</param>
public sealed class UsageException(string message) : Exception(message);
